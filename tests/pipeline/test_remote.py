"""A run that one person pushes and another pulls, with a folder as DVC's remote."""

import csv
import shutil
import subprocess
import time
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


@pytest.fixture
def bare(pushed: Project, tmp_path: Path) -> str:
    """The address of a Git repository that has the history of the pushed one."""
    pushed.run("git", "clone", "--quiet", "--bare", str(pushed.folder), str(tmp_path / "bare.git"))
    return f"file://{tmp_path / 'bare.git'}"


def clone_of(address: str, folder: Path, cache: Project, *options: str) -> Project:
    """A clone that shares another's cache."""
    cache.run("git", "clone", "--quiet", *options, address, str(folder))
    project = Project(folder)
    project.run("git", "config", "user.email", "tests@example.invalid")
    project.run("git", "config", "user.name", "tests")
    project.dvc("cache", "dir", "--local", str(cache.folder / ".dvc/cache"))
    project.dvc("checkout")
    return project


@pytest.mark.slow
def test_experiments_go_to_a_colleague(pushed: Project, bare: str, tmp_path: Path) -> None:
    mine = clone_of(bare, tmp_path / "mine", pushed)
    mine.dvc("exp", "run", "--temp", "-S", "power.alpha=0.06", "-n", "wider", "power")
    assert mine.run("git", "status", "--porcelain").stdout == ""
    mine.dvc("exp", "push", "origin", "wider")
    other = Project(tmp_path / "other")
    pushed.run("git", "clone", "--quiet", bare, str(other.folder))
    other.dvc("pull")
    assert "wider" in other.dvc("exp", "list", "--all", "origin").stdout
    other.dvc("exp", "pull", "origin", "wider")
    other.dvc("exp", "apply", "wider")
    assert "alpha: 0.06" in (other.folder / "params.yaml").read_text(encoding="utf-8")
    assert CLEAN in other.dvc("status", "power").stdout
    other.run("git", "restore", ".")
    other.dvc("checkout")
    assert CLEAN in other.dvc("status").stdout
    other.dvc("exp", "branch", "wider", "wider")
    assert "alpha: 0.06" in other.run("git", "show", "wider:params.yaml").stdout


@pytest.mark.slow
def test_without_an_identity_nothing_runs_and_nothing_changes(pushed: Project, bare: str, tmp_path: Path) -> None:
    project = clone_of(bare, tmp_path / "nobody", pushed)
    for name in ("user.name", "user.email"):
        project.run("git", "config", "--unset", name)
    project.set_params(**{"power.alpha": 0.06})
    changed = (project.folder / "params.yaml").read_text(encoding="utf-8")
    for command in (("run", "power"), ("run", "--temp", "power"), ("save",)):
        done = project.run("dvc", "exp", *command, check=False, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
        assert "Git user name and email must be configured" in done.stderr
        assert "Running stage" not in done.stdout
    assert project.run("git", "status", "--porcelain").stdout == " M params.yaml\n"
    assert (project.folder / "params.yaml").read_text(encoding="utf-8") == changed


@pytest.mark.slow
def test_experiments_wait_in_a_queue(pushed: Project, bare: str, tmp_path: Path) -> None:
    mine = clone_of(bare, tmp_path / "mine", pushed)
    mine.dvc("exp", "run", "--queue", "-S", "power.alpha=0.04", "-n", "narrower", "power")
    mine.dvc("queue", "start")
    for _ in range(120):
        states = mine.dvc("queue", "status").stdout
        if "Success" in states or "Failed" in states:
            break
        time.sleep(5)
    assert "Success" in states
    assert "narrower" in mine.dvc("exp", "list").stdout
    assert mine.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_experiments_of_a_shallow_clone_need_its_history(pushed: Project, bare: str, tmp_path: Path) -> None:
    """As the manual says, which is to change where DVC does."""
    run = ("exp", "run", "--temp", "-S", "power.alpha=0.06", "-n", "wider", "power")
    shallow = clone_of(bare, tmp_path / "shallow", pushed, "--depth", "1")
    shallow.dvc(*run, check=False)
    assert "wider" not in shallow.dvc("exp", "list").stdout
    shallow.run("git", "fetch", "--quiet", "--unshallow")
    shallow.dvc(*run)
    shallow.dvc("exp", "push", "origin", "wider")
    broken = clone_of(bare, tmp_path / "broken", pushed, "--depth", "1")
    broken.dvc("exp", "pull", "origin", "wider")
    assert "Could not read" in broken.run("git", "log", check=False).stderr
    broken.run("git", "fetch", "--quiet", "--refetch", "origin")
    broken.run("git", "log")
    broken.dvc("exp", "branch", "wider", "wider")


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
