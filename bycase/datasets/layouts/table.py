"""Any table that names images: class, patient, parts and columns of its own or of a second table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.core.params_layouts import TableParams
from bycase.datasets.layouts.folders import add_masks
from bycase.datasets.layouts.joined_tables import FOLDER, PART, find_tables
from bycase.datasets.layouts.listing import (
    Listing,
    PublishedImage,
    Rejected,
    is_image,
    is_mask,
    list_files,
    match_masks,
)
from bycase.datasets.layouts.lookup import Lookup
from bycase.datasets.layouts.naming import (
    KEYS,
    OWN_FIELDS,
    RESERVED,
    Labels,
    PathReader,
    check_names,
    clean,
    make_image,
    name_cases,
    plain,
)
from bycase.tables.tabular import list_names

SECTION, MATCH = "table", "match"  # of an entry of `datasets`, and its key
IMAGE_COLUMNS = (
    "file_name",
    "image",
    "image_path",
    "image_id",
    "path",
    "filename",
    "file",
    "filepath",
    "img",
    "id",
    "name",
)
LABEL_COLUMNS = (
    *("label", "class", "diagnosis", "dx", "target", "category", "labels", "pathology", "benign_malignant"),
    *("diagnose", "diagnostic", "diagnóstico", "diagnostico", "diagnosi", "classe", "clase", "klasse"),
)
SameFiles = Callable[[Sequence[Path]], bool]
FEW = 12  # values that make a column of text one for the subgroup tables


@dataclass(frozen=True)
class Columns:
    """Which columns of the table say what.

    `keys` are those of patient, slide, part and fold; `subgroups` those for the subgroup tables, by their new names;
    `paths` what is read from images' paths instead; `match` finds in a path the row of several images.
    """

    image: str
    label: str | list[str]
    keys: Mapping[str, str]
    subgroups: Mapping[str, str]
    paths: PathReader
    match: PathReader | None


def read_table_layout(root: Path, table: TableParams, classes: Sequence[str]) -> Listing:
    """List the images that a table below `root` names; see `sort_table`."""
    files = list_files(root)
    frame, places = find_tables(root, files, table)
    return sort_table([path for path in files if path not in places], frame, table, classes, same_files(root))


def sort_table(
    files: Sequence[Path],
    frame: pd.DataFrame,
    table: TableParams,
    classes: Sequence[str],
    same: SameFiles | None = None,
) -> Listing:
    """Sort files into images that a table names, unusable ones, and others.

    Parameters
    ----------
    files : sequence of Path
        Relative to the raw folder, without the table's own.
    frame : DataFrame of str
        The table, joined, see `bycase.datasets.layouts.joined_tables.find_tables`. Its column ``/folder``, if any, is
        the folder of the table of each row.
    table : TableParams
        Which columns say what.
    classes : sequence of str
        The data set's.
    same : callable, optional
        Whether several files hold the same bytes; without it several files of one name are refused.

    Returns
    -------
    Listing
        Rejected are images that no row names, that rows with different content name, or without a label or patient.
        Masks are as in `bycase.datasets.layouts.folders.sort_folders`.

    Raises
    ------
    UserError
        If a column is missing, a label is of no class, no row finds its image, or a name is that of several images.
    """
    columns = find_columns(frame, table)
    labels = Labels(table.names, classes, f"{SECTION}.names")
    pictures = [path for path in files if is_image(path)]
    names = [*classes, *table.names]
    below = [path for path in pictures if table.root is None or path.is_relative_to(Path(table.root))]
    if table.root is not None and not below:
        raise UserError(f"{SECTION}.root: no image lies below '{table.root}'; correct it")
    drawn = {path for path in below if is_mask(path, names)}
    outside: list[str] = []
    if columns.match:
        rows, absent = _match_groups(frame[columns.image].tolist(), columns.match, sorted(set(below) - drawn))
    else:
        rows, absent, outside = _match_rows(frame, columns, Lookup(below, table.suffix, drawn), same)
    if not rows:
        name = frame[columns.image].iloc[0]
        raise UserError(
            f"{SECTION}.image: none of {len(frame)} rows finds an image, the first of them '{name}'; {len(below)} "
            f"images are there{f', such as {below[0].as_posix()}' if below else ''}; set {SECTION}.image, "
            f"{'root or match' if columns.match else 'root or suffix'}"
        )
    masks = sorted(drawn - set(rows))
    images: list[PublishedImage] = []
    unnamed = sorted(set(below) - set(rows) - drawn)
    rejected = [Rejected(path, "no row of the table names it") for path in unnamed]
    records = _Records(frame, columns, labels)
    for source, places in sorted(rows.items()):
        try:
            image = records.make(source, places)
            if image is not None:
                images.append(image)
        except ValueError as error:
            rejected.append(Rejected(source, str(error)))
    columns.paths.check(len(rows))
    labels.check()
    matched, unmatched = match_masks(masks, [image.source for image in images])
    seen = set(below)
    notes = [f"{len(masks)} masks, by their names or folders, are no images"] if masks else []
    notes += [f"{len(outside)} rows lead out of the data set by '..', the first to '{outside[0]}'"] if outside else []
    if columns.subgroups:
        notes.append(f"columns for the subgroup tables: {', '.join(columns.subgroups)}")
    return Listing(
        name_cases(add_masks(images, matched)),
        sorted(rejected, key=lambda each: each.source),
        sorted([*(path for path in files if path not in seen), *unmatched]),
        sorted({*absent, *outside}),
        left_out=dict(labels.left_out),
        notes=notes,
    )


def find_columns(frame: pd.DataFrame, table: TableParams) -> Columns:
    """Which columns say what; a UserError names a key whose column is not there or not clear."""
    image = table.image or _usual(frame, IMAGE_COLUMNS, "image")
    label = table.label or _usual(frame, LABEL_COLUMNS, "label")
    _check(frame, "image", image)
    given = {key: place for key in KEYS[1:] if (place := getattr(table, key)) is not None}
    if isinstance(label, list):
        for each in label:
            _check(frame, "label", each)
    else:
        given["label"] = label
    values = {key: place for key, place in given.items() if place in frame.columns}
    expressions = {key: place for key, place in given.items() if key not in values}
    for key, place in expressions.items():
        if place.replace("_", "").replace(" ", "").isalnum():
            _check(frame, key, place)
    if isinstance(table.file, dict) and "part" not in given:
        values["part"] = PART
    paths = PathReader(expressions, SECTION)
    if "slide" in given and "patient" not in given:
        raise UserError(f"{SECTION}: where slides are all that is known, they stand for the patients: name patient")
    values.pop("label", None)
    used = {image, *([label] if isinstance(label, str) else label), *values.values()}
    match = PathReader({MATCH: table.match}, SECTION) if table.match is not None else None
    return Columns(image, label, values, _subgroups(frame, table, used), paths, match)


def _usual(frame: pd.DataFrame, names: Iterable[str], key: str) -> str:
    """The column of a usual name: the first of `names`, else the only other one, whatever its case."""
    names = list(names)
    there = [column for column in frame.columns if column.lower() in names]
    first = [column for column in there if column.lower() == names[0]]
    if len(first) == 1 or len(there) == 1:
        return str((first or there)[0])
    found = f"several columns may be it: {', '.join(there)}" if there else f"there are {_list_columns(frame)}"
    raise UserError(f"{SECTION}.{key}: name the column; {found}")


def _check(frame: pd.DataFrame, key: str, column: str) -> None:
    if column not in frame.columns:
        raise UserError(f"{SECTION}.{key}: the table has no column '{column}'; there are {_list_columns(frame)}")


def _list_columns(frame: pd.DataFrame) -> str:
    return list_names(column for column in frame.columns if not column.startswith("/"))


def _subgroups(frame: pd.DataFrame, table: TableParams, used: set[str]) -> dict[str, str]:
    """Columns for the subgroup tables: new name to column."""
    if table.columns is not None:
        named = table.columns if isinstance(table.columns, dict) else {name: name for name in table.columns}
        for column in named.values():
            _check(frame, "columns", column)
        check_names(named, SECTION)
        return dict(named)
    rest = [each for each in frame.columns if each not in used and not each.startswith("/") and each not in RESERVED]
    return {column: column for column in rest if column in OWN_FIELDS - {"magnification"} or _divides(frame[column])}


def _divides(values: pd.Series) -> bool:
    """Whether a column makes subgroups: a few values of text that recur, or numbers that are no names of rows."""
    known = values.map(clean).loc[lambda cleaned: cleaned != ""]
    n = known.nunique()
    if 2 <= n <= FEW and n < len(known):
        return True
    numbers = pd.to_numeric(known, errors="coerce")
    return n > FEW and n < len(known) and bool(numbers.notna().all())


def _match_rows(
    frame: pd.DataFrame, columns: Columns, lookup: Lookup, same: SameFiles | None
) -> tuple[dict[Path, list[int]], list[str], list[str]]:
    """The rows of each file; names of rows whose file is not there, and of those that lead out of the data set."""
    rows: dict[Path, list[int]] = {}
    absent, outside = [], []
    folders = frame[FOLDER].tolist() if FOLDER in frame else [""] * len(frame)
    for row, (name, folder) in enumerate(zip(frame[columns.image].tolist(), folders, strict=True)):
        try:
            files = lookup.find(name, folder)
        except ValueError:
            outside.append(name)
            continue
        if len(files) > 1 and not (same and same(files)):
            raise UserError(
                f"{SECTION}.image: '{name}' is the name of {len(files)} different images, such as "
                f"{files[0].as_posix()} and {files[1].as_posix()}; give paths there, or set {SECTION}.root"
            )
        for file in files:
            rows.setdefault(file, []).append(row)
        if not files:
            absent.append(name)
    return rows, absent, outside


def _match_groups(
    names: Sequence[str], match: PathReader, files: Sequence[Path]
) -> tuple[dict[Path, list[int]], list[str]]:
    """The rows of each file, by what `match` finds in its path; names of rows that no file has."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(group_name(name), []).append(row)
    matched: dict[Path, list[int]] = {}
    written: dict[str, str] = {}
    for file in files:
        key = plain(_find_key(match, file))
        name = group_name(key)
        if written.setdefault(name, key) != key:
            raise UserError(
                f"{SECTION}.match: {written[name]} and {key} would be one; name them apart, in the table too"
            )
        if key and name in rows:
            matched[file] = rows[name]
    match.check(len(files))
    return matched, [name for name in names if group_name(name) not in written]


