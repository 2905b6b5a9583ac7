"""Stages of the pipeline on images of one's own, without a network."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.duplicates import COLUMNS as PAIR
from bycase.tables.manifest import PATIENTS_UNKNOWN, read_manifest
from stages import restructure, split
from tests.fixtures.own_images import draw, write

WriteParams = Callable[..., None]
OWN: dict[str, Any] = {
    **{"source": "local", "slug": None, "path": "x", "max_unpacked_gb": 20, "task": None, "image_size": 32},
    **{"classes": ["Benign", "Malignant"], "positive": "Malignant", "resize": "squash", "max_bad_share": 0.01},
    **{"weights": "random", "phantom": None, "folders": None, "table": None},
}


@pytest.fixture
def run(project: Path, write_params: WriteParams) -> Callable[..., None]:
    """Restructure and split what is below ``data/raw/own``."""

    def stages(entry: dict[str, Any], **changes: Any) -> None:
        write_params({"dataset": "own", "datasets.own": OWN | entry} | changes)
        restructure.main()
        pd.DataFrame({column: [] for column in PAIR}).to_csv("data/duplicates.csv", index=False)
        split.main()

    return stages


def test_parts_columns_and_patients_reach_manifest_and_split(project: Path, run: Callable[..., None]) -> None:
    for part, patients in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 10))):
        for patient in patients:
            label = ("benign", "malignant")[patient % 2]
            draw(
                project / "data/raw/own",
                f"{part}/{label}/p{patient}_siteA_1.png",
                f"{part}/{label}/p{patient}_siteB_2.png",
            )
    expression = r"/(?P<patient>p\d+)_site(?P<centre>\w)"
    run(
        {"layout": "folders", "folders": {"part": "auto", "patient": expression}},
        **{"split.protocol": "supplied", "split.validation": 0.2},
    )
    manifest = read_manifest()
    assert list(manifest.columns)[-1] == "centre"
    assert set(manifest["centre"]) == {"A", "B"}
    parts = pd.read_csv("data/splits.csv")
    assert parts["part"].value_counts().to_dict() == {"train": 12, "val": 4, "test": 4}
    protocol = json.loads(Path("data/splits.json").read_text())
    assert (protocol["patients_known"], protocol["cases_on_both_sides"]) == (True, 0)


def test_a_table_with_a_row_a_patient_gives_class_patient_and_columns(project: Path, run: Callable[..., None]) -> None:
    root = project / "data/raw/own"
    draw(root, *(f"scans/{patient:03}/{n}.png" for patient in range(12) for n in range(2)))
    rows = [f"{patient};{('benign', 'malignant')[patient % 2]};{'fm'[patient // 6]}" for patient in range(12)]
    write(root, "clinical.csv", "\n".join(["patient;label;sex", *rows]))
    run({"layout": "table", "table": {"image": "patient", "match": -1, "patient": "patient"}})
    manifest = read_manifest()
    assert manifest.groupby("case")[["label", "sex"]].agg("first").to_numpy().tolist() == [
        [("Benign", "Malignant")[patient % 2], "fm"[patient // 6]] for patient in sorted(range(12), key=str)
    ]
    assert manifest["case"].value_counts().tolist() == [2] * 12
    protocol = json.loads(Path("data/splits.json").read_text())
    assert (protocol["patients_known"], protocol["cases_on_both_sides"]) == (True, 0)


def test_without_patients_every_stage_says_so(
    project: Path, run: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    places = [f"{label}/{n}.png" for n in range(12) for label in ("benign", "malignant")]
    draw(project / "data/raw/own", *places)
    with caplog.at_level(logging.WARNING):
        run({"layout": "folders", "folders": {}})
    assert caplog.messages.count(PATIENTS_UNKNOWN) == 2
    assert json.loads(Path("metrics/restructure.json").read_text())["patients_known"] is False
    assert json.loads(Path("data/splits.json").read_text())["patients_known"] is False


def bad_data(root: Path, kind: str) -> dict[str, Any]:
    """Write a data set with one fault; gives its entry."""
    folders: dict[str, Any] = {"layout": "folders", "folders": {"patient": r"(p\d+)_"}}
    if kind == "one class":
        draw(root, *(f"benign/p{n}_1.png" for n in range(20)))
    elif kind == "one patient":
        draw(root, *(f"benign/p{n}_1.png" for n in range(20)), *(f"malignant/p99_{n}.png" for n in range(20)))
    elif kind == "unnamed":
        draw(root, *(f"{n}.png" for n in range(4)))
        write(root, "t.csv", "image,label\n0,benign\n1,malignant\n")
        return {"layout": "table", "table": {}}
    elif kind == "nothing there":
        draw(root, "other/a.png")
        write(root, "t.csv", "image,label\nx,benign\ny,malignant\n")
        return {"layout": "table", "table": {}}
    return folders


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("one class", "holds no image of class Malignant; found only Benign"),
        ("one patient", "Malignant"),
        ("unnamed", r"2 files \(50.0%\) cannot be used, .* the first: 2.png \(no row of the table names it\)"),
        (
            "nothing there",
            "none of 2 rows finds an image, .* 'x'; 1 images are there, such as other/a.png",
        ),
    ],
)
def test_bad_data_stop_in_one_line(project: Path, run: Callable[..., None], kind: str, message: str) -> None:
    entry = bad_data(project / "data/raw/own", kind)
    with pytest.raises(UserError, match=message) as raised:
        run(entry)
    assert "\n" not in str(raised.value)
