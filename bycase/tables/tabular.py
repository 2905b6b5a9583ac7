"""Tables in whatever form people have them, as text: CSV and TSV of any delimiter, Excel, JSON lines."""

import csv
import io
import json
import logging
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError, one_line

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".jsonl", ".json", ".ndjson"})
DELIMITERS = (",", "\t", ";", "|")
WAY_OUT = "get it again, or save it anew as CSV in UTF-8"
_LOOKED_AT = 50  # lines, for the delimiter
_EXCEL, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read_any_table(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a table of any of the known forms, which its content tells.

    Parameters
    ----------
    path : Path
        CSV, TSV or other delimited text with one line of names, Excel, JSON lines or a JSON array of objects.
    sheet : str, optional
        Of an Excel file; the first where left out.

    Returns
    -------
    DataFrame of str
        Without blanks around names and values; what is missing is empty, whole numbers have no decimals.

    Raises
    ------
    UserError
        If it cannot be read, is empty, has one name twice, or a line of more or fewer fields than names.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"table {path} cannot be read ({error.strerror or error})") from None
    return parse_table(content, path, sheet)


def parse_table(content: bytes, path: Path, sheet: str | None = None) -> pd.DataFrame:
    """The table that a file holds, such as one within an archive; `path` is its name, for messages."""
    if content.startswith(_OLD_EXCEL):
        raise UserError(f"table {path} is an old Excel file; save it as .xlsx or CSV")
    if content.startswith(_EXCEL):
        rows = _read_excel(path, content, sheet)
    else:
        text = decode_text(path, content)
        rows = _read_json(path, text) if text.lstrip()[:1] in ("{", "[") else _read_delimited(path, text)
    return _make_frame(path, rows)


def list_sheets(path: Path) -> list[str]:
    """The sheets of an Excel file; empty for another kind of table, or a file that cannot be read."""
    try:
        with path.open("rb") as file:
            if file.read(len(_EXCEL)) != _EXCEL:
                return []
            import openpyxl

            return list(openpyxl.load_workbook(file, read_only=True).sheetnames)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return []


def find_delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into the same number of fields, the most where several do."""
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    best, fields = ",", 1
    for delimiter in DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
        header = counts[0] if counts else 1
        # Of a free text with commas some lines may have more fields than the header: most must agree.
        if header > fields and counts.count(header) * 2 > len(counts):
            best, fields = delimiter, header
    return best


def decode_text(path: Path, content: bytes) -> str:
    """Text as UTF-8 or, with its mark, UTF-16; else as Windows writes it, which is said; UserError if it is none."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        with one_line(f"table {path} is no text", WAY_OUT):
            return content.decode("utf-16")
    if b"\0" in content[:4096]:
        raise UserError(f"table {path} is no table that can be read here ({', '.join(sorted(TABLE_SUFFIXES))})")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        logging.warning("table %s is not UTF-8 and is read as Windows' cp1252; look at its accents", path)
        return content.decode("cp1252", errors="replace")


def _read_delimited(path: Path, text: str) -> list[list[Any]]:
    rows: list[list[Any]] = []
    with one_line(f"table {path} cannot be cut into fields", WAY_OUT):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=find_delimiter(text), skipinitialspace=True)
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            if rows and len(row) != len(rows[0]):
                # Only empty fields too many at the end of a line: a spreadsheet's habit.
                if any(field.strip() for field in row[len(rows[0]) :]) or len(row) < len(rows[0]):
                    raise UserError(
                        f"table {path}, line {reader.line_num}: {len(row)} fields under {len(rows[0])} names; {WAY_OUT}"
                    )
                row = row[: len(rows[0])]
            rows.append(row)
    return rows


def _read_excel(path: Path, content: bytes, sheet: str | None) -> list[list[Any]]:
    import openpyxl

    with one_line(f"table {path} is no Excel file that can be read", WAY_OUT):
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    if sheet is not None and sheet not in book.sheetnames:
        raise UserError(f"table {path} has no sheet '{sheet}'; there are {', '.join(book.sheetnames)}")
    with one_line(f"table {path} is damaged", WAY_OUT):
        page = book[sheet or book.sheetnames[0]]
        rows = [list(row) for row in page.iter_rows(values_only=True)]
    return [row for row in rows if any(value is not None for value in row)]


def _read_json(path: Path, text: str) -> list[list[Any]]:
    try:
        if text.lstrip().startswith("["):
            objects = json.loads(text)
        else:
            objects = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise UserError(f"table {path} is not JSON, or JSON lines ({error}); {WAY_OUT}") from None
    if not all(isinstance(each, dict) for each in objects):
        raise UserError(f"table {path} must hold one JSON object an image; {WAY_OUT}")
    names = list(dict.fromkeys(name for each in objects for name in each))
    return [names, *([each.get(name) for name in names] for each in objects)] if objects else []


def _make_frame(path: Path, rows: list[list[Any]]) -> pd.DataFrame:
    if len(rows) < 2:
        raise UserError(f"table {path} has no rows; {WAY_OUT}")
    names = [_as_text(name) for name in rows[0]]
    kept = [place for place, name in enumerate(names) if name]  # an index without a name is no column
    twice = sorted({names[place] for place in kept if names.count(names[place]) > 1})
    if twice:
        raise UserError(f"table {path} has two columns '{twice[0]}'; rename one")
    return pd.DataFrame(
        {names[place]: [_as_text(row[place]) if place < len(row) else "" for row in rows[1:]] for place in kept},
        dtype=str,
    )


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    return (value if isinstance(value, str) else str(value)).strip()


def check_column(table: pd.DataFrame, key: str, column: str, path: Path) -> None:
    """Refuse a table at `path` without a column, naming the `key` of `params.yaml` that asks for it."""
    if column not in table.columns:
        raise UserError(f"{key}: {path} has no column '{column}'; there are {list_names(table.columns)}")


def list_names(names: Iterable[str], most: int = 20) -> str:
    """Names for a message, the first of many."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
