"""What the columns of a table say: which images it names, and who and what is on them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_layouts import TableParams
from bycase.datasets.inspect.groups import NEVER, PURE, Reading, describe_groups
from bycase.datasets.inspect.levels import MOST_CLASSES
from bycase.datasets.layouts.listing import read_part
from bycase.datasets.layouts.lookup import Lookup
from bycase.datasets.layouts.table import IMAGE_COLUMNS, LABEL_COLUMNS
from bycase.datasets.layouts.joined_tables import find_tables
from bycase.datasets.layouts.tabular import TABLE_SUFFIXES

# Columns by what they are likely to hold, without what stands between words; the first tuple speaks most for a patient.
PATIENTS = (
    (
        "patient",
        "patientid",
        "patientno",
        "patientnumber",
        "pid",
        "subject",
        "subjectid",
        "person",
        "personid",
        "participantid",
    ),
    ("case", "caseid", "casenumber"),
    ("lesion", "lesionid", "group", "groupid"),
    ("slide", "slideid", "wsi", "wsiid", "specimen", "specimenid"),
)
PARTS = ("part", "split", "set", "subset", "partition")
FOLDS = ("fold", "folds", "cv", "kfold")
ROWS = 2000  # from which the column of images is told
LEAST_MATCHED = 0.5


@dataclass(frozen=True)
class Table:
    """A table, or several put together, and the image of each of its rows.

    Attributes
    ----------
    file : str or dict
        As in `bycase.core.params_layouts.TableParams`.
    frame : DataFrame of str
        The rows that find an image.
    image : str
        Its column of images.
    images : list of Path
        The image of every row of `frame`.
    """

    file: str | dict[str, str]
    frame: pd.DataFrame
    image: str
    images: list[Path]

    def reading(self, column: str, rank: int = NEVER) -> Reading:
        """What a column says."""
        return Reading(column, f"column {column}", tuple(self.frame[column]), rank)


def find_table(
    root: Path, files: Sequence[Path], pictures: Sequence[Path], image: str | None, only: Path | None
) -> Table | None:
    """The table that names the images below `root`; None without one.

    Parameters
    ----------
    root : Path
        The raw folder.
    files, pictures : sequence of Path
        Its files, and the images among them, relative to it.
    image : str, optional
        The column of images, where it is given.
    only : Path, optional
        The table, where it is given.

    Raises
    ------
    UserError
        If several tables name images and none of them is given.
    """
    lookup = Lookup(pictures)
    tables = [path for path in files if path.suffix.lower() in TABLE_SUFFIXES] if only is None else [only]
    groups: dict[str, list[Path]] = {}
    for path in tables:
        groups.setdefault(path.name.lower(), []).append(path)
    found = []
    for paths in groups.values():
        file: str | dict[str, str] = paths[0].name if len(paths) > 1 else paths[0].as_posix()
        try:
            frame, _ = find_tables(root, files, TableParams(file=file))
        except UserError:
            if only is not None:
                raise
            continue  # a text that is no table, or a table of something else
        column = _image_column(frame, lookup, image)
        if column is not None:
            found.append((file, frame, column, len(frame)))
    if only is not None and not found:
        raise UserError(
            f"{only.name}: none of its columns names an image below {root}; give the column by --image, or put the "
            "table where the images are"
        )
    parts = {part: file for file, *_ in found if (part := read_part(Path(str(file)).stem))}
    if len(parts) == len(found) > 1:
        file = dict(sorted(parts.items()))
        frame, _ = find_tables(root, files, TableParams(file=file))
        found = [(file, frame, found[0][2], len(frame))]
    if len(found) > 1:
        labelled = [each for each in found if any(True for _ in _labels(each[1]))]
        found = labelled or found
    if len(found) > 1:
        names = ", ".join(str(each[0]) for each in found)
        raise UserError(f"{len(found)} tables name the images: {names}; give the path of one of them instead of {root}")
    return _match(*found[0][:3], lookup) if found else None


def _image_column(frame: pd.DataFrame, lookup: Lookup, image: str | None) -> str | None:
    """The column most of whose values are names of images; usual names first, where several are as good."""
    rows = frame.iloc[:: max(1, len(frame) // ROWS)]
    named = (
        [image]
        if image
        else sorted(
            (column for column in frame.columns if not column.startswith("/")),
            key=lambda column: column.lower() not in IMAGE_COLUMNS,
        )
    )
    shares = {column: _share(rows[column], lookup) for column in named if column in frame.columns}
    best = max(shares, key=lambda column: shares[column], default=None)
    return best if best is not None and shares[best] >= (0 if image else LEAST_MATCHED) and shares[best] > 0 else None


def _share(values: pd.Series, lookup: Lookup) -> float:
    return sum(_find(lookup, value) is not None for value in values) / max(1, len(values))


def _find(lookup: Lookup, value: str, folder: str = "") -> Path | None:
    try:
        files = lookup.find(value, folder)
    except ValueError:
        return None
    return files[0] if files else None


def _match(file: str | dict[str, str], frame: pd.DataFrame, column: str, lookup: Lookup) -> Table:
    images = [_find(lookup, value, folder) for value, folder in zip(frame[column], frame["/folder"], strict=True)]
    there = [path is not None for path in images]
    return Table(file, frame[there].reset_index(drop=True), column, [path for path in images if path is not None])


def _labels(frame: pd.DataFrame) -> Iterator[str]:
    yield from (column for column in frame.columns if column.lower() in LABEL_COLUMNS)


def label_readings(table: Table) -> Iterator[Reading]:
    """Columns that could be the classes': those of a usual name; without any, all of a few texts that recur."""
    usual = [column for column in _labels(table.frame) if 2 <= table.frame[column].nunique() <= MOST_CLASSES]
    yield from (table.reading(column, LABEL_COLUMNS.index(column.lower()) > 0) for column in usual)
    if usual:
        return
    for column in _free(table):
        n = table.frame[column].nunique()
        if 2 <= n <= MOST_CLASSES and n * 2 <= len(table.frame):
            yield table.reading(column)


