"""Writing that is either whole or absent: a temporary name beside the target, then a rename."""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends without an exception.

    The temporary name keeps the suffix of `path`, since libraries choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_partial_prefix(path), suffix="".join(path.suffixes))
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Give an empty temporary folder that becomes `path` when the block ends without an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=_partial_prefix(path)))
    try:
        yield partial
        partial.chmod(0o755)
        _swap(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _swap(partial: Path, path: Path) -> None:
    """Rename `partial` to `path`; what was there goes, whole until then, also if another process does the same."""
    old = Path(f"{partial}-old")
    while True:
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            partial.rename(path)
        except OSError as error:
            # Another process has put its own folder there in between.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                with suppress(FileNotFoundError):
                    old.rename(path)
                raise
        else:
            shutil.rmtree(old, ignore_errors=True)
            return
        shutil.rmtree(old, ignore_errors=True)


def _partial_prefix(path: Path) -> str:
    return f".partial-{path.name}-{os.getpid()}-"


def _remove_abandoned(path: Path) -> None:
    """Remove what processes that were killed have left of `path`; those still running keep theirs."""
    named = re.compile(rf"\.partial-{re.escape(path.name)}-(\d+)-")
    for partial in path.parent.iterdir():
        if (match := named.match(partial.name)) and not _is_running(int(match[1])):
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                partial.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON; keys keep their order, NaN is refused."""
    with replace_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_csv(path: Path, frame: "pd.DataFrame") -> None:
    """Write a frame without its index, numbers with all their digits, lines ending in LF."""
    with replace_file(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
