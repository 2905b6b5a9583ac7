"""`bycase`: the list of commands, how fast each says what it does, and the package that brings it."""

import os
import resource
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from bycase import cli
from bycase.core.packages import EXTRAS
from tests.conftest import REPOSITORY

HEAVY = {"dvc", "keras", "matplotlib", "nicegui", "optuna", "pandas", "ray", "sklearn", "tensorflow"}
SECONDS = 1.0  # of the processor, since other tests run at the same time


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``main`` as `code` says, in a process of its own that is anywhere."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom bycase.cli import main\n{code}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--help"])
    page = capsys.readouterr().out
    cli.main([])
    assert capsys.readouterr().out == page
    assert [line.split()[0] for line in page.splitlines() if line.startswith("  ")] == list(cli.COMMANDS)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_is_quick_and_loads_nothing_heavy(command: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = f"print(*({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    ended = run(f"try: main([{command!r}, '--help'])\nfinally: {loaded}", tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (ended.returncode, ended.stderr.strip()) == (0, "")
    assert ended.stdout.startswith(f"usage: bycase {command}")
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < SECONDS


def test_an_unknown_command_names_those_there_are(tmp_path: Path) -> None:
    ended = run("main(['prdict'])", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == f"bycase: error: no command prdict; there are {', '.join(cli.COMMANDS)}\n"


MISSING = [("serve", "nicegui"), ("serve", "fastapi"), ("tune methods", "ray")]


@pytest.mark.parametrize(("command", "package"), MISSING)
def test_a_missing_extra_is_one_line(command: str, package: str, tmp_path: Path) -> None:
    """The package is hidden, as where the extra was not installed."""
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "tuning", tmp_path / "tuning")
    ended = run(f"sys.modules[{package!r}] = None\nmain({command.split()!r})", tmp_path)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    way_out = f"make extras (or pip install -r requirements-{EXTRAS[package]}.txt)"
    assert f"needs the package {package}, which is not installed: {way_out}" in ended.stderr


def test_the_console_script_is_this_command() -> None:
    scripts = [script for script in entry_points(group="console_scripts") if script.name == "bycase"]
    if not scripts:
        pytest.skip("bycase is not installed: pip install --no-deps -e .")
    assert scripts[0].value == "bycase.cli:main"
