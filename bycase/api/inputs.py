"""Callers' arrays, lists and frames as this project's units; what is wrong with them is a ValueError of one line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.apps.judge.classes import LOOKED_FOR
from bycase.core.errors import UserError
from bycase.core.wording import plural
from bycase.statistics.units import Floats, Integers, Units, positive_number, predict_classes
from bycase.tables.predictions import SUM_TOLERANCE

Texts = NDArray[np.str_]
RESAMPLES = (100, 1_000_000)
SEEDS = (0, 2**32 - 1)


@contextmanager
def value_errors() -> Iterator[None]:
    """Make ValueErrors of the library's own messages."""
    try:
        yield
    except UserError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Truth:
    """What is known of the images but for predictions.

    Attributes
    ----------
    labels : ndarray of shape (n_images,), str
        The true classes.
    patient : ndarray of shape (n_images,), str
        Whose each image is; where that is unknown each image is its own.
    fold : ndarray of shape (n_images,), str, or None
        Whose network predicted each.
    known : bool
        Whether patients are.
    """

    labels: Texts
    patient: Texts
    fold: Texts | None
    known: bool

    @property
    def clusters(self) -> str:
        """What intervals are over."""
        return "patients" if self.known else "images"

    @property
    def size(self) -> str:
        """Images and, where they are known, patients, in words."""
        words = plural(len(self.labels), "image")
        return f"{words} of {plural(len(set(self.patient)), 'patient')}" if self.known else words


def read_truth(y_true: Any, patient: Any, fold: Any = None) -> Truth:
    """Check and convert what the functions share.

    Raises
    ------
    ValueError
        If lengths differ, a value is missing, there are no images, or all are of one class.
    """
    labels = read_column(y_true, "y_true")
    others = {"patient": patient, "fold": fold}
    given = {name: read_column(values, name) for name, values in others.items() if values is not None}
    for name, column in given.items():
        check_length(len(column), name, len(labels))
        check_order(y_true, others[name], name)
    if len(set(labels)) < 2:
        raise ValueError(f"y_true: all {plural(len(labels), 'image')} are of class {labels[0]}; two classes are needed")
    if "fold" in given and all(len(set(labels[given["fold"] == each])) < 2 for each in set(given["fold"])):
        raise ValueError("fold: none has images of two classes, so that no AUC is defined")
    alone = np.arange(len(labels)).astype(str)
    return Truth(labels, given.get("patient", alone), given.get("fold"), "patient" in given)


def read_column(values: Any, name: str) -> Texts:
    """One value an image, as text: whole numbers without decimals.

    Parameters
    ----------
    values : array_like of shape (n,) or (n, 1)
        Texts, numbers or truth values.
    name : str
        What messages call it.

    Returns
    -------
    ndarray of shape (n,), str
    """
    column = np.asarray(values, object)
    column = column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column
    if column.ndim != 1:
        raise ValueError(f"{name}: one value an image is needed, but its shape is {column.shape}")
    if not len(column):
        raise ValueError(f"{name} is empty")
    missing = pd.isna(column)
    if missing.any():
        way_out = "; where patients are unknown give None for all" if name == "patient" else ""
        raise ValueError(
            f"{name}: {missing.sum()} of {len(column)} values are missing, the first at position "
            f"{missing.argmax()}{way_out}"
        )
    return np.array([as_text(value) for value in column])


def check_length(length: int, name: str, images: int) -> None:
    """Refuse another number of rows than there are images."""
    if length != images:
        raise ValueError(f"{name} has {length} values, but there are {plural(images, 'image')}: give one an image")


def check_order(one: Any, other: Any, name: str) -> None:
    """Refuse two Series or frames with the same index in another order: all is read by position."""
    first, second = getattr(one, "index", None), getattr(other, "index", None)
    if not (isinstance(first, pd.Index) and isinstance(second, pd.Index)) or first.equals(second):
        return
    if len(first) == len(second) and not len(first.symmetric_difference(second)):
        raise ValueError(f"{name} has the index of y_true in another order; bring both into one")


