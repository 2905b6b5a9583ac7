"""What people have where others ask for a split: tables, lists, trees of folders, JSON and YAML, one fold or several.

Each is read into names and parts. What the names are, images, slide folders or patients, is settled later, against the
images there are: see `bycase.datasets.splits.places`.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bycase.core.errors import UserError
from bycase.datasets.part_words import PART_WORDS, part_in
from bycase.images.formats import IMAGE_SUFFIXES
from bycase.tables.tabular import decode_text, read_any_table

# Columns of a table by what people call them; an image tells more than a slide, a slide more than a patient.
NAME_COLUMNS = (
    "image", "filename", "file_name", "file", "image_name", "image_id", "image_path", "path", "filepath", "name",
    "slide", "slide_id", "slide_folder", "folder", "patient", "patient_id", "case", "case_id", "group", "id",
)  # fmt: skip
PART_COLUMNS = ("part", "split", "grp", "set", "subset", "partition", "phase", "group")
FOLD_COLUMNS = ("fold", "fold_id", "k", "split_id", "cv_fold")

# Beside the part's own word, in a line that begins a list.
HEADING_WORDS = frozenset(
    ("set", "sets", "part", "split", "subset", "list", "data", "patient", "patients", "case", "cases", "slide",
     "slides", "folder", "folders", "image", "images", "file", "files", "id", "ids", "name", "names", "the", "of",
     "for", "in")
)  # fmt: skip

_TREES = (".json", ".yaml", ".yml")
_OTHER_TABLES = (".xlsx", ".xlsm", ".jsonl", ".ndjson")
_FOLD = re.compile(r"(?:ds)?(?:fold|split|cv|repeat)[\s_-]*(\d+)", re.IGNORECASE)
_QUOTES = " \t\r\n'\"`[](){}"
_FORMS = (
    "give a table with image (or slide, or patient) and part, a text with a list under each part's name, a JSON or "
    "YAML of lists, or a folder with train and test below it"
)


@dataclass(frozen=True)
class Claim:
    """One split, as somebody else wrote it down.

    Attributes
    ----------
    fold : str
        Which of several; empty where there is one.
    table : DataFrame with the columns ``name``, ``part``
        A row a name. Parts are train, val and test.
    """

    fold: str
    table: pd.DataFrame


def read_claims(path: Path, columns: Mapping[str, str] | None = None) -> list[Claim]:
    """Read every split that a file or a folder holds.

    Parameters
    ----------
    path : Path
        See `_FORMS`. A table or text may hold several folds, as Folds.csv and dsfoldN.txt do; a column of folds without
        one of parts says which fold tests an image.
    columns : mapping of str to str, optional
        The table's columns of ``name`` (of images, slides or patients), ``part`` and ``fold``, where they have no usual
        names.

    Returns
    -------
    list of Claim
        At least one, each with at least one name.

    Raises
    ------
    UserError
        If there is nothing, it cannot be read, it names no parts, or it has no such columns.
    """
    if not path.exists():
        raise UserError(f"split file {path} not found: {_FORMS}")
    columns = columns or {}
    if columns and (path.is_dir() or path.suffix.lower() in _TREES):
        raise UserError(f"split file {path} is no table, so that it has no column '{next(iter(columns.values()))}'")
    if path.is_dir():
        rows = list(_read_folder(path))
    elif columns or path.suffix.lower() in _OTHER_TABLES:
        frame = read_any_table(path)
        rows = list(_read_table(path, [list(frame.columns), *frame.to_numpy(str).tolist()], columns))
    else:
        text = decode_text(path, path.read_bytes())
        rows = list(_read_tree(path, text) if path.suffix.lower() in _TREES else _read_text(path, text))
    table = pd.DataFrame(rows, columns=["fold", "name", "part"]).drop_duplicates()
    table = table[table["name"] != ""]
    if table.empty:
        raise UserError(f"split file {path} names nothing in train, val or test: {_FORMS}")
    folds = sorted(set(table["fold"]), key=lambda fold: (len(fold), fold))
    return [Claim(fold, table.loc[table["fold"] == fold, ["name", "part"]].reset_index(drop=True)) for fold in folds]


Rows = Iterator[tuple[str, str, str]]  # fold, name, part


def _read_folder(root: Path) -> Rows:
    """Images below folders called train and test, above or below classes; ``fold1/train/...`` is one of several."""
    for file in sorted(root.rglob("*")):
        if file.suffix.lower() not in IMAGE_SUFFIXES or file.name.startswith("."):
            continue
        above = file.relative_to(root).parts[:-1]
        part = next((PART_WORDS[name.lower()] for name in above if name.lower() in PART_WORDS), None)
        if part:
            yield _fold_in(*above), file.name, part


def _fold_in(*names: str) -> str:
    return next((match[1] for name in names if (match := _FOLD.fullmatch(name))), "")


def _read_tree(path: Path, text: str) -> Rows:
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"split file {path} is no {path.suffix[1:].upper()} ({str(error).splitlines()[0]})") from None
    yield from _walk(content, "", None)


def _walk(content: Any, fold: str, part: str | None) -> Rows:
    """Lists of names below keys that tell the part; names with their parts as values; records; folds around them."""
    if isinstance(content, dict):
        record = _record(content)
        if record:
            yield (record[0] or fold, *record[1:])
            return
        for key, value in content.items():
            told = part_in(str(value)) if isinstance(value, str) and value.lower() in PART_WORDS else None
            if told:  # {name: part}
                yield fold, str(key), told
            elif isinstance(value, dict | list):
                number = str(key) if isinstance(key, int) or str(key).isdecimal() else _fold_in(str(key))
                yield from _walk(value, number or fold, part_in(str(key)) or part)
                # {"test": {"14-22549": [...]}}: the keys are names as well as their lists.
                if part and isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
                    yield fold, str(key), part
    elif isinstance(content, list):
        many = len(content) > 1 and all(isinstance(each, dict) and not _record(each) for each in content)
        for place, each in enumerate(content, start=1):
            yield from _walk(each, str(place) if many and not fold else fold, part)
    elif part and content is not None and not isinstance(content, bool):
        yield fold, str(content).strip(), part


def _record(content: dict[Any, Any]) -> tuple[str, str, str] | None:
    """Fold, name and part of a mapping that is one row of a table."""
    lower = {str(key).lower(): value for key, value in content.items() if isinstance(value, str | int)}
    name = next((str(lower[column]) for column in NAME_COLUMNS if column in lower), None)
    part = next((PART_WORDS.get(str(lower[column]).lower()) for column in PART_COLUMNS if column in lower), None)
    fold = next((str(lower[column]) for column in FOLD_COLUMNS if column in lower), "")
    return (fold, name, part) if name and part else None


def _read_text(path: Path, text: str) -> Rows:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return iter(())
    if all(line.count("|") == 3 for line in lines):  # dsfoldN.txt: name|magnification|fold|train or test
        cells = [[cell.strip() for cell in line.split("|")] for line in lines]
        return ((fold, name, PART_WORDS[part.lower()]) for name, _, fold, part in cells if part.lower() in PART_WORDS)
    delimiter = "" if any(map(_heading, lines)) else _delimiter(lines)
    return (
        _read_table(path, list(csv.reader(io.StringIO(text), delimiter=delimiter)), {})
        if delimiter
        else _read_lists(lines)
    )


def _width(delimiter: str) -> Any:
    return lambda line: len(next(csv.reader([line], delimiter=delimiter)))


def _delimiter(lines: list[str]) -> str:
    """What separates the columns of every line alike; empty where nothing does."""
    for each in (",", "\t", ";", "|", " "):
        if min(map(_width(each), lines)) > 1 and len(set(map(_width(each), lines[:200]))) == 1:
            return each
    return ""


def _read_table(path: Path, rows: list[list[str]], columns: Mapping[str, str]) -> Rows:
    header = [cell.strip().lower() for cell in rows[0]]
    body = [[cell.strip() for cell in row] for row in rows[1:] if any(row)]
    given = {key: _given_column(path, rows[0], key, column) for key, column in columns.items()}
    name = given.get("name", _column(header, NAME_COLUMNS))
    fold = given.get("fold", _column(header, FOLD_COLUMNS))
    parts = [n for n, each in enumerate(header) if each in PART_COLUMNS and n not in (name, fold)]
    part = given.get("part", next((n for n in parts if _tells(body, n)), None))
    if part is None and fold is None and parts and header[parts[0]] != "group":
        # Numbers are folds; anything else is said below not to be a part.
        numbered = all(row[parts[0]].isdecimal() for row in body)
        part, fold = (None, parts[0]) if numbered else (parts[0], None)
    if name is not None and part is not None:
        _check_parts(path, header, body, name, part)
        return ((row[fold] if fold is not None else "", row[name], PART_WORDS[row[part].lower()]) for row in body)
    if name is not None and (wide := [n for n, each in enumerate(header) if _FOLD.fullmatch(each) and _tells(body, n)]):
        return (
            (_fold_in(header[n]), row[name], PART_WORDS[row[n].lower()])
            for n in wide
            for row in body
            if row[n].lower() in PART_WORDS
        )
    if name is not None and fold is not None:
        return _each_fold_tests(body, name, fold)
    if all(each in PART_WORDS for each in header):  # a column of names for every part
        return (("", row[n], PART_WORDS[each]) for n, each in enumerate(header) for row in body if n < len(row))
    whole = [[cell.strip() for cell in row] for row in rows if any(row)]
    for n in range(len(header)):  # without a header
        if all(row[n].lower() in PART_WORDS for row in whole):
            other = 0 if n else 1
            return (("", row[other], PART_WORDS[row[n].lower()]) for row in whole)
    raise UserError(
        f"split file {path} has the columns {', '.join(header[:8])}, of which none is known to hold "
        f"{'parts or folds' if name is not None else 'images, slides or patients'}: name the columns by --image (or "
        "--patient) and --part"
    )


def _given_column(path: Path, header: list[str], key: str, column: str) -> int:
    if column not in header:
        option = "image or --patient" if key == "name" else key
        raise UserError(f"--{option} {column}: {path} has no such column; there are {', '.join(header)}")
    return header.index(column)


def _column(header: list[str], known: Iterable[str]) -> int | None:
    return next((header.index(each) for each in known if each in header), None)


def _tells(body: list[list[str]], column: int) -> bool:
    return any(row[column].lower() in PART_WORDS for row in body if column < len(row))


def _check_parts(path: Path, header: list[str], body: list[list[str]], name: int, part: int) -> None:
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise UserError(
                f"split file {path}, line {number}: {len(row)} columns, where the first line has {len(header)}"
            )
        if row[part].lower() not in PART_WORDS:
            raise UserError(
                f"split file {path}: {header[name]} {row[name]} has {header[part]} '{row[part]}'; valid are "
                f"{', '.join(PART_WORDS)}"
            )


def _each_fold_tests(body: list[list[str]], name: int, fold: int) -> Rows:
    """Of a partition into folds: each is tested once, and the others are trained on."""
    for tested in sorted({row[fold] for row in body}):
        for row in body:
            yield tested, row[name], "test" if row[fold] == tested else "train"


def _heading(line: str) -> tuple[str, str] | None:
    """Part and rest of a line that begins a list: ``Test patients: a, b``, ``[train]``, ``val_ids = [``."""
    match = re.match(r"([^:=,;|\t]*)([:=]?)(.*)", re.sub(r"\([^)]*\)", "", line))
    if match is None or (match[3] and not match[2]):
        return None
    words = re.findall(r"[^\W_]+", match[1])
    part = part_in(match[1])
    if part is None or any(any(map(str.isdecimal, word)) for word in words):
        return None
    plain = all(word.lower() in HEADING_WORDS or word.lower() in PART_WORDS for word in words)
    return (part, match[3]) if match[2] or plain else None


def _read_lists(lines: list[str]) -> Rows:
    part, fold = None, ""
    for line in lines:
        if _FOLD.fullmatch(line.strip(" #[]:-=\t")):
            fold, part = _fold_in(line.strip(" #[]:-=\t")), None
            continue
        heading = _heading(line)
        if heading:
            part, line = heading
        if part:
            for name in _names_in(line):
                yield fold, name, part


def _names_in(line: str) -> list[str]:
    """The names of one line; blanks separate them only where every piece has a digit, since names may have blanks."""
    pieces = re.split(r"[,;\t]", line)
    if len(pieces) == 1 and all(any(map(str.isdecimal, piece)) for piece in line.split()):
        pieces = line.split()
    return [name for piece in pieces if (name := piece.strip(_QUOTES if "(" not in piece else " \t'\"`[]"))]
