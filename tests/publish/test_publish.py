import json
from pathlib import Path

import pytest

from stages.common.errors import UserError
from stages.publish.copy import KEPT, publish
from stages.publish.table import make_table


@pytest.fixture
def project(tmp_path: Path) -> Path:
    contents = {
        "models/model.json": {"model": "resnet50v2", "weights": "random", "dataset": "phantom", "phantom": True},
        "data/splits.json": {"protocol": "fractions", "group": "image", "seed": 3, "cases_on_both_sides": 12},
        "metrics/metrics.json": {
            level: {
                "n": 40,
                "n_patients": 9,
                "auc": 0.75,
                "accuracy": 0.7,
                "baseline": {"accuracy": 0.625},
                "ci": {name: {"low": 0.5, "high": 0.875} for name in ("auc", "accuracy")},
            }
            for level in ("image", "patient")
        },
    }
    for name in KEPT:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(contents.get(name, {})), encoding="utf-8")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/roc.png").write_bytes(b"png")
    return tmp_path


def test_a_run_is_kept_with_its_figures(project: Path) -> None:
    folder = publish("a-run", project, project / "results")
    assert {path.name for path in folder.iterdir()} == {Path(name).name for name in KEPT} | {"roc.png"}


def test_publishing_again_replaces_the_run(project: Path) -> None:
    publish("a-run", project, project / "results")
    (project / "plots/roc.png").unlink()
    assert not (publish("a-run", project, project / "results") / "roc.png").exists()


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a b"])
def test_a_bad_name_is_refused(project: Path, name: str) -> None:
    with pytest.raises(UserError, match="no name for a run"):
        publish(name, project, project / "results")


def test_an_unfinished_run_is_refused(project: Path) -> None:
    (project / "metrics/metrics.json").unlink()
    with pytest.raises(UserError, match="metrics/metrics.json not found"):
        publish("a-run", project, project / "results")
    assert not (project / "results").exists()


def test_the_table_says_phantom_and_leak(project: Path) -> None:
    publish("a-run", project, project / "results")
    row = make_table(project / "results").splitlines()[-1]
    for cell in (
        "resnet50v2, random",
        "phantom (phantom)",
        "by image",
        "40 (9)",
        "| 12 |",
        "0.750 (0.500 to 0.875)",
        "0.625",
    ):
        assert cell in row
