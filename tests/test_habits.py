"""What a newcomer reads and what machines run besides the pipeline: it names versions and commands that exist."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from bycase.cli import COMMANDS
from tests.conftest import REPOSITORY

DOCUMENTS = ("CONTRIBUTING.md", "SECURITY.md")
CODE = re.compile(r"`([^`\n]+)`|^ {4}(\S.*)$", re.MULTILINE)
FILE = re.compile(r"\.?[a-z][\w-]*(/[\w.-]+)*(/|\.(py|md|in|txt|yaml))|\.ci/\w+")


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def load(name: str) -> Any:
    return yaml.safe_load(read(name))


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return content


def pinned(package: str) -> str:
    match = re.search(rf"^{package}==(\S+)$", read("requirements-dev.txt"), re.MULTILINE)
    assert match, package
    return match[1]


def code(text: str) -> list[str]:
    """Code in backticks, and lines that four spaces make code."""
    return [inline or block for inline, block in CODE.findall(text)]


def strange_commands(text: str) -> list[str]:
    """Commands in a text that are neither a target of the Makefile nor a command of bycase."""
    targets = set(re.findall(r"^([\w.$()/-]+):", read("Makefile").replace("$(VENV)", ".venv"), re.MULTILINE))
    strange = []
    for line in code(text):
        for words in (part.split("#")[0].split() for part in line.split("&&")):
            if words[:1] == ["make"]:
                named = [word for word in words[1:] if "=" not in word]
                strange += [f"make {name}" for name in named if name not in targets]
            elif words[:1] == ["bycase"]:
                strange += [f"bycase {name}" for name in words[1:2] if name not in COMMANDS]
    return strange


def absent_files(text: str) -> list[str]:
    """Files and folders named in a text that are not there."""
    words = [word for line in code(text) for word in line.split()]
    return [word for word in words if FILE.fullmatch(word) and not (REPOSITORY / word).exists()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_commands_and_files_that_exist(document: str) -> None:
    text = read(document)
    assert "`make " in text
    assert strange_commands(text) == []
    assert absent_files(text) == []


def test_a_wrong_command_or_file_is_found() -> None:
    text = "Run `make tset PYTHON=python3` or\n\n    bycase comprae a && make lint\n\nsee `bycase/cores.py`, `tests/`."
    assert strange_commands(text) == ["make tset", "bycase comprae", "make lint"]
    assert absent_files(text) == ["bycase/cores.py"]


def test_hooks_run_the_pinned_versions() -> None:
    hooks = {hook["id"]: (repo, hook) for repo in load(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]}
    for name in ("ruff-check", "ruff-format"):
        assert hooks[name][0]["rev"] == f"v{pinned('ruff')}"
    repo, hook = hooks["mypy"]
    # Of the environment that requirements-dev.txt made, hence of its version.
    assert (repo["repo"], hook["language"], hook["entry"]) == ("local", "system", ".venv/bin/mypy")
    assert pinned("mypy")


def test_citation_and_package_agree() -> None:
    citation = load("CITATION.cff")
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"]["text"]
    assert citation["title"] == f"{project()['name']}: {project()['description'].lower()}"


def test_machines_use_pythons_that_the_package_allows() -> None:
    allowed = SpecifierSet(project()["requires-python"])
    jobs = [job for path in (REPOSITORY / ".github/workflows").iterdir() for job in load(str(path))["jobs"].values()]
    chosen = [version for job in jobs for version in job.get("strategy", {}).get("matrix", {}).get("python", [])]
    steps = [step.get("with", {}).get("python-version", "") for job in jobs for step in job["steps"]]
    chosen += [version for version in steps if version and not version.startswith("${{")]
    chosen += re.findall(r"^ARG PYTHON=(\S+)$", read("Dockerfile"), re.MULTILINE)
    assert len(chosen) > 2
    assert [version for version in chosen if f"{version}.99" not in allowed] == []


LOOK = """
from browsing import NEEDS_BROWSER, headless

@NEEDS_BROWSER
def test_look(tmp_path):
    with headless(tmp_path):
        pass
"""


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "1 skipped"), ("required", "1 failed")], ids=["elsewhere", "in CI"]
)
def test_without_a_browser_ci_fails_and_others_skip(tmp_path: Path, required: str, outcome: str) -> None:
    (tmp_path / "test_look.py").write_text(LOOK, encoding="utf-8")
    fixtures = str(REPOSITORY / "tests/fixtures")
    nowhere = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": fixtures, "BYCASE_BROWSER": required}
    nowhere["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-rs", "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=nowhere, capture_output=True, text=True, timeout=120, check=False)
    assert outcome in done.stdout
    assert "apt install chromium chromium-driver" in done.stdout


def test_a_file_of_tests_goes_to_one_worker(request: pytest.FixtureRequest) -> None:
    # pytest-xdist writes the group into the name; without it each worker makes every costly fixture again.
    assert "PYTEST_XDIST_WORKER" not in os.environ or request.node.nodeid.endswith("@tests/test_habits.py")
