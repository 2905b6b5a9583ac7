"""What the columns of a table say: who and what is on its images, and their parts and folds."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from bycase.datasets.inspect.class_names import CLASS_WORDS, words_of
from bycase.datasets.inspect.groups import NEVER, PURE, Reading, describe_groups
from bycase.datasets.inspect.levels import MOST_CLASSES
from bycase.datasets.inspect.tables import Table, own_columns
from bycase.datasets.layouts.table import LABEL_COLUMNS
from bycase.datasets.part_words import read_part

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
        "idpatient",
        "paciente",
        "idpaciente",
        "paziente",
        "patienten",
    ),
    ("case", "caseid", "casenumber"),
    ("lesion", "lesionid", "group", "groupid"),
    ("slide", "slideid", "wsi", "wsiid", "specimen", "specimenid"),
)
PARTS = ("part", "split", "set", "subset", "partition")
FOLDS = ("fold", "folds", "cv", "kfold")


def label_readings(table: Table) -> Iterator[Reading]:
    """Columns that could be the classes': those of a usual name; without any, all of a few texts that recur.

    Of these come first those that hold words of classes alone; one with a usual name of patients is none.
    """
    usual = [
        column
        for column in table.usual_labels
        if column != table.image and 2 <= table.frame[column].nunique() <= MOST_CLASSES
    ]
    yield from (table.reading(column, LABEL_COLUMNS.index(column.lower()) > 0) for column in usual)
    if usual:
        return
    for column in _free(table):
        values = set(table.frame[column])
        if 2 <= len(values) <= MOST_CLASSES and len(values) * 2 <= table.rows and _rank(column) == NEVER:
            yield table.reading(column, NEVER if any(not words_of(each) & CLASS_WORDS for each in values) else 2)


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
    free = [*_free(table), *([table.image] if table.match is not None else [])]
    usual = {column: rank for column in free if (rank := _rank(column)) < NEVER}
    yield from (table.reading(column, rank) for column, rank in sorted(usual.items(), key=lambda item: item[1]))
    for column in free:
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
    return [column for column in own_columns(table.frame) if column != table.image]


def _rank(column: str) -> int:
    return next((rank for rank, names in enumerate(PATIENTS) if _plain(column) in names), NEVER)


def _plain(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower())
