"""Rows written as they come: CSV, a JSON array, or JSON lines; the file is whole or absent."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TextIO

from bycase.core.errors import UserError
from bycase.core.files import replace_file

Rows = list[dict[str, Any]]
WriteRows = Callable[[Rows], None]
SUFFIXES = (".csv", ".json", ".jsonl")


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done.

    Raises
    ------
    UserError
        If its suffix is none of `SUFFIXES`, or it is a folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {path}: the suffix must be {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if path.is_dir():
        raise UserError(f"--out {path} is a folder; name a file")


@contextmanager
def open_output(path: Path | None) -> Iterator[WriteRows]:
    """Give a function that writes rows; `path` appears when the block ends without an exception.

    Parameters
    ----------
    path : Path or None
        Its suffix is the format; None: CSV, into standard output.
    """
    if path is None:
        yield _write_csv(sys.stdout)
        sys.stdout.flush()
        return
    with replace_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        suffix = path.suffix.lower()
        if suffix == ".csv":
            yield _write_csv(file)
        elif suffix == ".jsonl":
            yield lambda rows: file.writelines(f"{_as_json(row)}\n" for row in rows)
        else:
            file.write("[\n")
            separators = chain([""], repeat(",\n"))
            yield lambda rows: file.writelines(next(separators) + _as_json(row) for row in rows)
            file.write("\n]\n")


def _write_csv(file: TextIO) -> WriteRows:
    writer: csv.DictWriter[str] | None = None

    def write(rows: Rows) -> None:
        nonlocal writer
        if writer is None and rows:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
        if writer is not None:
            writer.writerows(rows)

    return write


def _as_json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False)
