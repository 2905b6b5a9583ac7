"""A fresh clone of the project with small parameters, for running DVC as a user does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.nested import merge, nest

ROOT = Path(__file__).parents[2]

SMALL: dict[str, Any] = {
    "model": "resnet50v2",
    "dataset": "phantom",
    "datasets.phantom.image_size": 32,
    "datasets.phantom.phantom.cases": 16,
    "datasets.phantom.phantom.images": 128,
    "datasets.phantom.phantom.width": 175,
    "datasets.phantom.phantom.height": 115,
    "embed.views": 1,
    "evaluate.resamples": 200,
    "uncertainty.dropout_passes": 3,
    "uncertainty.views": 2,
    "robustness.corruptions": ["stain", "noise"],
    "robustness.severities": [5],
    "explain.examples": 1,
    "explain.images": 4,
    "explain.steps": 2,
    "explain.randomisations": 1,
    "leakage.folds": 3,
    "leakage.repeats": 1,
    "leakage.permutations": 20,
    "train.collapse_action": "warn",
    "zoo.resnet50v2.epochs": 4,
    "zoo.efficientnetv2.epochs": 4,
    "zoo.efficientnetlite.epochs": 4,
}

# Every stage loads the network: of a small one, frozen like the large, a run takes half the time.
LIGHT: dict[str, Any] = {
    "model": "focal_cnn",
    **{
        f"zoo.{name}.{key}": value
        for name in ("focal_cnn", "mresnet")
        for key, value in (("mode", "frozen"), ("epochs", 4))
    },
}


@dataclass(frozen=True)
class Project:
    """A clone: its folder, and DVC run in it."""

    folder: Path

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # As a user starts it, without what the tests set.
        clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**clean, "PATH": path, "PYTHONPATH": str(self.folder), "DVC_NO_ANALYTICS": "1", **environment},
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("dvc", *arguments, check=check)

    def set_params(self, **values: Any) -> None:
        path = self.folder / "params.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(merge(content, nest(values)), sort_keys=False), encoding="utf-8")


def stage_error(project: Project, *command: str) -> str:
    done = project.run(*command, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert len(lines) == 1, done.stderr
    leftovers = [path for path in project.folder.rglob(".partial-*") if ".dvc" not in path.parts]
    assert leftovers == []
    return lines[0]


def clone(folder: Path) -> Project:
    """Copy what Git would have, the working tree's state included, and commit it there."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    project = Project(folder)
    project.set_params(**SMALL)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.run("git", "config", "user.email", "tests@example.invalid")
    project.run("git", "config", "user.name", "tests")
    commit(project)
    return project


def commit(project: Project) -> None:
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--allow-empty", "--message", "state")


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    return clone(tmp_path / "clone")


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which `dvc repro` has run and is committed; tests leave it in that state. Beside it, `repro.log`."""
    project = clone(tmp_path_factory.mktemp("reproduced") / "clone")
    project.set_params(**LIGHT)
    done = project.dvc("repro")
    (project.folder.parent / "repro.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    commit(project)
    return project


@pytest.fixture
def stages_run() -> Callable[[subprocess.CompletedProcess[str]], list[str]]:
    """Names of the stages that a DVC command ran, in order; restored and unchanged ones are not among them."""

    def names(done: subprocess.CompletedProcess[str]) -> list[str]:
        lines = (done.stdout + done.stderr).splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]

    return names
