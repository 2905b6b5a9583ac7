import sys
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.studies.tune.run import run_tuning

DVC = """
import sys
from pathlib import Path
Path("call").write_text(" ".join(sys.argv[1:]))
sys.exit("broken" in sys.argv[-1])
"""


@pytest.fixture(autouse=True)
def dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that stands for DVC, in a project whose searches nobody has run."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.py").write_text(DVC, encoding="utf-8")
    Path("tuning").mkdir()
    Path("tuning/.dvcignore").write_text("/dvc.yaml\n", encoding="utf-8")
    monkeypatch.setattr("bycase.studies.pipelines.dvc_command", lambda: (sys.executable, "dvc.py"))


@pytest.mark.parametrize(
    ("stages", "call"),
    [([], "repro tuning/dvc.yaml"), (["folds", "embed"], "repro tuning/dvc.yaml:folds tuning/dvc.yaml:embed")],
)
def test_dvc_sees_the_pipeline_and_runs_it(stages: list[str], call: str) -> None:
    run_tuning(stages)
    assert Path("call").read_text(encoding="utf-8") == call
    assert not Path("tuning/.dvcignore").exists()


def test_a_stage_that_fails_is_an_error() -> None:
    with pytest.raises(UserError, match="did not finish"):
        run_tuning(["broken"])
