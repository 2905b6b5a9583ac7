"""What is wrong with a table of predictions, in words: faults keep it from being judged, leaks do not."""

from collections.abc import Sequence

import pandas as pd

from bycase.apps.judge.classes import Classes
from bycase.apps.judge.columns import Columns
from bycase.core.wording import plural
from bycase.statistics.units import Bools

NAMED = 3  # examples in a message


def find_row_faults(rows: pd.DataFrame, used: Bools, classes: Classes, columns: Columns) -> list[str]:
    """What of images, labels, patients and folds keeps the table from being judged."""
    faults = []
    for role, column in (("image", columns.image), ("label", columns.label), ("patient", columns.patient)):
        empty = (rows[role] == "").to_numpy(bool)
        if column and empty.any():
            way = "; where patients are unknown say --patient none" if role == "patient" else ""
            faults.append(f"{plural(int(empty.sum()), 'row')} without {role} in column {column}: complete them{way}")
    empty = used & (rows["fold"] == "").to_numpy(bool)
    if columns.fold and empty.any():
        faults.append(f"{plural(int(empty.sum()), 'row')} without fold: complete them, or say --fold none")
    strange = rows["label"][~rows["label"].isin([*classes.names, ""])]
    if len(strange):
        faults.append(f"label '{strange.iloc[0]}' is none of the classes {', '.join(classes.names)}")
    doubled = rows[rows.duplicated(["image", "part"], keep=False) & (rows["image"] != "") & used]
    if len(doubled):
        names = doubled["image"].unique()
        faults.append(
            f"{plural(len(names), 'image')} more than once in one part, such as {names[0]}: give one row an image, "
            "as the mean over its views or repeats"
        )
    return faults


def find_class_faults(rows: pd.DataFrame, used: Bools, classes: Classes, column: str) -> list[str]:
    """What of the program's own classes, in `column`, is none of the table's."""
    strange = used & ~rows["predicted"].isin(classes.names).to_numpy(bool)
    if not strange.any():
        return []
    first = int(strange.argmax())
    found = rows["predicted"].iloc[first] or "nothing"
    return [
        f"{int(strange.sum())} images have in {column} none of the classes, such as {found} for "
        f"{rows['image'].iloc[first]}; correct them, or leave the column out with --predicted none"
    ]


def find_leaks(rows: pd.DataFrame, known: bool) -> list[str]:
    """Images and, where they are known, patients in more than one part or fold."""
    warnings = []
    for unit, noun in (("image", "image"), ("patient", "patient")) if known else (("image", "image"),):
        by_unit = rows[["part", unit]].drop_duplicates().groupby(unit)["part"].agg(lambda parts: sorted(parts))
        several = by_unit[by_unit.map(len) > 1]
        if len(several):
            warnings.append(_leak(len(several), noun, "part", list(several.index), [" and ".join(p) for p in several]))
    judged = rows[rows["part"] == "test"]
    folds = judged.groupby("patient")["fold"].nunique()
    folds = folds[folds > 1]
    if known and len(folds):
        warnings.append(_leak(len(folds), "patient", "fold", list(folds.index), [f"{n} folds" for n in folds]))
    return warnings


def _leak(n: int, noun: str, of: str, names: Sequence[str], places: Sequence[str]) -> str:
    shown = ", ".join(f"{name} in {place}" for name, place in zip(names[:NAMED], places[:NAMED], strict=True))
    verb = "is" if n == 1 else "are"
    return f"LEAK: {plural(n, noun)} {verb} in more than one {of} ({shown}): the results are too optimistic"
