"""A bundled classifier on a small data set of other patients, some of whom are planted."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from bycase.apps.classifier.classifier import load_classifier
from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.figures.external import draw_external
from bycase.report.blocks import Table
from bycase.report.external import external_section
from bycase.statistics.external import RESULTS, read_external
from bycase.studies.compare.external import external_table
from bycase.tables.external import ABOUT, IMAGES, PREDICTIONS, TABLE
from stages import external, external_images
from tests.conftest import REPOSITORY
from tests.fixtures.predict import RAW
from tests.fixtures.units import leaves

SetExternal = Callable[..., None]


def write_images(folder: Path, first: int, cases: int = 10) -> None:
    """Two images of each case at 40X and one at 100X, numbered from `first`; reddish where malignant, dark all."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(first)
    for case in range(first, first + cases):
        letter, subtype = ("B", "A") if case % 2 == 0 else ("M", "DC")
        for magnification, sequence in ((40, 1), (40, 2), (100, 1)):
            pixels = random.integers(40, 140, (46, 70, 3))
            pixels[..., case % 2] += random.integers(0, 60)
            name = f"SOB_{letter}_{subtype}-14-{case}-{magnification}-{sequence:03}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name)


@pytest.fixture
def set_external(copied: Path, tmp_path: Path) -> SetExternal:
    """``set_external(folder, external_magnifications=[40])``: names a folder as the external test set."""

    def change(folder: Path | None, **evaluate: Any) -> None:
        content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
        content["evaluate"] |= {
            "resamples": 100,
            "batch_size": 8,
            "external": "breakhis" if folder else None,
        } | evaluate
        content["datasets"]["breakhis"] |= {"source": "local", "path": str(folder)}
        Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    return change


def run() -> dict[str, Any]:
    external_images.main()
    external.main()
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_without_one_there_are_markers_and_no_tensorflow(set_external: SetExternal) -> None:
    set_external(None)
    code = (
        "import sys; from stages import external, external_images; external_images.main(); external.main();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(REPOSITORY)}, check=True)
    assert [path.name for path in ABOUT.parent.iterdir()] == [ABOUT.name]
    assert read_external() is None
    assert json.loads(Path("metrics/headlines/external.json").read_text(encoding="utf-8")) == {}
    assert PREDICTIONS.read_text(encoding="utf-8") == "image,group,label\n"


def test_other_patients_are_scored_by_what_is_locked(
    set_external: SetExternal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_images(tmp_path / "other", 5000)
    planted = sorted(RAW.glob("*"))[0]
    shutil.copyfile(planted, tmp_path / "other" / planted.name)
    set_external(tmp_path / "other", external_magnifications=[40])
    content = run()
    assert content["left_out"] == {
        "class": 0,
        "magnification": 10,
        "unusable": 0,
        "known": {"images": 1, "patients": 1, "same_case": 1, "same_file": 0, "same_picture": 0},
    }
    assert "left out: 10 images of other magnifications; 1 images of 1 patients" in caplog.text
    here, there = content["internal"], content["external"]
    assert (there["image"]["n"], there["image"]["n_patients"], here["image"]["n_patients"]) == (20, 10, 6)
    assert (there["image"]["threshold"], there["patient"]["threshold"]) == (0.45, 0.4)
    assert all(np.isfinite(leaf) for leaf in leaves(content["change"]))
    assert content["change"]["image"]["auc"] == there["image"]["auc"] - here["image"]["auc"]

    table = pd.read_csv(PREDICTIONS)
    assert len(table) == 20
    assert there["unlike"]["share"] == pytest.approx(table["unlike"].mean())
    pictures = [Image.open(tmp_path / "other" / Path(name).name).convert("RGB") for name in table["image"]]
    classifier = load_classifier()
    predicted = classifier.predict([np.asarray(picture) for picture in pictures])
    np.testing.assert_allclose(table["Malignant"], predicted.scores[:, 1], atol=1e-5)
    truth = (table["label"] == "Malignant").to_numpy(np.int64)
    assert there["image"]["accuracy"] == pytest.approx((predicted.predicted == truth).mean())
    assert there["sets"]["image"]["coverage"] == pytest.approx(predicted.image_sets[np.arange(20), truth].mean())
    assert not list(IMAGES.parent.glob("raw*"))
    assert set(pd.read_csv(TABLE, dtype=str)["magnification"]) == {"40"}


def test_figure_report_and_comparison_show_it(set_external: SetExternal, tmp_path: Path) -> None:
    write_images(tmp_path / "other", 5000)
    set_external(tmp_path / "other")
    content = run()
    figure = draw_external(content, ["network; data", "split"])
    assert figure.texts[0].get_text().startswith("External test: AUC by image ")
    section = external_section(content, Path("absent.png"))
    table, benefit = [block for block in section.blocks if isinstance(block, Table)]
    assert benefit.caption.startswith("Net benefit")
    assert {"AUC by image", "flagged as unlike", "calibration slope by image"} <= {row[0] for row in table.rows}
    assert "30 images of 10 patients" in section.blocks[0].words  # type: ignore[attr-defined]
    lines = external_table({"a": content, "b": {}}).splitlines()
    assert [line.split(" | ")[0] for line in lines[-2:]] == ["| a", "| b"]
    assert external_table({"a": {}, "b": {}}) == ""
    assert "evaluate.external" in external_section({}, Path("absent.png")).blocks[0].words  # type: ignore[attr-defined]


def test_a_data_set_of_the_same_patients_is_refused_in_one_line(set_external: SetExternal, tmp_path: Path) -> None:
    shutil.copytree(RAW, tmp_path / "same")
    set_external(tmp_path / "same")
    with pytest.raises(UserError, match="24 of 24 patients of breakhis are in the split of phantom as well") as caught:
        run()
    assert "\n" not in str(caught.value)
    assert not RESULTS.exists()


def test_classes_may_have_other_names(set_external: SetExternal, tmp_path: Path) -> None:
    write_images(tmp_path / "other", 5000)
    set_external(tmp_path / "other", external_classes={"A": "Benign", "DC": "Malignant", "F": None})
    content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    content["datasets"]["breakhis"] |= {"task": "subtype", "classes": ["A", "DC", "F"], "positive": None}
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    assert run()["external"]["image"]["n"] == 30
    assert load_params().data.classes == ["Benign", "Malignant"]


def test_nothing_left_of_that_magnification_is_said(set_external: SetExternal, tmp_path: Path) -> None:
    write_images(tmp_path / "other", 5000)
    set_external(tmp_path / "other", external_magnifications=[400])
    with pytest.raises(UserError, match="none of the 30 images of the data set is left"):
        external_images.main()
    assert not ABOUT.exists()
