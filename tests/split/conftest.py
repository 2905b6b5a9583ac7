from pathlib import Path

import pandas as pd
import pytest

from stages.common.manifest import COLUMNS
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