def read_scores(y_score: Any, images: int, name: str = "y_score") -> Floats:
    """Probabilities as they are given, checked.

    Returns
    -------
    ndarray of shape (n_images,) or (n_images, n_classes), float64, in [0, 1]
    """
    try:
        scores = np.asarray(y_score, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: not all values are numbers") from None
    scores = scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores
    if scores.ndim not in (1, 2):
        raise ValueError(f"{name}: of shape {scores.shape}; give (n_images,) or (n_images, n_classes)")
    check_length(len(scores), name, images)
    rows = scores.reshape(len(scores), -1)
    missing = ~np.isfinite(rows).all(axis=1)
    if missing.any():
        raise ValueError(
            f"{name}: {missing.sum()} of {len(rows)} images have NaN or no finite number, the first at "
            f"position {missing.argmax()}"
        )
    outside = ((rows < 0) | (rows > 1)).any(axis=1)
    if outside.any():
        raise ValueError(
            f"{name}: {outside.sum()} of {len(rows)} images have a value outside [0, 1], the first at "
            f"position {outside.argmax()}; of logits take the sigmoid or softmax first"
        )
    return _scaled(scores, name) if scores.ndim == 2 else scores


def _scaled(scores: Floats, name: str) -> Floats:
    """Probabilities rounded to two decimals or more, made to sum to one again."""
    sums = scores.sum(axis=1)
    off = np.abs(sums - 1)
    wrong = off > max(SUM_TOLERANCE, scores.shape[1] * 0.005 * (np.round(scores, 2) == scores).all())
    if wrong.any():
        raise ValueError(
            f"{name}: {wrong.sum()} of {len(scores)} images have probabilities that do not sum to one, "
            f"the first at position {wrong.argmax()} ({sums[wrong.argmax()]:.3g})"
        )
    return np.where(off[:, None] > SUM_TOLERANCE, scores / sums[:, None], scores)


@dataclass(frozen=True)
class Classes:
    """All classes and, of two, the one that is looked for; those in the order of the scores' columns."""

    names: tuple[str, ...]
    positive: str | None
    truth: Integers


def read_classes(truth: Truth, scores: Any, classes: Sequence[Any] | None, positive: Any) -> Classes:
    """Match labels with columns of scores.

    Parameters
    ----------
    truth : Truth
        The images.
    scores : array_like or DataFrame
        As given: one column is of the positive class; several are of all, which a frame's columns name.
    classes : sequence, optional
        In the order of the columns, of two the positive one last; labels that are none of them are their numbers.
    positive : optional
        Of two classes, the one that is looked for.

    Raises
    ------
    ValueError
        If they do not fit, a class has no image, or either of two classes may be the positive one.
    """
    labels, shape = truth.labels, np.shape(scores)
    columns = 1 if len(shape) == 1 else shape[1]
    if classes is None and columns > 1 and isinstance(scores, pd.DataFrame):
        classes = list(scores.columns)
    names = _sorted(labels) if classes is None else [as_text(label) for label in classes]
    if len(set(names)) < len(names):
        raise ValueError(f"classes: {', '.join(names)} has a class twice")
    numbered = {str(number): label for number, label in enumerate(names)}
    if not set(labels) & set(names) and set(labels) <= set(numbered):
        labels = np.array([numbered[label] for label in labels])
    if strange := sorted(set(labels) - set(names)):
        raise ValueError(f"y_true: label '{strange[0]}' is none of the classes {', '.join(names)}")
    if columns == 1 and len(names) != 2:
        raise ValueError(
            f"y_score is one probability an image, which is for two classes, but there are {len(names)} "
            f"({', '.join(names)}): give one column a class"
        )
    if columns not in (1, len(names)):
        raise ValueError(
            f"y_score has {columns} columns, but there are {len(names)} classes ({', '.join(names)}): "
            "name the class of each column by classes="
        )
    if absent := [label for label in names if label not in set(labels)]:
        raise ValueError(f"y_true: no image is of class {absent[0]}, so that its recall and the AUC are undefined")
    chosen = _positive(names, classes is not None, positive)
    if columns == 1 and chosen == names[0]:
        names = names[::-1]  # the one column is of the positive class, the last
    number = {label: place for place, label in enumerate(names)}
    return Classes(tuple(names), chosen, np.array([number[label] for label in labels], np.int64))


def _positive(names: list[str], ordered: bool, positive: Any) -> str | None:
    if len(names) > 2:
        if positive is not None:
            raise ValueError(f"positive: there are {len(names)} classes, each of which is set against the rest")
        return None
    if positive is not None:
        if as_text(positive) not in names:
            raise ValueError(f"positive: '{as_text(positive)}' is none of the classes {', '.join(names)}")
        return as_text(positive)
    if ordered or set(names) == {"0", "1"}:
        return names[-1]
    found = [label for label in names if label.casefold() in LOOKED_FOR]
    if len(found) == 1:
        return found[0]
    one, other = names
    raise ValueError(f"either class may be the one that is looked for: positive='{one}' or positive='{other}'")


def make_units(truth: Truth, classes: Classes, scores: Floats, threshold: float | None) -> Units:
    """One unit an image; `scores` as of `read_scores`."""
    number = positive_number(classes.names, classes.positive)
    full = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    return Units(
        classes=classes.names,
        truth=classes.truth,
        scores=full,
        predicted=predict_classes(full, number, threshold),
        patient=numbered(truth.patient),
        fold=None if truth.fold is None else numbered(truth.fold),
        positive=number,
    )


def numbered(values: Texts) -> Integers:
    """Names as numbers from 0, in the order of the names."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def check_number(value: Any, name: str, low: float, high: float, *, ends: bool = True) -> None:
    """Refuse a setting outside its range; without `ends` the range's own are refused too."""
    if not isinstance(value, int | float | np.number):
        raise ValueError(f"{name}: {value!r} is no number")
    if not (low <= value <= high if ends else low < value < high):
        raise ValueError(
            f"{name}: {value:g} is not {'from' if ends else 'between'} {low:,} {'to' if ends else 'and'} {high:,}"
        )


def check_count(value: Any, name: str, low: int, high: int) -> None:
    """Refuse what is no whole number from `low` to `high`."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name}: {value!r} is no whole number")
    check_number(value, name, low, high)


def as_text(value: Any) -> str:
    """Truth values as 0 and 1, whole numbers without decimals."""
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole or isinstance(value, bool | np.bool_) else str(value)


def _sorted(labels: Texts) -> list[str]:
    """Distinct labels, numbers by size."""
    distinct = sorted(set(labels.tolist()))
    return sorted(distinct, key=int) if all(label.lstrip("-").isdecimal() for label in distinct) else distinct
