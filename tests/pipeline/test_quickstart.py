"""The notebook for Colab and Kaggle, as its readers run it."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.fixtures.notebook import execute
from tests.pipeline.conftest import ROOT, Project

NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"


def code(name: str) -> str:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    return str(next(cell.source for cell in cells if cell.id == name))


def run_cells(folder: Path, *sources: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "\n".join(sources)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_it_is_valid_and_holds_no_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 5
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_outside_a_clone_it_clones_and_a_missing_address_is_told(tmp_path: Path) -> None:
    done = run_cells(tmp_path, code("clone"))
    assert done.returncode != 0
    assert done.stderr == "This notebook lies in no clone: set ADDRESS, in this cell, to the repository's address\n"
    origin = tmp_path / "origin"
    (origin / "bycase").mkdir(parents=True)
    (origin / "bycase" / "cli.py").touch()
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.invalid"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "state"]):
        subprocess.run(["git", *words], cwd=origin, check=True)
    (tmp_path / "elsewhere").mkdir()
    done = run_cells(tmp_path / "elsewhere", code("clone").replace('ADDRESS = ""', f"ADDRESS = {str(origin)!r}"))
    assert done.stdout.splitlines() == [str(tmp_path / "elsewhere" / "bycase")], done.stderr
    assert (tmp_path / "elsewhere" / "bycase" / "bycase" / "cli.py").is_file()


def test_it_installs_with_its_own_python_into_an_environment_apart(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(".venv/.installed:\n\t@echo $(PYTHON) > made\n", encoding="utf-8")
    start = "import os, subprocess, sys\nfrom pathlib import Path\nimport importlib.util\n"
    start += "importlib.util.find_spec = lambda name: None if name == 'bycase' else object()"
    done = run_cells(tmp_path, start, code("install"), "print(os.environ['PATH'].split(os.pathsep)[0])")
    assert done.stdout.splitlines() == ["installed in .venv", str(tmp_path / ".venv" / "bin")], done.stderr
    assert (tmp_path / "made").read_text(encoding="utf-8").strip() == sys.executable
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "$(VENV)/.installed:" in makefile


@pytest.mark.slow
def test_it_runs_on_the_phantom_and_shows_table_and_report(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(fresh.folder))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    shown = execute(fresh.folder / "docs" / "quickstart.ipynb", fresh.folder / "docs", monkeypatch)
    assert shown["clone"] == f"{fresh.folder}\n"
    assert shown["install"] == "installed already, for this notebook's Python\n"
    assert "Running stage 'train'" in shown["run-phantom"]
    assert "phantom data (generated images)" in shown["table"]
    assert "patient level" in shown["table"]
    assert shown["report"].startswith("<div><iframe srcdoc=")
    assert "PHANTOM: generated images." in shown["report"]
    assert shown["run-own"] == "IMAGES is empty: the results above are those of the phantom\n"
