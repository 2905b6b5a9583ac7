"""`bycase.check_split`: which patients stand on two sides of a split, and how many held-out images they concern."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.api.inputs import check_length, read_column
from bycase.api.results import Result
from bycase.core.wording import count, percent, plural
from bycase.datasets.part_words import read_part
from bycase.datasets.splits.leaks import find_leak

NAMED = 5  # patients in a sentence
ROLES = ("patient", "part", "label", "fold", "image")


@dataclass(frozen=True, repr=False)
class FoldLeak(Result):
    """What one split leaks.

    Attributes
    ----------
    fold : str
        Which of several; empty where there is one.
    held_out : {'test', 'val'}
        What is looked at: validation where there is no test part.
    learned : str
        The parts that a network learns from, in words.
    patients : tuple of str
        Those with images in more than one part.
    images : tuple of str
        Images that themselves stand in more than one part; empty where images have no names.
    n_held_out, n_seen : int
        Held-out images, and those of them whose patient a network has learned from.
    by_class : mapping of str to tuple of two int
        Of each class the images that are seen, and all that are held out; empty without labels.
    """

    fold: str
    held_out: str
    learned: str
    patients: tuple[str, ...]
    images: tuple[str, ...]
    n_held_out: int
    n_seen: int
    by_class: Mapping[str, tuple[int, int]]

    @property
    def clean(self) -> bool:
        """Whether no patient and no image is on two sides."""
        return not self.patients and not self.images

    @property
    def share(self) -> float:
        """Share of the held-out images whose patient a network has learned from, in [0, 1]."""
        return self.n_seen / self.n_held_out

    def __str__(self) -> str:
        if self.clean:
            return "no patient in more than one part"
        rest = len(self.patients) - NAMED
        names = ", ".join(self.patients[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
        classes = ", ".join(f"{label} {count(seen)}/{count(n)}" for label, (seen, n) in self.by_class.items())
        twice = f", {plural(len(self.images), 'image')} too" if self.images else ""
        return (
            f"{plural(len(self.patients), 'patient')} in more than one part ({names}){twice}; {count(self.n_seen)} of "
            f"{count(self.n_held_out)} {self.held_out} images ({percent(self.share)}) have theirs in "
            f"{self.learned}{f' ({classes})' if classes else ''}"
        )


@dataclass(frozen=True, repr=False)
class SplitCheck(Result):
    """What `check_split` returns.

    Attributes
    ----------
    clean : bool
        Whether nothing is on two sides in any fold.
    n_patients, n_images : int
        Of all folds together; without names of images those of the largest fold.
    patients : tuple of str
        Those on two sides in any fold, sorted.
    folds : tuple of FoldLeak
        Of each fold; of a single split one.
    """

    clean: bool
    n_patients: int
    n_images: int
    patients: tuple[str, ...]
    folds: tuple[FoldLeak, ...]

    def __str__(self) -> str:
        size = f"{plural(self.n_images, 'image')} of {plural(self.n_patients, 'patient')}"
        several = len(self.folds) > 1
        if self.clean:
            return f"Clean: {size}, none of them in more than one part{' of any fold' if several else ''}."
        if not several:
            return f"LEAK: {size}; {self.folds[0]}."
        leaking = [fold for fold in self.folds if not fold.clean]
        worst = max(leaking, key=lambda fold: fold.share)
        return (
            f"LEAK in {len(leaking)} of {len(self.folds)} folds: {size}; {len(self.patients)} of the patients on two "
            f"sides; the most in fold {worst.fold}: {worst}."
        )


def check_split(
    data: pd.DataFrame | None = None,
    *,
    patient: Any = None,
    part: Any = None,
    label: Any = None,
    fold: Any = None,
    image: Any = None,
) -> SplitCheck:
    """Find the patients, and the images, that a split has on two sides.

    Parameters
    ----------
    data : DataFrame, optional
        A row an image, with several splits a row an image and split. The arguments below then name its columns; those
        that are left out are the columns of their own names, as far as there are such; `fold` only without a part.
    patient : array_like of shape (n_rows,), or str
        Whose each image is.
    part : array_like of shape (n_rows,), or str, optional
        ``train``, ``val`` or ``test``, or another usual word for them. Left out, each fold is tested by what was
        trained on all others.
    label : array_like of shape (n_rows,), or str, optional
        The images' classes, to count by.
    fold : array_like of shape (n_rows,), or str, optional
        Which of several splits a row is of; without `part`, the fold that tests the image.
    image : array_like of shape (n_rows,), or str, optional
        The images' names, to find those that are on two sides themselves.

    Returns
    -------
    SplitCheck
        Prints as a sentence.

    Raises
    ------
    ValueError
        If there is no such column, lengths differ, a value is missing, a part is none, or nothing is held out or
        learned from.

    Examples
    --------
    >>> import bycase
    >>> print(bycase.check_split(patient=["A", "A", "B", "B", "C"], part=["train", "test", "train", "train", "test"]))
    LEAK: 5 images of 3 patients; 1 patient in more than one part (A); 1 of 2 test images (50 %) have theirs in
    train.
    >>> print(bycase.check_split(patient=["A", "A", "B"], part=["train", "training", "test"]).clean)
    True

    A frame, by the names of its columns; five folds, each tested once:

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"case": list("AABBCCDDEE"), "k": [0, 1, 1, 1, 2, 2, 3, 3, 4, 4]})
    >>> print(bycase.check_split(frame, patient="case", fold="k"))
    LEAK in 2 of 5 folds: 10 images of 5 patients; 1 of the patients on two sides; the most in fold 0: 1 patient
    in more than one part (A); 1 of 1 test images (100 %) have theirs in train.
    """
    table = _read_table(data, dict(zip(ROLES, (patient, part, label, fold, image), strict=True)))
    splits = _folds(table)
    leaks = tuple(_find(name, rows) for name, rows in splits)
    return SplitCheck(
        clean=all(leak.clean for leak in leaks),
        n_patients=table["patient"].nunique(),
        n_images=table["image"].nunique() if "image" in table else max(len(rows) for _, rows in splits),
        patients=tuple(sorted({name for leak in leaks for name in leak.patients})),
        folds=leaks,
    )


def _read_table(data: pd.DataFrame | None, given: Mapping[str, Any]) -> pd.DataFrame:
    """The columns that there are, as texts, by their roles."""
    if data is not None and not isinstance(data, pd.DataFrame):
        raise ValueError("the first argument is a frame; give arrays by name: patient=..., part=...")
    columns: dict[str, Any] = {}
    for role, value in given.items():
        if data is None or not (value is None or isinstance(value, str)):
            found = value
        elif value is None:
            found = None if role == "fold" and "part" in columns else data.get(role)
        elif value in data:
            found = data[value]
        else:
            raise ValueError(f"{role}: the frame has no column '{value}'; there are {', '.join(map(str, data))}")
        if found is not None:
            columns[role] = read_column(found, role)
    if "patient" not in columns:
        raise ValueError("patient: say whose each image is, by an array or the name of a column")
    if "part" not in columns and "fold" not in columns:
        raise ValueError("part: say what is train, val and test, or by fold= which fold tests each image")
    for role, column in columns.items():
        check_length(len(column), role, len(columns["patient"]))
    table = pd.DataFrame(columns)
    if "part" in table:
        parts = table["part"].map(read_part)
        if (parts == "").any():
            raise ValueError(f"part: '{table['part'][parts == ''].iloc[0]}' is none of train, val and test")
        table["part"] = parts
    return table


def _folds(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Every split, by name: rows with their parts."""
    if "fold" not in table:
        return [("", table)]
    names = sorted(set(table["fold"]), key=lambda name: (len(name), name))
    if "part" in table:
        return [(name, table[table["fold"] == name]) for name in names]
    tested = ((name, (table["fold"] == name).map({True: "test", False: "train"})) for name in names)
    return [(name, table.assign(part=parts)) for name, parts in tested]


def _find(fold: str, rows: pd.DataFrame) -> FoldLeak:
    held_out = "test" if (rows["part"] == "test").any() else "val"
    where = f"part{f' (fold {fold})' if fold else ''}"
    if not (rows["part"] == held_out).any():
        raise ValueError(f"{where}: no image is in test or val, so that nothing is held out")
    if (rows["part"] == held_out).all():
        raise ValueError(f"{where}: all images are in {held_out}, so that nothing is learned from")
    named = rows if "image" in rows else rows.assign(image=range(len(rows)))
    leak = find_leak(named if "label" in rows else named.assign(label=""), "patient").summary()
    parts = rows.groupby("image")["part"].nunique() if "image" in rows else pd.Series(dtype=int)
    by_class = {name: (each["seen"], each["images"]) for name, each in leak["by_class"].items()}
    return FoldLeak(
        fold=fold,
        held_out=held_out,
        learned=" or ".join(part for part in ("train", "val") if part != held_out and (rows["part"] == part).any()),
        patients=tuple(leak["names"]),
        images=tuple(parts.index[parts > 1]),
        n_held_out=leak["held_out_images"],
        n_seen=leak["seen_images"],
        by_class=by_class if "label" in rows else {},
    )
