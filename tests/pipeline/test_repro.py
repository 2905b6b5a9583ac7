"""The pipeline as its users run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.pipeline.conftest import Project, commit, stage_error

METRIC_NAMES = {
    "accuracy",
    "balanced_accuracy",
    "auc",
    "average_precision",
    "sensitivity",
    "specificity",
    "precision",
    "npv",
    "f1",
    "mcc",
    "log_loss",
    "brier",
}

pytestmark = pytest.mark.xdist_group("reproduced")

StagesRun = Callable[[subprocess.CompletedProcess[str]], list[str]]


def metrics(project: Project) -> bytes:
    return (project.folder / "metrics/metrics.json").read_bytes()


def test_every_output_of_the_contract_is_there(reproduced: Project) -> None:
    folder = reproduced.folder
    manifest = pd.read_csv(folder / "data/manifest.csv")
    splits = pd.read_csv(folder / "data/splits.csv")
    assert len(manifest) == len(splits) == 128
    assert {path.name for path in (folder / "data/restructured").iterdir()} == {"Benign", "Malignant"}
    for part in ("val", "test"):
        predictions = pd.read_csv(folder / f"data/predictions/{part}.csv")
        assert list(predictions.columns) == ["image", "group", "label", "Benign", "Malignant"]
        assert set(predictions["image"]) == set(splits.loc[splits["part"] == part, "image"])
    scored = json.loads(metrics(reproduced))
    assert {"image", "patient"} <= set(scored)
    for level in ("image", "patient"):
        assert set(scored[level]) >= METRIC_NAMES
        assert set(scored[level]["baseline"]) >= METRIC_NAMES
    assert json.loads((folder / "models/model.json").read_text())["weights"] == "random"


# TensorFlow's, XLA's and CUDA's own, as of a stage that a user starts.
START_UP = (
    "oneDNN",
    "cpu_feature_guard",
    "computation_placer",
    "cuda_executor",
    "cuda_platform",
    "cudart_stub",
    "TF-TRT",
    "Could not find",
    "Unable to register",
    "All log messages before absl",
    "port.cc",
    "rebuild TensorFlow",
    "I0000 ",
    "W0000 ",
    "E0000 ",
)


def test_the_log_of_a_run_holds_no_start_up_of_tensorflow(reproduced: Project) -> None:
    log = (reproduced.folder.parent / "repro.log").read_text(encoding="utf-8")
    for stage in ("audit", "embed", "train", "evaluate", "uncertainty", "robustness", "explain", "bundle", "report"):
        assert f"Running stage '{stage}'" in log
    assert log.count(": TensorFlow ") >= 5, "the stages' own lines are not in it"
    assert [line for line in log.splitlines() if any(word in line for word in START_UP)] == []


def test_again_nothing_runs(reproduced: Project, stages_run: StagesRun) -> None:
    assert stages_run(reproduced.dvc("repro")) == []


def test_git_is_clean_after_a_run(reproduced: Project) -> None:
    assert reproduced.run("git", "status", "--porcelain").stdout == ""


def test_another_model_runs_alone_and_going_back_restores(reproduced: Project, stages_run: StagesRun) -> None:
    before = metrics(reproduced)
    done = reproduced.dvc("exp", "run", "-S", "model=mresnet", "evaluate")
    assert stages_run(done) == ["check", "embed", "train", "evaluate"]
    left = json.loads(reproduced.dvc("status", "--json").stdout)
    assert sorted(left) == ["bundle", "explain", "external", "plot", "report", "robustness", "uncertainty"]
    assert metrics(reproduced) != before

    difference = reproduced.dvc("metrics", "diff", "--json").stdout
    assert "metrics/metrics.json" in json.loads(difference)
    assert "auc" in reproduced.dvc("metrics", "show").stdout
    assert "mresnet" in reproduced.dvc("exp", "show", "--csv").stdout
    reproduced.dvc("plots", "diff", "HEAD", "--out", "compared")
    page = (reproduced.folder / "compared/index.html").read_text(encoding="utf-8")
    for name in ("ROC", "Precision", "workspace", "HEAD"):
        assert name in page

    back = reproduced.dvc("exp", "run", "-S", "model=focal_cnn")
    assert not {"embed", "train", "evaluate"} & set(stages_run(back))
    assert metrics(reproduced) == before
    reproduced.run("git", "checkout", "--quiet", ".")
    reproduced.run("git", "clean", "-fdq", "compared")


def test_two_forced_runs_give_the_same_metrics(reproduced: Project) -> None:
    before = metrics(reproduced)
    predictions = (reproduced.folder / "data/predictions/test.csv").read_bytes()
    reproduced.dvc("repro", "--force", "--no-run-cache", "--single-item", "embed", "train", "evaluate")
    assert metrics(reproduced) == before
    assert (reproduced.folder / "data/predictions/test.csv").read_bytes() == predictions
    commit(reproduced)


@pytest.mark.slow
def test_queued_experiments_run_one_a_model(reproduced: Project) -> None:
    reproduced.dvc("exp", "run", "--queue", "-S", "model=resnet50v2,efficientnetv2", "-S", "seed=8")
    reproduced.dvc("exp", "run", "--run-all")
    table = reproduced.dvc("exp", "show", "--csv").stdout
    assert "resnet50v2" in table
    assert "efficientnetv2" in table
    assert "Failed" not in table


HEAD = {"zoo.focal_cnn.epochs": 80, "zoo.focal_cnn.patience": 80}
IMAGES = {
    "zoo.focal_cnn.mode": "end_to_end",
    "augment.mixup": 0.3,
    "augment.rand_augment": 0.2,
    "train.loss": "focal",
    "train.schedule": "cosine",
    "train.ema": 0.9,
    "zoo.focal_cnn.epochs": 6,
    "zoo.focal_cnn.patience": 6,
}
FINE_TUNING = {
    "model": "efficientnetlite",
    "zoo.efficientnetlite.head": [{"dropout": 0.2}],
    "zoo.efficientnetlite.epochs": 2,
    "zoo.efficientnetlite.unfreeze.layers": 30,
    "zoo.efficientnetlite.unfreeze.steps": 2,
    "zoo.efficientnetlite.unfreeze.epochs": 4,
    "zoo.efficientnetlite.unfreeze.lowest_rate": 0.1,
}


@pytest.mark.parametrize(
    ("changes", "kills"),
    [
        pytest.param(HEAD, 1, id="head"),
        pytest.param(IMAGES, 3, id="end to end", marks=pytest.mark.slow),
        pytest.param(FINE_TUNING, 3, id="fine-tuning", marks=pytest.mark.slow),
    ],
)
def test_training_killed_and_run_again_ends_as_one_never_killed(
    reproduced: Project, changes: dict[str, Any], kills: int
) -> None:
    folder = reproduced.folder
    reproduced.set_params(**changes)
    command = [sys.executable, "-m", "stages.train"]
    if changes is not HEAD:
        reproduced.run(sys.executable, "-m", "stages.embed")
    for name in ("model.keras", "model.json", "history.csv"):
        (folder / "models" / name).unlink()
    reproduced.run(*command)
    whole = (folder / "models/history.csv").read_bytes()
    (folder / "models/history.csv").unlink()

    for _ in range(kills):
        kill_after_an_epoch(command, folder)
    resumed = reproduced.run(*command)
    assert "continuing after epoch" in resumed.stderr
    assert (folder / "models/history.csv").read_bytes() == whole
    assert not (folder / "data/checkpoints/train.npz").exists()
    (folder / "killed.log").unlink()
    reproduced.run("git", "checkout", "--quiet", ".")
    reproduced.dvc("checkout", "--force", "dvc.yaml")


def kill_after_an_epoch(command: list[str], folder: Path) -> None:
    """Start a training and kill it, with no warning, a moment after it has written a checkpoint."""
    checkpoint = folder / "data/checkpoints/train.npz"
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    with (folder / "killed.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert checkpoint.exists()
    assert not (folder / "models/history.csv").exists()


def test_split_by_image_warns_loudly(reproduced: Project) -> None:
    reproduced.set_params(**{"split.group": "image"})
    done = reproduced.run("python", "-m", "stages.split")
    assert "WARNING" in done.stderr
    assert "not those of new patients" in done.stderr
    reproduced.run("git", "checkout", "--quiet", ".")
    reproduced.dvc("checkout", "--force", "dvc.yaml")


def test_an_unknown_model_is_named_after_data_is_there(reproduced: Project) -> None:
    message = stage_error(reproduced, "dvc", "exp", "run", "-S", "model=vgg19")
    reproduced.run("git", "checkout", "--quiet", "params.yaml")
    reproduced.dvc("checkout", "dvc.yaml")
    assert "unknown model 'vgg19'; choose one of" in message
