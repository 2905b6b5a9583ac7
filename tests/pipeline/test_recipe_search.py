"""`bycase recipe search c-mresnet` in a clone, on BUSI's phantom: every stage and every training is real."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.conftest import clone

SETTINGS = {
    "dataset": "busi_phantom",
    "datasets.busi_phantom.image_size": 32,
    "datasets.busi_phantom.phantom.cases": 30,
    "datasets.busi_phantom.phantom.images": 60,
    "datasets.busi_phantom.phantom.width": 96,
    "datasets.busi_phantom.phantom.height": 80,
    # So small, generated images are alike by chance.
    "audit.near_distance": 0,
    "audit.near_similarity": 1,
    "search.budget.trials": 4,
    "search.budget.epochs": 2,
    "search.inner.folds": 2,
    "search.outer.folds": 2,
    "search.population.members": 2,
    "search.population.interval": 1,
}


@pytest.mark.slow
def test_the_search_of_system_c_runs_nested_and_tells_its_optimism(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("optuna")
    project = clone(tmp_path / "project")
    done = project.run(
        *("python", "-m", "bycase", "recipe", "search", "c-mresnet"),
        *("--set", *(f"{key}={value}" for key, value in SETTINGS.items())),
    )
    folder = project.folder / "results/recipes/c-mresnet"
    result = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    scores = result["scores"]
    own = (scores["inner"]["0"] + scores["inner"]["1"]) / 2
    assert scores["optimism"]["estimate"] == pytest.approx(own - scores["outer"]["score"])
    assert scores["gain"]["estimate"] == pytest.approx(scores["outer"]["score"] - scores["default_outer"]["score"])
    assert f"| the search's own best score: all images, inner folds | {scores['inner']['final']:.3f} |" in done.stdout
    assert result["data"]["phantom"]
    assert scores["epochs"] == {"asked": 3 * 8, "spent": 3 * 8}

    trials = pd.read_csv(folder / "search.csv")
    assert trials.groupby("outer")["algorithm"].value_counts().to_dict() == {
        (outer, algorithm): 2 for outer in ("0", "1", "final") for algorithm in ("bayesian", "pbt")
    }
    first = trials[trials["trial"] == 0]
    assert set(zip(first["learning_rate"], first["weight_decay"], first["batch_size"], strict=True)) == {
        (0.0001, 0.0005, 32)
    }
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")
