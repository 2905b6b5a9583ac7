import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.datasets.duplicates import COLUMNS as DUPLICATES_COLUMNS
from bycase.datasets.duplicates import write_duplicates
from bycase.statistics.power.resolution import SCENARIOS
from bycase.tables.manifest import COLUMNS, write_manifest
from bycase.tables.splits import write_splits


@pytest.fixture
def listed(project: Path) -> Path:
    """A project with a manifest of 30 patients of 6 images."""
    rows = [
        dict.fromkeys(COLUMNS, 0)
        | {"image": f"{p:02d}-{k}.png", "group": f"p{p}", "label": "Malignant" if p % 3 else "Benign"}
        for p in range(30)
        for k in range(6)
    ]
    write_manifest(Path("data/manifest.csv"), pd.DataFrame(rows))
    write_duplicates(pd.DataFrame(columns=list(DUPLICATES_COLUMNS)))
    return project


def run(folder: Path, run_stage_process: Any) -> tuple[dict[str, Any], str, str]:
    done = run_stage_process("power", folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "metrics/power.json").read_text()), done.stdout, done.stderr


def test_without_a_split_all_patients_count(listed: Path, run_stage_process: Any) -> None:
    content, table, log = run(listed, run_stage_process)
    assert content["test"]["n_patients"] is None
    assert content["all"]["n_patients"] == 30
    assert "data/splits.csv not found" in log
    assert "Patients that would resolve" in table


def test_with_a_split_its_test_patients_count_too(listed: Path, run_stage_process: Any) -> None:
    # Split by image, so that the patients of the test part have fewer images there; some images are left out.
    images = pd.read_csv("data/manifest.csv")["image"]
    images = images[~images.str.endswith("-5.png")]
    part = ["test" if name.endswith("-0.png") else "val" if name.endswith("-1.png") else "train" for name in images]
    write_splits(pd.DataFrame({"image": images, "part": part, "fold": 0, "group": images}), {})
    content, _, _ = run(listed, run_stage_process)
    assert (content["test"]["n_patients"], content["test"]["n_images"]) == (30, 30)
    assert (content["all"]["n_patients"], content["all"]["n_images"]) == (30, 150)
    assert {content["test"][name]["design_effect"] for name in SCENARIOS} == {1}
    assert (listed / "plots/power.png").is_file()


def test_a_split_of_other_data_is_refused(listed: Path, run_stage_process: Any) -> None:
    images = ["x.png", "y.png", "z.png"]
    write_splits(pd.DataFrame({"image": images, "part": ["train", "val", "test"], "fold": 0, "group": images}), {})
    done = run_stage_process("power", listed)
    assert done.returncode == 1
    assert "data/splits.csv: no test image is in data/manifest.csv; run 'dvc repro split'" in done.stderr
