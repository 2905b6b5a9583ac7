from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.audit.duplicates import number_clusters
from stages.common.data_params import SplitParams
from stages.common.manifest import COLUMNS
from stages.common.params import Params
from stages.restructure.breakhis import parse_name


def manifest_from_names(names: list[str]) -> pd.DataFrame:
    """A manifest of BreakHis images of which there are only names."""
    rows = []
    for name in names:
        image = parse_name(name)
        rows.append(
            dict.fromkeys(COLUMNS, "")
            | {
                "image": f"{image.label}/{name}",
                "label": image.label,
                "subtype": image.subtype,
                "magnification": image.magnification,
                "folder": image.folder,
                "case": image.case,
                "group": image.case,
                "width": 700,
                "height": 460,
                "source": f"BreaKHis_v1/histology_slides/{name}",
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def full_manifest(shared: Path) -> pd.DataFrame:
    """All 7,909 published images."""
    return manifest_from_names((shared / "data/breakhis_all_names.txt").read_text().split())


@pytest.fixture
def small_manifest() -> pd.DataFrame:
    """Six cases a class with two slide folders each, two images of either 40X or 200X in each folder."""
    names = [
        f"SOB_{letter}_{subtype}-14-{number}{block}-{magnification}-{sequence:03}.png"
        for letter, subtypes, first in (("B", ("A", "F"), 100), ("M", ("DC", "LC"), 200))
        for number, subtype in enumerate(subtypes * 3, start=first)
        for block, magnification in (("AB", 40), ("CD", 200))
        for sequence in (1, 2)
    ]
    return manifest_from_names(names)


@pytest.fixture(scope="session")
def split_params(make_params: Callable[[dict[str, Any]], Params]) -> Callable[..., SplitParams]:
    """``split_params(group="folder")`` gives the shipped section with these changes."""
    return lambda **changes: make_params({f"split.{key}": value for key, value in changes.items()}).split


@pytest.fixture(scope="session")
def duplicates_of() -> Callable[..., pd.DataFrame]:
    """``duplicates_of(("a", "b", "near"))`` gives the audit's table of these pairs; other columns are constant."""

    def build(*pairs: tuple[str, str, str]) -> pd.DataFrame:
        frame = pd.DataFrame(
            [(min(a, b), max(a, b), kind) for a, b, kind in pairs], columns=["image_a", "image_b", "kind"]
        )
        frame = frame.assign(distance=0.0, similarity=1.0, same_group=False, same_label=True)
        return frame.assign(cluster=number_clusters(frame))

    return build
