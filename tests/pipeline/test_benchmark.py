"""`benchmark/dvc.yaml` as a user runs it: all of it, again, with a broken cell, and compared."""

import json

import pandas as pd
import pytest
import yaml

from tests.pipeline.conftest import Project

pytestmark = pytest.mark.slow

MODELS = ["resnet50v2", "focal_cnn"]


def set_benchmark(project: Project, **values) -> None:
    path = project.folder / "benchmark/params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in values.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def test_the_benchmark_runs_resumes_and_survives_a_broken_cell(fresh: Project) -> None:
    set_benchmark(
        fresh,
        models=MODELS,
        fold=[0, 1],
        repeat=[0, 1],
        budget={"epochs": 3, "trials": 2},
        shift={"models": ["resnet50v2"], "magnifications": [200]},
        compare={"resamples": 200},
    )
    assert "is dvc-ignored" in fresh.dvc("repro", "benchmark/dvc.yaml", check=False).stderr
    (fresh.folder / "benchmark/.dvcignore").unlink()
    fresh.dvc("repro", "benchmark/dvc.yaml")
    predictions = pd.read_csv(fresh.folder / "data/benchmark/predictions.csv")
    manifest = pd.read_csv(fresh.folder / "data/manifest.csv")
    for _, rows in predictions.groupby(["model", "repeat"]):
        assert sorted(rows["image"]) == sorted(manifest["image"])
    leaderboard = json.loads((fresh.folder / "metrics/benchmark/leaderboard.json").read_text(encoding="utf-8"))
    assert set(leaderboard) == set(MODELS)
    for name in ("critical_difference", "pareto", "learning_curves", "robustness", "uncertainty"):
        assert (fresh.folder / f"plots/benchmark/{name}.png").stat().st_size > 10_000
    report = (fresh.folder / "metrics/benchmark/report.html").read_text(encoding="utf-8")
    assert "phantom" in report.lower()

    again = fresh.dvc("repro", "benchmark/dvc.yaml")
    assert "Running stage" not in again.stdout

    fresh.set_params(**{"zoo.focal_cnn.weights": "absent.weights.h5"})
    broken = fresh.run("python", "-m", "bycase", "benchmark", "run", "--jobs", "2", check=False)
    assert broken.returncode == 1
    assert "Traceback" not in broken.stderr
    assert "4 of 10 cells failed (cell@focal_cnn-0-0" in broken.stderr
    fresh.set_params(**{"zoo.focal_cnn.weights": "random"})
    mended = fresh.dvc("repro", "benchmark/dvc.yaml")
    assert "Running stage 'benchmark/dvc.yaml:cell@resnet50v2" not in mended.stdout
