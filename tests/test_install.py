"""Which Python and packages `make` installs, and that the container takes the same steps."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
BASE = str(getattr(sys, "_base_executable", sys.executable))


def run(folder: Path, *command: str, seconds: int = 120, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user does, who is not inside `make`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    for name in ("GPU", "UV", "VIRTUAL_ENV"):
        clean.pop(name, None)
    return subprocess.run(
        command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=seconds, check=False
    )


def write_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with the scripts alone, and a stand-in for uv, which makes environments faster than pip's."""
    shutil.copytree(REPOSITORY / ".ci", tmp_path / "project" / ".ci")
    write_script(tmp_path / "uv", 'exec "$5" -m venv --without-pip "$6"')
    return tmp_path / "project"


def choose(tmp_path: Path, *wanted: str) -> "subprocess.CompletedProcess[str]":
    bare = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path / "pyenv")}
    return run(tmp_path, "bash", str(REPOSITORY / ".ci/python"), *wanted, **bare)


def test_a_python_that_does_not_run_is_not_chosen(tmp_path: Path) -> None:
    for minor in (11, 12, 13):
        write_script(tmp_path / "bin" / f"python3.{minor}", "exit 127")
    write_script(tmp_path / "pyenv" / "versions" / f"{HERE}.0" / "bin" / "python", f'exec {BASE} "$@"')
    assert choose(tmp_path, HERE).stdout.strip() == BASE


def test_a_python_that_is_too_old_or_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    for wanted in ("/nowhere/python3", "python2.7"):
        done = choose(tmp_path, wanted)
        assert done.returncode == 1
        assert done.stderr.startswith(f"{wanted}: no Python 3.11.4 to 3.13")
        assert done.stderr.count("\n") == 1


def make_venv(folder: Path, python: str = BASE, gpu: str = "") -> "subprocess.CompletedProcess[str]":
    return run(folder, ".ci/venv", ".venv", python, gpu, str(folder.parent / "uv"))


def test_an_environment_is_kept_until_another_is_asked_for(scripts: Path) -> None:
    assert make_venv(scripts).stdout.startswith("making .venv with Python")
    assert make_venv(scripts).stdout == ""
    assert make_venv(scripts, str(scripts / ".venv/bin/python")).stdout == ""
    assert make_venv(scripts, "").stdout == ""
    (scripts / ".venv/.installed-cuda").touch()
    assert make_venv(scripts).stdout == ""
    assert "making .venv" in make_venv(scripts, str(scripts / ".venv/bin/python"), "0").stdout
    assert not (scripts / ".venv/.installed-cuda").exists()


def test_a_moved_project_gets_an_environment_of_its_own(scripts: Path) -> None:
    make_venv(scripts)
    moved = scripts.rename(scripts.parent / "moved")
    assert "making .venv" in make_venv(moved).stdout


def test_a_folder_that_is_no_environment_is_left_alone(scripts: Path) -> None:
    (scripts / ".venv").mkdir()
    (scripts / ".venv/mine.txt").touch()
    done = make_venv(scripts)
    assert done.returncode == 1
    assert done.stderr == ".venv is no virtual environment: move it away\n"
    assert (scripts / ".venv/mine.txt").exists()


def planned(tmp_path: Path, *words: str) -> str:
    """What `make` would run in a fresh checkout."""
    for path in (REPOSITORY / "Makefile", REPOSITORY / "pyproject.toml", *REPOSITORY.glob("requirements*.txt")):
        shutil.copy(path, tmp_path)
    done = run(tmp_path, "make", "--no-print-directory", "-n", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_installs_what_a_target_needs_and_no_more(tmp_path: Path) -> None:
    pattern = re.compile(r"-r (requirements\S*)")
    assert pattern.findall(planned(tmp_path, "repro", "UV=")) == ["requirements.txt"]
    assert pattern.findall(planned(tmp_path, "repro", "UV=", "GPU=1")) == ["requirements.txt", "requirements-cuda.txt"]
    assert pattern.findall(planned(tmp_path, "serve", "UV=")) == ["requirements.txt", "requirements-serve.txt"]
    everything = {path.name for path in REPOSITORY.glob("requirements*.txt")} - {"requirements-cuda.txt"}
    assert set(pattern.findall(planned(tmp_path, "test", "UV="))) == everything


def test_make_uses_uv_where_it_is(tmp_path: Path) -> None:
    assert '"/opt/uv" pip install' in planned(tmp_path, "repro", "UV=/opt/uv")
    assert "-m pip install" not in planned(tmp_path, "repro", "UV=/opt/uv")
    assert "-m pip install" in planned(tmp_path, "repro", "UV=")


def docker_steps() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile's last stage, in order, with what they are given."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("\\\n", " ").rpartition("\nFROM ")[2]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines()[1:] if line)]


def test_the_container_copies_files_that_are_there_before_it_uses_them() -> None:
    steps = docker_steps()
    assert {name for name, _ in steps} <= {"ARG", "WORKDIR", "ENV", "COPY", "RUN", "CMD"}
    copied: list[str] = []
    for name, rest in steps:
        if name == "COPY":
            sources = [word for word in rest.split()[:-1] if not word.startswith("--")]
            assert all(source == "." or list(REPOSITORY.glob(source)) for source in sources)
            copied += sources
        for lock in re.findall(r"requirements[\w-]*\.txt|\.ci/\w+", rest) if name == "RUN" else []:
            assert (REPOSITORY / lock).is_file()
            assert "requirements*.txt" in copied
            assert ".ci" in copied


@pytest.mark.slow
def test_the_containers_steps_leave_an_environment_that_make_takes_as_it_is(tmp_path: Path) -> None:
    """The steps are run in a folder of the tests', without Docker."""
    path = f"{tmp_path / '.venv/bin'}:{os.environ['PATH']}"
    for name, rest in docker_steps():
        if name == "COPY":
            words = [word for word in rest.split() if not word.startswith("--")]
            for source in words[:-1]:
                files = subprocess.run(
                    ["git", "ls-files", "-co", "--exclude-standard", source],
                    cwd=REPOSITORY,
                    capture_output=True,
                    text=True,
                ).stdout.split("\n")
                for file in filter(None, files):
                    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(REPOSITORY / file, tmp_path / file)
        elif name == "RUN":
            done = run(tmp_path, "bash", "-ec", rest, seconds=1800, PATH=path, PYTHON=HERE, CUDA="0")
            assert done.returncode == 0, done.stderr
    done = run(tmp_path, "make", "--no-print-directory", "ready", PATH=path, PYTHON=HERE)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    done = run(tmp_path, "bycase", "--help", PATH=path)
    assert done.returncode == 0, done.stderr
