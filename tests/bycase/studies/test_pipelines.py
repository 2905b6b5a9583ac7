"""What DVC says of results that settings, data or code have left behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from bycase.core.errors import UserError
from bycase.studies.pipelines import refuse_stale

COPY = "import pathlib; pathlib.Path('b').write_bytes(pathlib.Path('a').read_bytes())"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of one stage below one of its own folder, both run."""
    folder = tmp_path_factory.mktemp("project")
    stage = {"cmd": f'python -c "{COPY}"', "deps": ["a"], "params": ["rate"], "outs": ["b"]}
    second = {"cmd": "cd ..; cp b benchmark/c", "wdir": ".", "deps": ["../b"], "outs": ["c"]}
    (folder / "benchmark").mkdir()
    for name, stages in (("dvc.yaml", {"first": stage}), ("benchmark/dvc.yaml", {"second": second})):
        (folder / name).write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    (folder / "params.yaml").write_text("rate: 1\nother: 1\n", encoding="utf-8")
    (folder / "a").write_text("data", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with Repo.init(no_scm=True) as repo:
            repo.reproduce(all_pipelines=True)
    return folder


@pytest.fixture(autouse=True)
def inside(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(finished)
    return finished


def test_results_of_things_as_they_are_pass(inside: Path) -> None:
    (inside / "params.yaml").write_text("rate: 1\nother: 2\n", encoding="utf-8")
    refuse_stale("dvc.yaml", "dvc repro")
    refuse_stale("benchmark/dvc.yaml", "bycase benchmark run")


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "back", "says"),
    [
        (write("params.yaml", "rate: 2\n"), write("params.yaml", "rate: 1\n"), "params.yaml: rate"),
        (write("a", "other data"), write("a", "data"), "a: modified"),
        (lambda folder: (folder / "b").unlink(), write("b", "data"), "b: deleted"),
    ],
)
def test_results_of_something_else_are_refused_with_what_has_changed(
    inside: Path, change: Callable[[Path], object], back: Callable[[Path], object], says: str
) -> None:
    change(inside)
    try:
        for pipeline in ("dvc.yaml", "benchmark/dvc.yaml"):
            with pytest.raises(UserError) as refused:
                refuse_stale(pipeline, "dvc repro")
            assert f"{pipeline}: stage " in str(refused.value)
            assert says in str(refused.value)
            assert "run 'dvc repro' first, or set it back" in str(refused.value)
    finally:
        back(inside)


def test_outside_of_a_project_it_cannot_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"dvc.yaml: whether its results are up to date cannot be said: you are not"):
        refuse_stale("dvc.yaml", "dvc repro")
