from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bycase.core.params import Params
from bycase.datasets.layouts.registry import read_layout
from bycase.datasets.sources.fetch import phantom_writer

SIZE = {"seed": 7, "cases": 8, "images": 16, "width": 64, "height": 64}
OWN: dict[str, dict[str, Any]] = {
    "breakhis": {},
    "folders": {"label": -1, "patient": 1, "columns": {"magnification": r"(\d+)X"}},
    "table": {"patient": "patient", "columns": ["magnification"]},
}


def test_the_same_phantom_in_three_layouts(
    tmp_path: Path, make_params: Callable[[dict[str, Any]], Params], default_params: dict[str, Any]
) -> None:
    found = []
    for layout, section in OWN.items():
        folder = tmp_path / layout
        folder.mkdir()
        phantom_writer(layout)(folder, **SIZE)
        own = default_params["datasets"]["phantom"] | {"layout": layout}
        own |= {} if layout == "breakhis" else {"task": None, layout: section}
        listing = read_layout(make_params({"datasets.own": own}).datasets["own"], folder)
        assert listing.rejected == []
        found.append(sorted((image.label, image.case, image.magnification) for image in listing.images))
    assert len(found[0]) == SIZE["images"]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("layout", ["folders", "table"])
def test_a_phantom_leaves_nothing_else_behind(tmp_path: Path, layout: str) -> None:
    phantom_writer(layout)(tmp_path, **SIZE)
    assert not list(tmp_path.glob(".*"))
