import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


SCRIPT = """
import errno, logging, warnings
from bycase.core.command import run_stage
from bycase.core.errors import UserError
def main():
    BODY
run_stage("toy", main)
"""


def run_main(body: str) -> subprocess.CompletedProcess[str]:
    """Run ``run_stage("toy", main)`` in a process of its own, `body` being main's body."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("BODY", body)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_success_exits_with_0_and_logs_to_standard_error() -> None:
    ended = run_main('logging.info("done with %d", 3)')
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "toy: done with 3\n")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('raise UserError("no images in data; add some")', "toy: error: no images in data; add some\n"),
        (r'raise UserError("not YAML:\n  line 2,\n\tcolumn 1")', "toy: error: not YAML: line 2, column 1\n"),
        (
            'raise OSError(errno.ENOSPC, "No space left on device", "data/a.png")',
            "toy: error: data/a.png: No space left on device; free or unlock it and run again\n",
        ),
        (
            'raise OSError(errno.ENOSPC, "No space left on device")',
            "toy: error: while reading or writing: No space left on device; free or unlock it and run again\n",
        ),
        (
            'raise PermissionError(errno.EACCES, "Permission denied", "data")',
            "toy: error: data: Permission denied; free or unlock it and run again\n",
        ),
        ("raise MemoryError", "toy: error: memory ran out; what was finished is kept: free memory and run again\n"),
        ("raise KeyboardInterrupt", "toy: interrupted; run again to continue\n"),
    ],
)
def test_users_mistake_or_full_disk_is_one_line_without_traceback(body: str, line: str) -> None:
    ended = run_main(body)
    assert (ended.returncode, ended.stderr) == (1, line)


def test_a_reader_that_stops_early_ends_it_without_a_word() -> None:
    script = f"{sys.executable} -c '{SCRIPT}' | head -n 1"
    body = "for i in range(100_000): print(i)"
    ended = subprocess.run(
        ["bash", "-c", script.replace("BODY", body)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("body", "last"),
    [
        ('raise ValueError("a defect")', "ValueError: a defect"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ('raise OSError("no number, no file")', "OSError: no number, no file"),
    ],
)
def test_defect_keeps_its_traceback(body: str, last: str) -> None:
    ended = run_main(body)
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr
    assert ended.stderr.splitlines()[-1] == last
