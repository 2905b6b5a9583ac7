import sys
import threading
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.studies.benchmark import jobs

# Writes down what it is asked, lists five stages, and fails at those that the file `failing` names.
DVC = """
import sys, time
from pathlib import Path
if sys.argv[1:3] == ["stage", "list"]:
    names = "folds", "embed@a-0", "shift@a-40-0", "cell@a-0-0", "cell@b-0-0", "gather"
    print(*(f"benchmark/dvc.yaml:{name}" for name in names), sep="\\n")
    sys.exit()
with open("calls.txt", "a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
failing = Path("failing").read_text().split() if Path("failing").exists() else []
if any(sys.argv[-1].endswith(name) for name in failing):
    sys.exit("this cell is broken")
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What DVC was asked to do; a script stands for DVC."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.py").write_text(DVC, encoding="utf-8")
    monkeypatch.setattr("bycase.studies.pipelines.dvc_command", lambda: (sys.executable, "dvc.py"))
    return lambda: Path("calls.txt").read_text(encoding="utf-8").splitlines()


def test_shared_stages_first_then_cells_then_the_rest(calls) -> None:
    Path("benchmark").mkdir()
    Path("benchmark/.dvcignore").write_text("/dvc.yaml\n", encoding="utf-8")
    jobs.run_here(2, Path("logs"))
    assert not Path("benchmark/.dvcignore").exists()
    first, *cells, last = calls()
    assert first == "repro benchmark/dvc.yaml:folds benchmark/dvc.yaml:embed"
    one = "--wait-for-lock repro --single-item benchmark/dvc.yaml"
    assert sorted(cells) == [f"{one}:{name}" for name in ("cell@a-0-0", "cell@b-0-0", "shift@a-40-0")]
    assert last == "repro benchmark/dvc.yaml"


def test_a_failing_cell_stops_no_other_and_is_named(calls) -> None:
    Path("failing").write_text("cell@a-0-0")
    with pytest.raises(UserError, match=r"1 of 3 cells failed \(cell@a-0-0\)"):
        jobs.run_here(1, Path("logs"))
    assert calls()[-1] == "--wait-for-lock repro --single-item benchmark/dvc.yaml:shift@a-40-0"
    assert "this cell is broken" in Path("logs/cell@a-0-0.log").read_text()


def test_without_folds_no_cell_begins(calls) -> None:
    Path("failing").write_text("embed")
    with pytest.raises(UserError, match="folds and embed did not finish"):
        jobs.run_here(1, Path("logs"))
    assert len(calls()) == 1


def test_no_more_cells_at_a_time_than_asked_for(calls, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock, both = [0], [0], threading.Lock(), threading.Barrier(2, timeout=10)

    def run_stage(stage: str, logs: Path, threads: int) -> str:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait()
        with lock:
            running[0] -= 1
        return ""

    monkeypatch.setattr(jobs, "run_stage", run_stage)
    monkeypatch.setattr(jobs, "list_stages", lambda: [f"cell@{number}" for number in range(6)])
    jobs.run_here(2, Path("logs"))
    assert most[0] == 2
