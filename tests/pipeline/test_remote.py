"""A run that one person pushes and another pulls, with a folder as DVC's remote."""

import csv
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project, commit

pytestmark = pytest.mark.xdist_group("reproduced")

StagesRun = Callable[[subprocess.CompletedProcess[str]], list[str]]

CLEAN = "Data and pipelines are up to date."


@pytest.fixture(scope="module")
def pushed(reproduced: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The reproduced clone with all of it in a remote; without the remote again afterwards."""
    storage = tmp_path_factory.mktemp("remote") / "storage"
    reproduced.dvc("remote", "add", "--default", "storage", str(storage))
    reproduced.dvc("remote", "modify", "--local", "storage", "verify", "true")
    assert reproduced.run("git", "status", "--porcelain").stdout == " M .dvc/config\n"
    commit(reproduced)
    reproduced.dvc("push")
    yield reproduced
    reproduced.run("git", "reset", "--quiet", "--hard", "HEAD~1")
    (reproduced.folder / ".dvc/config.local").unlink()


@pytest.fixture(scope="module")
def colleague(pushed: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shallow clone elsewhere that has pulled."""
    folder = tmp_path_factory.mktemp("colleague") / "clone"
    pushed.run("git", "clone", "--quiet", "--depth", "1", f"file://{pushed.folder}", str(folder))
    project = Project(folder)
    project.run("git", "config", "user.email", "tests@example.invalid")
    project.run("git", "config", "user.name", "tests")
    project.dvc("pull")
    return project


def test_all_is_there_and_clean(colleague: Project) -> None:
    assert CLEAN in colleague.dvc("status").stdout
    assert "No changes" in colleague.dvc("data", "status").stdout
    colleague.dvc("checkout")
    assert colleague.run("git", "status", "--porcelain").stdout == ""


def test_predict_answers_without_training(colleague: Project) -> None:
    image = next((colleague.folder / "data/raw").rglob("*.png"))
    done = colleague.run("python", "-m", "bycase", "predict", str(image))
    (row,) = csv.DictReader(done.stdout.splitlines())
    assert float(row["probability_Benign"]) + float(row["probability_Malignant"]) == pytest.approx(1)
    assert not (colleague.folder / "data/checkpoints").exists()


@pytest.mark.slow
def test_benchmark_and_searches_can_be_run(colleague: Project, stages_run: StagesRun) -> None:
    try:
        for folder in ("benchmark", "tuning"):
            assert "is dvc-ignored" in colleague.dvc("repro", f"{folder}/dvc.yaml", check=False).stderr
            (colleague.folder / folder / ".dvcignore").unlink()
            ran = stages_run(colleague.dvc("repro", f"{folder}/dvc.yaml:check"))
            assert ran == [f"{folder}/dvc.yaml:check"]
    finally:
        colleague.run("git", "checkout", "--quiet", ".")
        colleague.run("git", "clean", "-fdq")
    assert CLEAN in colleague.dvc("status").stdout


def test_a_network_and_a_published_run_without_a_clone(pushed: Project, tmp_path: Path) -> None:
    elsewhere = Project(tmp_path)
    elsewhere.dvc("get", str(pushed.folder), "models/classifier.keras")
    assert (tmp_path / "classifier.keras").read_bytes() == (pushed.folder / "models/classifier.keras").read_bytes()
    elsewhere.dvc("get", str(pushed.folder), "results/breakhis-partial")
    names = {path.name for path in (tmp_path / "breakhis-partial").iterdir()}
    assert names == {path.name for path in (pushed.folder / "results/breakhis-partial").iterdir()}


@pytest.mark.slow
def test_collected_garbage_is_no_loss(colleague: Project) -> None:
    colleague.dvc("gc", "--workspace", "--force")
    assert "Running stage" not in colleague.dvc("repro").stdout
    assert CLEAN in colleague.dvc("status").stdout


@pytest.mark.slow
def test_a_submodule_is_a_project(pushed: Project, tmp_path: Path) -> None:
    paper = Project(tmp_path)
    paper.run("git", "init", "--quiet")
    allowed = ("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
    paper.run(*allowed, str(pushed.folder), "bycase")
    project = Project(tmp_path / "bycase")
    project.dvc("pull")
    assert CLEAN in project.dvc("status").stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_downloaded_archive_says_what_it_needs(pushed: Project, tmp_path: Path) -> None:
    pushed.run("git", "archive", "--output", str(tmp_path / "project.tar"), "HEAD")
    shutil.unpack_archive(tmp_path / "project.tar", tmp_path / "project", filter="data")
    unpacked = Project(tmp_path / "project")
    done = unpacked.run("make", "repro", check=False)
    assert done.returncode != 0
    assert "is not the top of a Git repository: run 'git init" in done.stderr
    assert not (unpacked.folder / ".venv").exists()
    unpacked.run("git", "init", "--quiet")
    unpacked.dvc("status")
