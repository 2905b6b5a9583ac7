"""Results of runs that never were, and a project whose stages are quick stand-ins."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]

MakeRun = Callable[..., dict[str, Any]]
Recipes = Callable[..., subprocess.CompletedProcess[str]]

# Every stage's name and command, what it reads and what it leaves; `split` is the real one.
PIPELINE = {
    "stages": {
        "restructure": {
            "cmd": "python stand_in.py restructure",
            "deps": ["stand_in.py"],
            "params": ["dataset"],
            "outs": ["data/manifest.csv"],
        },
        "audit": {
            "cmd": "python stand_in.py audit",
            "deps": ["data/manifest.csv"],
            "params": ["dataset", "audit"],
            "outs": ["data/duplicates.csv"],
            "metrics": [{"metrics/audit.json": {"cache": False}}],
        },
        "split": {
            "cmd": "python -m stages.split",
            "deps": ["data/duplicates.csv", "data/manifest.csv"],
            "params": ["dataset", "seed", "split", "audit.waive"],
            "outs": ["data/splits.csv", "data/splits.json"],
        },
        "train": {
            "cmd": "python stand_in.py train",
            "deps": ["data/splits.json"],
            "params": ["model", "zoo", "datasets"],
            "outs": ["models/model.json", "models/history.csv", "models/cost.json", "metrics/train"],
            "metrics": [{"metrics/metrics.json": {"cache": False}}],
        },
    },
    "metrics": ["metrics/train/metrics.json"],
}


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """``make_run("d-vgg16", "honest", accuracy=0.8)`` gives what a result file holds."""

    def result(name: str, protocol: str, accuracy: float = 0.75, phantom: bool = False, **other: Any) -> dict[str, Any]:
        levels = {
            level: {
                "accuracy": accuracy,
                "auc": 0.8125,
                "n": 40,
                "n_patients": 9,
                "baseline": {"accuracy": 0.625},
                "ci": {
                    "accuracy": {"low": accuracy - 0.125, "high": accuracy + 0.0625},
                    "auc": {"low": 0.625, "high": 0.9375},
                },
            }
            for level in ("image", "patient")
        }
        return {
            "recipe": name,
            "protocol": protocol,
            "changed": {},
            "network": {"model": "vgg16", "variant": None, "mode": "frozen", "weights": "imagenet"},
            "data": {
                "dataset": "phantom" if phantom else "breakhis",
                "phantom": phantom,
                "images": 200,
                "cases_on_both_sides": 0,
                "duplicates_on_both_sides": 0,
                "pairs_under_two_labels": 0,
            },
            "metrics": levels,
            "training": {"epochs": 30, "best_epoch": 12},
            "git": {"commit": "0" * 40, "code_as_committed": True},
            **other,
        }

    return result


@pytest.fixture(scope="session")
def _committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe") / "project"
    shutil.copytree(REPOSITORY / "recipes", folder / "recipes")
    shutil.copy(REPOSITORY / "params.yaml", folder)
    shutil.copy(Path(__file__).parent / "stand_in.py", folder)
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE, sort_keys=False), encoding="utf-8")
    (folder / "plots").mkdir()
    (folder / "plots/.gitkeep").touch()
    (folder / ".gitignore").write_text("/data/\n/models/\n/results/\n__pycache__\n*.log\n", encoding="utf-8")
    for command in (
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "config", "user.email", "tests@example.invalid"),
        ("git", "config", "user.name", "tests"),
        ("dvc", "init", "--quiet"),
        ("dvc", "config", "core.analytics", "false"),
        ("dvc", "repro", "--quiet"),
        ("git", "add", "--all"),
        ("git", "commit", "--quiet", "--message", "state"),
    ):
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    return folder


def environment() -> dict[str, str]:
    """The running Python's folder first, and the stages importable from anywhere."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY), "DVC_NO_ANALYTICS": "1"}


@pytest.fixture
def stand_in(_committed: Path, tmp_path: Path) -> Path:
    """A clean project, in which the default run is committed; its stages draw their results from a hat."""
    folder = tmp_path / "project"
    shutil.copytree(_committed, folder, symlinks=True)
    return folder


@pytest.fixture
def recipe_command(stand_in: Path) -> Recipes:
    """``recipe_command("run", "d-vgg16")`` in the stand-in project."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stages.recipe", *arguments]
        # Without the interpreter's folder: the command has to find DVC and Python by itself.
        bare = {**environment(), "PATH": os.environ["PATH"].replace(str(Path(sys.executable).parent), "/nowhere")}
        return subprocess.run(
            command, cwd=stand_in, env=bare, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )

    return run
