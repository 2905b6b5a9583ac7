"""The pure parts, and one task on this machine, without Ray."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bycase.core.errors import UserError
from bycase.studies.benchmark.command import main
from bycase.studies.benchmark.on_ray import GUARD, Resources, find_embedding, run_on_ray, run_task

NODE = {"CPU": 8.0, "memory": 32e9, "GPU": 1.0, "node:127.0.0.1": 1.0}


@pytest.mark.parametrize(
    ("resources", "fit"),
    [
        (Resources(), True),
        (Resources(cores=8, memory=32, gpus=1), True),
        (Resources(gpus=0.25), True),
        (Resources(cores=9), False),
        (Resources(memory=33), False),
        (Resources(gpus=2), False),
    ],
)
def test_one_node_must_have_all_of_it(resources: Resources, fit: bool) -> None:
    assert resources.fit([NODE, {"memory": 64e9}]) == fit
    assert not resources.fit([])


def test_no_node_has_what_two_have_together() -> None:
    assert not Resources(cores=8, gpus=1).fit([{"CPU": 8.0}, {"CPU": 4.0, "GPU": 1.0}])


def test_cells_wait_for_their_features() -> None:
    assert find_embedding("cell@resnet50v2-1-3") == "embed@resnet50v2-1"
    assert find_embedding("cell@efficientnetlite-logistic-0-3") == "embed@efficientnetlite-logistic-0"
    assert find_embedding("shift@resnet50v2-200-3") == "embed@resnet50v2-0"
    assert find_embedding("embed@resnet50v2-1") is None


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Runs a stage in another folder than the current one; a script stands for DVC."""
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for path in (folder / "logs", elsewhere):
        path.mkdir(parents=True)
    (folder / "mark").touch()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr("bycase.studies.pipelines.dvc_command", lambda: (sys.executable, "dvc.py"))

    def run(script: str, mark: str = "mark", needed: str | None = None) -> str:
        (folder / "dvc.py").write_text(script, encoding="utf-8")
        return run_task(folder, folder / mark, "cell@a-0-0", Path("logs"), Resources(cores=3), needed)

    return run


def test_a_task_runs_in_the_project_with_its_cores_and_without_gpus(project, tmp_path: Path) -> None:
    script = "import os; print(os.getcwd(), os.environ['OMP_NUM_THREADS'], repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    assert project(script) == ""
    folder = tmp_path / "project"
    assert (folder / "logs/cell@a-0-0.log").read_text() == f"{folder} 3 ''\n"


def test_why_a_task_failed(project) -> None:
    assert project("raise SystemExit('a broken cell')") == "see logs/cell@a-0-0.log"
    assert Path("logs/cell@a-0-0.log").read_text() == "a broken cell\n"
    assert project("", needed="see logs/embed@a-0.log") == "its features are missing"
    with pytest.raises(UserError, match=r"node .*project is not there, or not the folder of this run: .*all nodes"):
        project("", mark="of another run")


def test_all_processes_of_a_stage_end_with_who_started_it(tmp_path: Path) -> None:
    """Those too that it has started itself."""
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    process = subprocess.Popen(
        ["sh", "-c", GUARD, "sh", sys.executable, "-c", outer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    stage = psutil.Process(int(process.stdout.readline()))
    process.stdin.close()  # as the system does when a process is killed
    assert process.wait(30) < 0
    end = time.monotonic() + 30
    while stage.is_running() and stage.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("run --cores 2", "--cores goes with --ray"),
        ("run --ray local --jobs 2", "--jobs is for this machine alone"),
        ("run --ray local --cores 0", "at least one"),
        ("run --ray local --memory -1", "more than 0"),
        ("run --ray local --memory nan", "more than 0"),
        ("run --ray local --gpus 1.5", "a share up to 1, or whole GPUs"),
    ],
)
def test_options_that_cannot_be(options: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(options.split())
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://head:10001", "local"])
def test_without_a_cluster_or_ray_nothing_begins(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    words = (
        "no cluster answers there|give host:port|needs the package ray, .*requirements-tune.txt.*; or leave --ray out"
    )
    with pytest.raises(UserError, match=words):
        run_on_ray(address, Resources(), Path("logs"))
    assert list(tmp_path.iterdir()) == []