def group_name(text: str) -> str:
    """The name of a patient, slide or folder as it is compared: of a number spreadsheets drop the zeros in front."""
    name = plain(text)
    return (name.lstrip("0") or "0") if name.isdecimal() else name


def _find_key(match: PathReader, file: Path) -> str:
    try:
        return match.read(file).get(MATCH, "")
    except ValueError:
        return ""  # it lies above the level


class _Records:
    """Images of rows."""

    def __init__(self, frame: pd.DataFrame, columns: Columns, labels: Labels) -> None:
        self._columns, self._labels = columns, labels
        named = [columns.label] if isinstance(columns.label, str) else columns.label
        self._label_columns = [name for name in named if name in frame.columns]
        self._one_hot = len(self._label_columns) > 1 and _is_one_hot(frame[self._label_columns])
        used = dict.fromkeys([*self._label_columns, *columns.keys.values(), *columns.subgroups.values()])
        self._rows = {name: frame[name].tolist() for name in used}

    def make(self, source: Path, places: list[int]) -> PublishedImage | None:
        """The image that rows name; None where it is left out. A ValueError says why it cannot be used."""
        rows = [{name: values[place] for name, values in self._rows.items()} for place in places]
        if any(row != rows[0] for row in rows):
            raise ValueError(f"{len(rows)} rows of the table name it, which differ")
        values = self._columns.paths.read(source)
        values |= {key: rows[0][column] for key, column in self._columns.keys.items()}
        values |= {name: rows[0][column] for name, column in self._columns.subgroups.items()}
        raw = self._read_label(rows[0]) if self._label_columns else values.get("label", "")
        if not raw:
            raise ValueError("its row has no label" if self._label_columns else f"no label: {SECTION}.label finds none")
        label = self._labels.find(raw)
        columns = {*self._columns.subgroups, *self._columns.paths.columns}
        return None if label is None else make_image(source, label, values, columns, SECTION)

    def _read_label(self, row: Mapping[str, str]) -> str:
        if not self._one_hot:
            values = [row[name] for name in self._label_columns]
            return "/".join(values) if all(values) else ""
        positive = [name for name in self._label_columns if float(row[name] or 0) > 0]
        if len(positive) != 1:
            raise ValueError(f"its row has {len(positive)} labels where one is needed: {', '.join(positive) or 'none'}")
        return positive[0]


def _is_one_hot(values: pd.DataFrame) -> bool:
    """Whether columns hold nothing but 0 and 1, a class each."""
    numbers = values.replace("", "0").apply(pd.to_numeric, errors="coerce")
    return bool(numbers.isin([0, 1]).to_numpy().all())


def same_files(root: Path) -> SameFiles:
    """A function that tells whether files below `root` hold the same bytes, as copies in two folders do."""
    return lambda files: len({file_digest(root / file) for file in files}) == 1
