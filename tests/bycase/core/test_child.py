"""A child process, whatever ends it."""

import importlib
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from bycase.core.child import in_child
from bycase.core.errors import UserError
from tests.conftest import REPOSITORY

FIXTURES = REPOSITORY / "tests/fixtures"


@pytest.fixture(autouse=True)
def works(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`tests/fixtures/child_work.py`, by a name under which the child finds it."""
    monkeypatch.syspath_prepend(FIXTURES)
    return importlib.import_module("child_work")


def test_items_and_log_lines_come_in_order(works: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert list(in_child("lost", works.squares, 4)) == [0, 1, 4, 9]
    assert "4 squares" in caplog.messages
    assert list(in_child("lost", works.nothing)) == []


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("exit", UserError, "^all is lost$"),
        ("kill", UserError, "ended by SIGKILL; free some memory"),
        ("mistake", UserError, "^no such file"),
        ("defect", ValueError, "^a defect"),
        ("odd", RuntimeError, "^OddError: words"),
    ],
)
def test_what_ends_the_child_is_told_after_its_items(works: Any, how: str, kind: type[Exception], words: str) -> None:
    items = in_child("all is lost", works.ends, how)
    assert next(items) == 1
    with pytest.raises(kind, match=words):
        next(items)


def test_a_child_whose_items_nobody_wants_tidies_up(works: Any, tmp_path: Path) -> None:
    items = in_child("lost", works.tidy, tmp_path / "said")
    child = psutil.Process(next(items))
    items.close()  # type: ignore[attr-defined]
    assert (tmp_path / "said").read_text() == "tidied up"
    assert not child.is_running()


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from bycase.core.child import in_child; from child_work import tidy; "
        f"[print(pid, flush=True) for pid in in_child('', tidy, Path({str(tmp_path / 'said')!r}))]"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=FIXTURES, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    child.wait(30)
