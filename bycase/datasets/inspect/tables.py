"""The table that names the images of a folder, or their patients: which it is, and the row of each image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_layouts import TableParams
from bycase.datasets.inspect import levels, stems
from bycase.datasets.inspect.groups import COLUMN, FEWEST_GROUPS, NEVER, Reading, same_division
from bycase.datasets.layouts.joined_tables import FOLDER, find_tables
from bycase.datasets.layouts.lookup import Lookup
from bycase.datasets.layouts.table import IMAGE_COLUMNS, LABEL_COLUMNS, group_name
from bycase.datasets.part_words import read_part
from bycase.tables.splits import SUBSETS
from bycase.tables.tabular import TABLE_SUFFIXES, list_sheets

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
    match : int, str or None
        Where the value of column `image` stands in the images' paths, if a row is of several images.
    sheet : str or None
        Of an Excel file, where it is not the first.
    """

    file: str | dict[str, str]
    frame: pd.DataFrame
    image: str
    images: list[Path]
    others: tuple[str, ...] = ()
    join: dict[str, str] | None = None
    joined: frozenset[str] = frozenset()
    match: int | str | None = None
    sheet: str | None = None

    @property
    def rows(self) -> int:
        """Rows of the file that find an image."""
        return len(self.frame) if self.match is None else int(self.frame[self.image].nunique())

    @property
    def usual_labels(self) -> list[str]:
        """Columns with a usual name of the class."""
        return _usual_labels(self.frame)

    def reading(self, column: str, rank: int = NEVER) -> Reading:
        """What a column says."""
        return Reading(column, f"{COLUMN}{column}", tuple(self.frame[column]), rank)


def find_table(
    root: Path, files: Sequence[Path], pictures: Sequence[Path], image: str | None, only: Path | None
) -> Table | None:
    """The table that names the images below `root`, or their patients, slides or folders; None without one.

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
    sheets = list(_read_sheets(root, files, tables, must=only is not None))
    found = list(_name_images(sheets, lookup, image))
    if not found:
        group = _find_group_table(sheets, pictures, image)
        if only is not None and group is None:
            raise UserError(
                f"{only.name}: none of its columns names an image below {root}, a folder or what names begin with; "
                "give the column by --image, or put the table where the images are"
            )
        return group
    parts = {part: each.file for each in found if (part := read_part(Path(str(each.file)).stem))}
    if len(parts) == len(found) > 1:
        file = {part: name for part in SUBSETS if (name := parts.get(part))}
        frame, _ = find_tables(root, files, TableParams.model_validate({"file": file}))
        found = [_Candidate({part: str(name) for part, name in file.items()}, None, frame, found[0].image)]
    labelled = [each for each in found if any(len(set(each.frame[column])) > 1 for column in _usual_labels(each.frame))]
    chosen = labelled or found
    if len(chosen) > 1:
        names = ", ".join(str(each.file) for each in chosen)
        raise UserError(
            f"{len(chosen)} tables name the images: {names}; give the path of one of them instead of {root}"
        )
    return _match(chosen[0], lookup, [each for each in found if each not in chosen]) if chosen else None


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A table before it is known what it names; `name` is that of an Excel file's sheet, but for the first."""

    file: str
    name: str | None
    frame: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A table that names images in a column."""

    file: str | dict[str, str]
    sheet: str | None
    frame: pd.DataFrame
    image: str


def _usual_labels(frame: pd.DataFrame) -> list[str]:
    return [column for column in frame.columns if column.lower() in LABEL_COLUMNS]


def _read_sheets(root: Path, files: Sequence[Path], tables: Sequence[Path], must: bool) -> Iterator[_Sheet]:
    """The tables; those of one name count as one, as Hugging Face's metadata.csv of each folder."""
    by_name: dict[str, list[Path]] = {}
    for path in tables:
        by_name.setdefault(path.name.lower(), []).append(path)
    for paths in by_name.values():
        file = paths[0].name if len(paths) > 1 else paths[0].as_posix()
        for number, sheet in enumerate([None, *list_sheets(root / paths[0])[1:]]):
            try:
                frame, _ = find_tables(root, files, TableParams(file=file, sheet=sheet))
            except UserError:
                if must and number == 0:
                    raise
                continue  # a text that is no table, or an empty sheet
            yield _Sheet(file, sheet, frame)


