"""From files to an entry of `params.yaml`: readings are found, chosen or asked for, and tried by the layouts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.params import validate
from bycase.core.params_data import DatasetParams
from bycase.datasets.inspect import columns, levels, stems
from bycase.datasets.inspect.class_names import find_positive
from bycase.datasets.inspect.found import Found
from bycase.datasets.inspect.groups import (
    NEVER,
    Choice,
    Reading,
    choose_label,
    choose_patient,
    describe_groups,
    same_division,
)
from bycase.datasets.inspect.pictures import Look, browser_copies, count_kinds, exact_copies, look_at
from bycase.datasets.inspect.published import recognise
from bycase.datasets.inspect.tables import Table, find_table
from bycase.datasets.layouts.listing import Listing, is_image, is_mask
from bycase.datasets.layouts.naming import PathReader, plain
from bycase.datasets.layouts.registry import read_layout
from bycase.datasets.part_words import read_part
from bycase.tables.tabular import TABLE_SUFFIXES

NONE = "none"  # of an option: nothing stands for it


@dataclass(frozen=True)
class Options:
    """What the user says: a column, a folder level, an expression or `NONE` each; `names` maps labels to classes."""

    label: str | None = None
    patient: str | None = None
    part: str | None = None
    image: str | None = None
    names: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def any_given(self) -> bool:
        """Whether the user says anything."""
        return any((self.label, self.patient, self.part, self.image, self.names))


@dataclass(frozen=True)
class Inspection:
    """What is known after a look.

    Attributes
    ----------
    found : Found
        The files.
    layout : str
        A name for the report.
    label, patient : Choice
        The readings of class and patient; without any for a published data set.
    labels : tuple of str
        The class, or what stands for it, of the images that the readings are of.
    table : Table or None
        The table that names the images.
    entry : dict or None
        For `datasets`; None where the user is asked for a choice.
    listing : Listing or None
        What the reader makes of it with that entry.
    look, kinds, copies, browser : see `bycase.datasets.inspect.pictures`
    """

    found: Found
    layout: str
    label: Choice
    patient: Choice
    labels: tuple[str, ...]
    table: Table | None
    entry: dict[str, Any] | None
    listing: Listing | None
    look: Look
    kinds: Mapping[str, int]
    copies: list[list[Path]]
    browser: list[Path]


@dataclass(frozen=True)
class _Plan:
    """Layout, its section of the entry, and the readings that it follows from."""

    layout: str
    label: Choice
    patient: Choice
    images: Sequence[Path]
    section: dict[str, Any]
    table: Table | None = None
    one_hot: tuple[str, ...] = ()


def inspect(found: Found, only: Path | None, options: Options) -> Inspection:
    """Look at files and say what they are.

    Parameters
    ----------
    found : Found
        The files.
    only : Path, optional
        The table that the user has named, relative to ``found.root``.
    options : Options
        The user's choices.

    Raises
    ------
    UserError
        If there are no images, nothing names a class, there is only one, or an option fits nothing.
    """
    pictures = [path for path in found.files if is_image(path)]
    if not pictures:
        kinds = ", ".join(f"{n} {kind}" for kind, n in count_kinds(found.files).most_common(5)) or "nothing"
        raise UserError(f"{found.source} holds no image that can be read here; there are: {kinds}")
    look = look_at(found.sample, found.read)
    published = None if options.any_given or only else recognise(found.files)
    if published:
        plan = _Plan(published["layout"], Choice(), Choice(), pictures, {})
        entry = _source(published["layout"], found) | published | {"phantom": None}
    else:
        plan = _plan(found, pictures, only, options)
        entry = _make_entry(plan, found, options, look)
    images = [path for path in pictures if not is_mask(path)]
    asked = not published and ((plan.label.chosen is None and not plan.one_hot) or plan.patient.rivals)
    data = None if asked else validate(DatasetParams, entry, "the entry")
    return Inspection(
        found,
        plan.layout,
        plan.label,
        plan.patient,
        plan.label.chosen.values if plan.label.chosen else ("",) * len(plan.images),
        plan.table,
        None if asked else entry,
        read_layout(data, found.root) if data else None,
        look,
        count_kinds(found.files),
        exact_copies(images, found.sizes, found.digest),
        browser_copies(images),
    )


def _plan(found: Found, pictures: list[Path], only: Path | None, options: Options) -> _Plan:
    images = [path for path in pictures if not is_mask(path)]
    if not images:
        raise UserError(
            f"{found.source} holds only masks, {pictures[0]} among them; give the folder with the images too"
        )
    by_level = options.label is not None and re.fullmatch(r"-?\d+", options.label) is not None
    table = None if by_level else find_table(found.root, found.files, images, options.image, only)
    if options.image and table is None:
        raise UserError(f"--image {options.image}: no table with that column names an image below {found.source}")
    if table is not None:
        labels = (
            [_given("label", options.label, table.images, table)]
            if options.label
            else list(columns.label_readings(table))
        )
        hot = () if options.label or any(each.rank < NEVER for each in labels) else tuple(columns.one_hot(table))
        folders = None if options.label or hot else _class_folders(labels, table.images)
        if folders and not (only or _serves(table, images)):
            return _plan_folders(images, found, options)
        labels = [folders] if folders else labels
        if labels or hot:
            return _plan_table(table, images, labels, hot, options)
        if only is not None:
            raise UserError(f"{only.name}: no column names a class; give it by --label, one of {_columns(table)}")
    return _plan_folders(images, found, options)


def _class_folders(labels: Sequence[Reading], images: Sequence[Path]) -> Reading | None:
    """The folders that name the class beside a table without one: age and sex are none."""
    if any(each.rank < NEVER for each in labels):
        return None
    named = [each for each in levels.label_readings(images) if each.rank == 0]
    return _as_expression(named[0], "label") if named else None


def _serves(table: Table, images: Sequence[Path]) -> bool:
    """Whether a table that only describes can stand for the folders: all images are in it, and their parts."""
    parted = levels.has_parts(images) and columns.part_column(table) is None
    folded = levels.has_folds(images) and columns.fold_column(table) is None
    return set(images) == set(table.images) and not (parted or folded)


def _plan_table(
    table: Table, images: list[Path], labels: list[Reading], hot: tuple[str, ...], options: Options
) -> _Plan:
    label = Choice() if hot else choose_label(labels)
    if not hot and not options.label:
        # A class by folders that says another thing than the table leaves the choice to the user.
        folders = [each for each in levels.label_readings(table.images) if each.rank == 0]
        other = [each for each in folders if label.chosen and not same_division(each.values, label.chosen.values)]
        if other and label.chosen and len(set(label.chosen.values)) == len(set(other[0].values)):
            label = Choice(None, (label.chosen, other[0]))
    values = label.chosen.values if label.chosen else _one_hot_values(table, hot)
    readings = [
        *columns.patient_readings(table, values, label.chosen.place if label.chosen else None),
        *(_as_expression(each) for each in levels.patient_readings(table.images, None)),
        *stems.patient_readings(table.images),
    ]
    patient = _patient(options, table.images, table, [each for each in readings if each.place not in hot], values)
    section: dict[str, Any] = {"file": table.file, "sheet": table.sheet, "image": table.image, "match": table.match}
    section["label"] = list(hot) if hot else label.chosen.place if label.chosen else None
    section["patient"] = patient.chosen.place if patient.chosen else None
    if options.part:
        section["part"] = _given_part(options.part, table.images, table)
    else:
        section["part"], section["fold"] = columns.part_column(table), columns.fold_column(table)
    section["root"] = columns.common_root(table, images)
    section["join"] = table.join if table.joined & {str(place) for place in section.values()} else None
    return _Plan("table", label, patient, table.images, section, table, hot)


def _plan_folders(images: list[Path], found: Found, options: Options) -> _Plan:
    images = levels.without_stray(images)
    if options.label:
        label = Choice(_given("label", options.label, images, None))
    else:
        named = list(stems.label_readings(images))
        readings = [*levels.label_readings(images), *(each for each in named if each.rank < NEVER)] or named
        readings = [each for each in readings if 2 <= len(set(each.values)) <= levels.MOST_CLASSES]
        if not readings:
            raise UserError(_no_class(images, found))
        label = choose_label(readings)
    values = label.chosen.values if label.chosen else ("",) * len(images)
    taken = label.rivals or ((label.chosen,) if label.chosen else ())
    readings = [
        each
        for each in levels.patient_readings(images, label.chosen)
        if all(each.values != one.values for one in taken)
    ]
    patient = _patient(options, images, None, [*readings, *stems.patient_readings(images)], values)
    section: dict[str, Any] = {"label": label.chosen.place if label.chosen else "auto"}
    section["patient"] = patient.chosen.place if patient.chosen else None
    if options.part:
        section["part"] = _given_part(options.part, images, None)
    else:
        section["part"] = "auto" if levels.has_parts(images) else None
        section["fold"] = "auto" if levels.has_folds(images) else None
    return _Plan("folders", label, patient, images, section)


def _patient(
    options: Options, images: Sequence[Path], table: Table | None, readings: list[Reading], labels: Sequence[str]
) -> Choice:
    if options.patient == NONE:
        return Choice()
    if options.patient:
        return Choice(_given("patient", options.patient, images, table))
    return choose_patient(readings, labels)


def _given(key: str, text: str, images: Sequence[Path], table: Table | None) -> Reading:
    """The reading that an option names; a UserError where it fits nothing."""
    if table is not None and text in table.frame.columns:
        return table.reading(text, 0)
    place = _place(text)
    if table is not None and isinstance(place, int):
        place = _as_expression(Reading(place, "", ()), key).place
    if isinstance(place, str) and place.replace("_", "").isalnum():
        there = f"columns: {_columns(table)}" if table else "no table"
        raise UserError(f"--{key} {text}: neither a column ({there}) nor a folder level nor an expression")
    try:
        reader = PathReader({key: place}, "")
        values = tuple(reader.read(path).get(key, "") for path in images)
        reader.check(len(images))
    except ValueError as error:
        raise UserError(f"--{key} {text}: {error}, as of {images[0].as_posix()}") from None
    except UserError as error:
        raise UserError(f"--{str(error).removeprefix('.')}") from None
    words = f"folder level {place}" if isinstance(place, int) else f"expression {place}"
    return Reading(place, words, values, 0)


def _given_part(text: str, images: Sequence[Path], table: Table | None) -> int | str | None:
    """Where the parts stand; a UserError where what stands there is none."""
    if text == NONE:
        return None
    reading = _given("part", text, images, table)
    if not any(map(read_part, reading.values)):
        raise UserError(f"--part {text}: says none of train, val and test, but '{reading.values[0]}'")
    return reading.place


def _place(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _as_expression(reading: Reading, key: str = "patient") -> Reading:
    """A folder level as tables take it."""
    level = int(reading.place)
    begin = "(?:^|/)" if level < 0 else "^" if level == 1 else f"^(?:[^/]+/){{{level - 1}}}"
    below = "/" if level > 0 else f"(?:/[^/]+){{{-level}}}$"
    return Reading(f"{begin}(?P<{key}>[^/]+){below}", reading.words, reading.values, reading.rank)


def _one_hot_values(table: Table, hot: Sequence[str]) -> tuple[str, ...]:
    if not hot:
        return ("",) * len(table.frame)
    return tuple(map(str, table.frame[list(hot)].astype(int).idxmax(axis=1)))


def _columns(table: Table) -> str:
    return ", ".join(column for column in table.frame.columns if not column.startswith("/"))


def _no_class(images: list[Path], found: Found) -> str:
    folders = sorted({path.parts[-2] for path in images if len(path.parts) > 1})
    tables = [path.as_posix() for path in found.files if path.suffix.lower() in TABLE_SUFFIXES - {".txt"}]
    if len(folders) == 1 and not tables:
        return f"{found.source}: all {len(images)} images are of one class, '{folders[0]}'; two are needed"
    where = f"folders there: {', '.join(folders[:6])}" if len(folders) > 1 else "all images lie in one folder"
    where += f"; {tables[0]} names none of them" if tables else ""
    return (
        f"{found.source}: nothing names a class; {where}; such as {images[0].as_posix()}; put the images of each class "
        "into a folder, add a table with the columns file_name and label, or give --label a level or an expression"
    )


def _make_entry(plan: _Plan, found: Found, options: Options, look: Look) -> dict[str, Any]:
    raw = plan.one_hot or (plan.label.chosen.values if plan.label.chosen else ())
    names = {plain(label): name for label, name in options.names.items()}
    unknown = [label for label in options.names if plain(label) not in {plain(each) for each in raw}]
    if unknown and raw:
        raise UserError(f"--name {unknown[0]}: no such label; there are {', '.join(sorted(set(raw))[:12])}")
    named: dict[str, str] = {}
    for label in dict.fromkeys(raw):
        name = names.get(plain(label), label.strip())
        if label and name:
            named.setdefault(plain(name), name)
    classes = sorted(named.values())
    if raw and len(classes) < 2:
        raise UserError(
            f"{found.source}: all images are of one class, '{classes[0] if classes else ''}'; two are needed"
        )
    section = {key: value for key, value in plan.section.items() if value is not None}
    if options.names:
        section["names"] = dict(options.names)
    return {
        **_source(plan.layout, found),
        "folders": section if plan.layout == "folders" else None,
        "table": section if plan.layout == "table" else None,
        "classes": classes,
        "positive": find_positive(classes),
        "task": None,
        "image_size": look.image_size,
        "resize": "squash",
        "max_bad_share": 0.01,
        "value_range": None,
        "weights": "imagenet",
        "phantom": None,
    }


def _source(layout: str, found: Found) -> dict[str, Any]:
    """What every entry begins with."""
    nothing = dict.fromkeys(("slug", "url", "sha256", "revision"))
    return {"layout": layout, "source": "local", **nothing, "path": str(found.source), "max_unpacked_gb": 20}


def describe_reading(reading: Reading, labels: Sequence[str]) -> str:
    """A reading's evidence in a few words."""
    groups = describe_groups(reading.values, labels)
    mixed = round((1 - groups.purity) * groups.number)
    words = f"{reading.words}: {groups.number}, {groups.images:g} images each, such as {', '.join(groups.examples)}"
    return words + (f"; {mixed} of them have images of several classes" if mixed and set(labels) != {""} else "")
