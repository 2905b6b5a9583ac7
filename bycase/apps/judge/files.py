"""Tables of predictions as other programs write them: CSV, Excel, Parquet, JSON lines; every cell as text."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError, one_line
from bycase.core.expressions import composed
from bycase.tables.tabular import read_any_table

TABLES = (".csv", ".tsv", ".tab", ".xlsx")
SUFFIXES = (*TABLES, ".parquet", ".jsonl", ".ndjson")
UNKNOWN = ("", "nan", "na", "n/a", "none", "null", "<na>")  # cells without a value, in small letters
_WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)?(e[+-]?\d+)?", re.IGNORECASE)


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
        Every name and cell is text without spaces around it, each accent in its letter; empty where there is no value,
        see `UNKNOWN`.

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
    if suffix in TABLES:
        frame = read_any_table(path).map(_text)
    else:
        with one_line(f"{path} cannot be read as {suffix[1:]}", "write the file anew, or name it after its format"):
            frame = _read_records(path, suffix)
    names = [composed(str(name)).strip() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{path}: column {twice[0]} stands twice; rename one of them")
    if frame.empty:
        raise UserError(f"{path} has no row; give a table with a row an image")
    frame.columns = pd.Index(names)
    return frame


def read_decimal_commas(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Numbers with a decimal comma, as spreadsheets of many countries write them, with a point.

    Parameters
    ----------
    frame : DataFrame of str
        See `read_file`.

    Returns
    -------
    frame : DataFrame of str
        Columns of nothing but numbers, some of them with a comma, have points.
    columns : list of str
        Their names.
    """
    columns = [str(column) for column in frame if _has_decimal_commas(frame[column])]
    return frame.assign(**{column: frame[column].str.replace(",", ".") for column in columns}), columns


def _has_decimal_commas(cells: pd.Series) -> bool:
    known = cells[cells != ""]
    return bool(known.str.contains(",").any() and known.map(lambda cell: bool(_WITH_COMMA.fullmatch(cell))).all())


def _read_records(path: Path, suffix: str) -> pd.DataFrame:
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
    text = "" if value is None else composed(str(value)).strip()
    return "" if text.lower() in UNKNOWN else text