def _name_images(sheets: Sequence[_Sheet], lookup: Lookup, image: str | None) -> Iterator[_Candidate]:
    """Of each file the first sheet that names images."""
    named = set()
    for sheet in sheets:
        column = None if sheet.file in named else _image_column(sheet.frame, lookup, image)
        if column is not None:
            named.add(sheet.file)
            yield _Candidate(sheet.file, sheet.name, sheet.frame, column)


def _find_group_table(sheets: Sequence[_Sheet], pictures: Sequence[Path], image: str | None) -> Table | None:
    """The table with a row a patient, slide or folder, whose name stands in the paths of most images.

    Of several the one that finds the most; of these folders go before parts of names, and shorter expressions before
    others.
    """
    if not sheets:
        return None
    classes = [each for each in levels.label_readings(pictures) if each.rank == 0]
    places = [*levels.patient_readings(pictures, None), *stems.patient_readings(pictures)]
    places = [place for place in places if not any(same_division(place.values, each.values) for each in classes)]
    names = [tuple(map(group_name, place.values)) for place in places]
    found = [
        table
        for sheet in sheets
        for column in own_columns(sheet.frame)
        if image in (None, column)
        for place, there in zip(places, names, strict=True)
        if (table := _match_group(sheet, column, place, there, pictures)) is not None
    ]
    return min(
        found, key=lambda each: (-len(each.images), isinstance(each.match, str), len(str(each.match))), default=None
    )


def _match_group(
    sheet: _Sheet, column: str, place: Reading, names: Sequence[str], pictures: Sequence[Path]
) -> Table | None:
    """The table with a row an image, where its column has no name twice and holds most of a place's `names`."""
    rows = {group_name(name): row for row, name in enumerate(sheet.frame[column]) if name}
    if len(rows) < len(sheet.frame) or len(rows.keys() & set(names)) < FEWEST_GROUPS:
        return None
    matched = [(path, rows[name]) for path, name in zip(pictures, names, strict=True) if name in rows]
    if len(matched) < LEAST_MATCHED * len(pictures):
        return None
    match = place.place.replace("(?P<patient>", "(") if isinstance(place.place, str) else place.place
    frame, images = sheet.frame.iloc[[row for _, row in matched]].reset_index(drop=True), [path for path, _ in matched]
    return Table(sheet.file, frame, column, images, match=match, sheet=sheet.name)


def _image_column(frame: pd.DataFrame, lookup: Lookup, image: str | None) -> str | None:
    """The column most of whose values are names of images; usual names first, where several are as good."""
    rows = frame.iloc[:: max(1, len(frame) // ROWS)]
    named = [image] if image else sorted(own_columns(frame), key=lambda column: column.lower() not in IMAGE_COLUMNS)
    shares = {column: _found_share(rows, column, lookup) for column in named if column in frame.columns}
    best = max(shares, key=lambda column: shares[column], default=None)
    return best if best is not None and shares[best] >= (0 if image else LEAST_MATCHED) and shares[best] > 0 else None


def _most_among(keys: pd.Series, others: pd.Series) -> bool:
    """Whether most keys are among others."""
    return bool(keys.isin(others).mean() >= LEAST_MATCHED)


def _found_share(frame: pd.DataFrame, column: str, lookup: Lookup) -> float:
    """The share of rows that name one image each: a class 0 or 1 may name the first images of every folder."""
    rows = zip(frame[column], frame[FOLDER], strict=True)
    return sum(len(_find(lookup, value, folder)) == 1 for value, folder in rows) / max(1, len(frame))


def _find(lookup: Lookup, value: str, folder: str) -> list[Path]:
    try:
        return lookup.find(value, folder)
    except ValueError:
        return []


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
            sheet = {"sheet": other.sheet} if other.sheet else {}
            join, joined = {"file": str(other.file), "key": found.image, **key, **sheet}, frozenset(new)
            right = second[[other.image, *new]].rename(columns={other.image: found.image})
            whole = whole.merge(right, how="left", on=found.image).fillna("")
    rows = zip(whole[found.image], whole[FOLDER], strict=True)
    images = [_find(lookup, value, folder) for value, folder in rows]
    frame = whole[list(map(bool, images))].reset_index(drop=True)
    matched = [paths[0] for paths in images if paths]
    names = tuple(str(each.file) for each in others)
    return Table(found.file, frame, found.image, matched, names, join, joined, sheet=found.sheet)


def own_columns(frame: pd.DataFrame) -> list[str]:
    """The columns of the table itself."""
    return [column for column in frame.columns if not column.startswith("/")]
