"""Tables of predictions as other programs write them: CSV, TSV, Parquet, JSON lines; every cell as text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError, one_line

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (*DELIMITERS, ".parquet", ".jsonl", ".ndjson")
UNKNOWN = ("", "nan", "na", "n/a", "none", "null", "<na>")  # cells without a value, in small letters


def read_file(path: Path) -> pd.DataFrame:
    """Read a table of predictions.

    Numbers keep all their digits: a float is written as Python does, which reads back as the same float. A list in a
    cell, such as ``logits``, becomes the columns ``logits_0``, ``logits_1`` and so on; a mapping one column a key.

    Parameters
    ----------
    path : Path
        Its suffix, one of `SUFFIXES`, is the format.

    Returns
    -------
    DataFrame
        Every cell is text without spaces around it; empty where there is no value, see `UNKNOWN`.

    Raises
    ------
    UserError
        If the file is missing, of another format or damaged, has no row, or names a column twice.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise UserError(f"{path} not found: name a file of predictions")
    with one_line(f"{path} cannot be read as {suffix[1:]}", "write the file anew, or name it after its format"):
        frame = _read(path, suffix)
    names = [str(name).strip() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}: column {twice[0]} stands twice; rename one of them")
    if frame.empty:
        raise UserError(f"{path} has no row; give a table with a row an image")
    frame.columns = pd.Index(names)
    return frame


def _read(path: Path, suffix: str) -> pd.DataFrame:
    if suffix in DELIMITERS:
        # Without a header, pandas neither renames columns of one name nor takes the first for an index.
        rows = pd.read_csv(
            path, sep=DELIMITERS[suffix], header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        body = rows.iloc[1:].reset_index(drop=True)
        return body.set_axis(rows.iloc[0].tolist(), axis="columns").map(_text)
    if suffix == ".parquet":
        return _table(pd.read_parquet(path).to_dict("records"))
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return _table([_record(line, number) for number, line in enumerate(lines, 1) if line.strip()])


def _record(line: str, number: int) -> dict[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is no JSON object")
    return row


def _table(rows: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    flat = [dict(_flatten(row.items())) for row in rows]
    return pd.DataFrame(flat).astype(object).map(_text)


def _flatten(items: Iterable[tuple[Any, Any]]) -> Iterable[tuple[str, Any]]:
    """Lists and mappings in cells as columns of their own."""
    for key, value in items:
        if isinstance(value, np.ndarray | list | tuple):
            yield from ((f"{key}_{number}", each) for number, each in enumerate(value))
        elif isinstance(value, Mapping):
            yield from ((f"{key}_{name}", each) for name, each in value.items())
        else:
            yield str(key), value


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in UNKNOWN else text
