"""The classifier of a revision of a small Git and DVC repository."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo

from bycase.apps.classifier.revision import find_classifier
from bycase.core.errors import UserError

Bundle = Callable[[int], Path]


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, bundled: Bundle, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tags: `before`, without a classifier; `two` and, which is checked out, `three`, by their numbers of classes."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.email", "tests@example.invalid")
    git("config", "user.name", "tests")
    with Repo.init() as repo:
        git("commit", "--quiet", "--message", "before")
        git("tag", "before")
        Path("models").mkdir()
        for number, tag in ((2, "two"), (3, "three")):
            shutil.copy(bundled(number) / "models/classifier.keras", "models")
            repo.add("models/classifier.keras")
            git("add", ".")
            git("commit", "--quiet", "--message", tag)
            git("tag", tag)
    return tmp_path


def test_revisions_paths_and_mistakes(repository: Path, bundled: Bundle) -> None:
    with find_classifier("two") as path:
        assert path.read_bytes() == (bundled(2) / "models/classifier.keras").read_bytes()
    assert not path.exists()
    with find_classifier("models/classifier.keras") as path:
        assert path.read_bytes() == (bundled(3) / "models/classifier.keras").read_bytes()
    for name, message in (("before", "it has none: run 'dvc repro'"), ("nowhere", "nor a Git revision")):
        with pytest.raises(UserError, match=message), find_classifier(name):
            pass
    shutil.rmtree(".dvc/cache")
    with pytest.raises(UserError, match="not in DVC's cache"), find_classifier("two"):
        pass


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no DVC project"), find_classifier("main"):
        pass