def one_hot(table: Table) -> list[str]:
    """Columns of zeros and ones of which each row has exactly one; empty where there are none."""
    columns = [column for column in _free(table) if set(table.frame[column]) == {"0", "1"}]
    if len(columns) < 2:
        return []
    sums = table.frame[columns].astype(int).sum(axis=1)
    return columns if (sums == 1).all() else []


def patient_readings(table: Table, label: Reading | None) -> Iterator[Reading]:
    """Columns that could be a patient's: those of a usual name, then others whose values recur within a class."""
    usual = {column: rank for column in _free(table) if (rank := _rank(column)) < NEVER}
    yield from (table.reading(column, rank) for column, rank in sorted(usual.items(), key=lambda item: item[1]))
    labels = label.values if label else ("",) * len(table.frame)
    for column in _free(table):
        values = tuple(table.frame[column])
        number = pd.to_numeric(table.frame[column], errors="coerce").notna().all()
        named = re.search(r"id$|number$|_no$|code$", column.lower()) is not None
        if column not in usual and column != (label.place if label else None) and (named or not number):
            groups = describe_groups(values, labels)
            if (
                groups.number > MOST_CLASSES
                or named
                or (groups.number > len(set(labels)) * 2 and groups.purity >= PURE)
            ):
                yield table.reading(column)


def part_column(table: Table) -> str | None:
    """The column of train, val and test, by its name and values."""
    for column in _free(table):
        values = {value for value in table.frame[column] if value}
        if _plain(column) in PARTS and values and all(read_part(value) for value in values):
            return column
    return None


def fold_column(table: Table) -> str | None:
    """The column of folds, by its name."""
    return next((c for c in _free(table) if _plain(c) in FOLDS and 2 <= table.frame[c].nunique() <= 20), None)


def _free(table: Table) -> list[str]:
    return [column for column in table.frame.columns if column != table.image and not column.startswith("/")]


def _rank(column: str) -> int:
    return next((rank for rank, names in enumerate(PATIENTS) if _plain(column) in names), NEVER)


def _plain(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower())
