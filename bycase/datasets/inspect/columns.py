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
from bycase.datasets.layouts.joined_tables import find_tables
from bycase.datasets.layouts.lookup import Lookup
from bycase.datasets.layouts.table import IMAGE_COLUMNS, LABEL_COLUMNS
from bycase.datasets.layouts.tabular import TABLE_SUFFIXES
from bycase.datasets.part_words import read_part
from bycase.tables.splits import SUBSETS

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
MOST_BARE = 20  # files without a suffix that are looked into; where there are more, they are pictures of some kind


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
    others : tuple of str
        Further tables that name images, but no class.
    join : dict or None
        How the first of them is joined, as in `bycase.core.params_layouts.JoinParams`.
    joined : frozenset of str
        The columns of `frame` that come from it.
    """

    file: str | dict[str, str]
    frame: pd.DataFrame
    image: str
    images: list[Path]
    others: tuple[str, ...] = ()
    join: dict[str, str] | None = None
    joined: frozenset[str] = frozenset()

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
    tables = [only] if only is not None else [path for path in files if path.suffix.lower() in TABLE_SUFFIXES]
    bare = [path for path in files if not path.suffix]
    if only is None and len(bare) <= MOST_BARE:
        tables += bare
    found = _read_tables(root, files, tables, lookup, image, must=only is not None)
    if only is not None and not found:
        raise UserError(
            f"{only.name}: none of its columns names an image below {root}; give the column by --image, or put the "
            "table where the images are"
        )
    parts = {part: each.file for each in found if (part := read_part(Path(str(each.file)).stem))}
    if len(parts) == len(found) > 1:
        file = {part: name for part in SUBSETS if (name := parts.get(part))}
        frame, _ = find_tables(root, files, TableParams.model_validate({"file": file}))
        found = [_Candidate({part: str(name) for part, name in file.items()}, frame, found[0].image)]
    labelled = [each for each in found if any(len(set(each.frame[column])) > 1 for column in each.usual_labels)]
    chosen = labelled or found
    if len(chosen) > 1:
        names = ", ".join(str(each.file) for each in chosen)
        raise UserError(
            f"{len(chosen)} tables name the images: {names}; give the path of one of them instead of {root}"
        )
    return _match(chosen[0], lookup, [each for each in found if each not in chosen]) if chosen else None


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A table that names images in a column."""

    file: str | dict[str, str]
    frame: pd.DataFrame
    image: str

    @property
    def usual_labels(self) -> list[str]:
        """Columns with a usual name of the class."""
        return [column for column in self.frame.columns if column.lower() in LABEL_COLUMNS]


def _read_tables(
    root: Path, files: Sequence[Path], tables: Sequence[Path], lookup: Lookup, image: str | None, must: bool
) -> list[_Candidate]:
    """The tables that name images; those of one name count as one, as Hugging Face's metadata.csv of each folder."""
    by_name: dict[str, list[Path]] = {}
    for path in tables:
        by_name.setdefault(path.name.lower(), []).append(path)
    found = []
    for paths in by_name.values():
        file = paths[0].name if len(paths) > 1 else paths[0].as_posix()
        try:
            frame, _ = find_tables(root, files, TableParams(file=file))
        except UserError:
            if must:
                raise
            continue  # a text that is no table
        column = _image_column(frame, lookup, image)
        if column is not None:
            found.append(_Candidate(file, frame, column))
    return found


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
    shares = {column: _found_share(rows[column], lookup) for column in named if column in frame.columns}
    best = max(shares, key=lambda column: shares[column], default=None)
    return best if best is not None and shares[best] >= (0 if image else LEAST_MATCHED) and shares[best] > 0 else None


def _most_among(keys: pd.Series, others: pd.Series) -> bool:
    """Whether most keys are among others."""
    return bool(keys.isin(others).mean() >= LEAST_MATCHED)


def _found_share(values: pd.Series, lookup: Lookup) -> float:
    return sum(_find(lookup, value) is not None for value in values) / max(1, len(values))


def _find(lookup: Lookup, value: str, folder: str = "") -> Path | None:
    try:
        files = lookup.find(value, folder)
    except ValueError:
        return None
    return files[0] if files else None


def _match(found: _Candidate, lookup: Lookup, others: Sequence[_Candidate]) -> Table:
    """The rows that find an image, with the columns of another table that has a row an image of them."""
    whole, join, joined = found.frame, None, frozenset[str]()
    for other in others:
        second = other.frame.drop_duplicates()
        new = [column for column in second.columns if column not in {*whole.columns, other.image}]
        if (
            join is None
            and new
            and second[other.image].is_unique
            and _most_among(whole[found.image], second[other.image])
        ):
            key = {"key_there": other.image} if other.image != found.image else {}
            join, joined = {"file": str(other.file), "key": found.image, **key}, frozenset(new)
            right = second[[other.image, *new]].rename(columns={other.image: found.image})
            whole = whole.merge(right, how="left", on=found.image).fillna("")
    rows = zip(whole[found.image], whole["/folder"], strict=True)
    images = [_find(lookup, value, folder) for value, folder in rows]
    there = [path is not None for path in images]
    frame = whole[there].reset_index(drop=True)
    matched = [path for path in images if path is not None]
    return Table(found.file, frame, found.image, matched, tuple(str(each.file) for each in others), join, joined)


def label_readings(table: Table) -> Iterator[Reading]:
    """Columns that could be the classes': those of a usual name; without any, all of a few texts that recur."""
    usual = [column for column in _free(table) if column.lower() in LABEL_COLUMNS]
    usual = [column for column in usual if 2 <= table.frame[column].nunique() <= MOST_CLASSES]
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


def patient_readings(table: Table, labels: Sequence[str], taken: object) -> Iterator[Reading]:
    """Columns that could be a patient's: those of a usual name, then others whose values recur within a class.

    `taken` is the column of the class, if any, and `labels` what it says.
    """
    usual = {column: rank for column in _free(table) if (rank := _rank(column)) < NEVER}
    yield from (table.reading(column, rank) for column, rank in sorted(usual.items(), key=lambda item: item[1]))
    for column in _free(table):
        values = tuple(table.frame[column])
        number = pd.to_numeric(table.frame[column], errors="coerce").notna().all()
        named = re.search(r"id$|number$|_no$|code$", column.lower()) is not None
        if column not in usual and column != taken and (named or not number):
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
        said = {text for text in table.frame[column] if text}
        if _plain(column) in PARTS and said and all(map(read_part, said)):
            return column
    return None


def fold_column(table: Table) -> str | None:
    """The column of folds, by its name."""
    return next((c for c in _free(table) if _plain(c) in FOLDS and 2 <= table.frame[c].nunique() <= 20), None)


def common_root(table: Table, images: Sequence[Path]) -> str | None:
    """The folder of all images that a table names, where others, such as unlabelled ones, lie elsewhere."""
    folders = [path.parts[:-1] for path in set(table.images)]
    shared = [names[0] for names in zip(*folders, strict=False) if len(set(names)) == 1]
    root = Path(*shared)
    return root.as_posix() if shared and not all(path.is_relative_to(root) for path in images) else None


def _free(table: Table) -> list[str]:
    return [column for column in table.frame.columns if column != table.image and not column.startswith("/")]


def _rank(column: str) -> int:
    return next((rank for rank, names in enumerate(PATIENTS) if _plain(column) in names), NEVER)


def _plain(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower())
