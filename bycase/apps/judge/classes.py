"""Which classes a table is about, which of two is looked for, and each image's probability of every class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from bycase.apps.judge.columns import POSITIVE, Columns, numbers, plain
from bycase.apps.judge.options import Options
from bycase.core.errors import UserError
from bycase.statistics.units import HALF, Bools, Floats
from bycase.tables.predictions import SUM_TOLERANCE

LOOKED_FOR = (
    *("malignant", "cancer", "cancerous", "positive", "pos", "tumor", "tumour", "melanoma", "carcinoma"),
    *("disease", "diseased", "abnormal", "yes", "true"),
)
FEWEST_DECIMALS = 2  # of probabilities whose rounding is told from a wrong sum


@dataclass(frozen=True)
class Classes:
    """The classes of a table.

    Attributes
    ----------
    names : list of str
        All; of two, the positive one last.
    positive : str or None
        Of two, the one that is looked for.
    columns : list of str
        The score column of each; of one alone, that of the positive class; empty where only classes are predicted.
    """

    names: list[str]
    positive: str | None
    columns: list[str]


def whole_numbers(values: pd.Series) -> pd.Series:
    """Labels such as ``1.0`` as ``1``, where all that are known are whole numbers; others as they are."""
    known = numbers(values)
    filled = (values != "").to_numpy(bool)
    if not filled.any() or not np.isfinite(known[filled]).all() or (known[filled] != np.round(known[filled])).any():
        return values
    return pd.Series([f"{int(number)}" if there else "" for number, there in zip(known, filled, strict=True)])


def name_classes(values: pd.Series, classes: Sequence[str]) -> pd.Series:
    """Numbers from 0 up as the names that `classes` gives them; other values as they are."""
    named = {str(number): label for number, label in enumerate(classes)}
    return values if set(classes) & set(values) else values.map(lambda value: named.get(value, value))


def find_classes(labels: pd.Series, columns: Columns, options: Options, name: str) -> Classes:
    """Match the score columns with the labels.

    Parameters
    ----------
    labels : Series of str
        Of all rows, those of the training part too; empty where not known.
    columns, options
        What was found and what was said.
    name : str
        The file, named in errors.

    Raises
    ------
    UserError
        If they do not match, or it is not clear which of two classes is looked for.
    """
    there = sorted(set(labels) - {""})
    spelled = {label.casefold(): label for label in there}
    if len(columns.scores) > 1:
        scored = name_classes(pd.Series(list(columns.scores)), options.classes)
        names = [spelled.get(label.casefold(), label) for label in scored]
        strange = [label for label in there if label not in names]
        if strange:
            raise UserError(
                f"{name}: the labels are {_some(there)}, the scores of {_some(names)}: say which number is which with "
                "--classes NAME_OF_0 NAME_OF_1 ..., or name each column with --score CLASS=COLUMN ..."
            )
    else:
        names = list(options.classes) or there
        if len(names) < 2:
            raise UserError(f"{name}: all labels are {_some(names)}; metrics need images of two classes or more")
    files = list(columns.scores.values())
    if len(names) > 2:
        if options.positive:
            raise UserError(f"{name}: --positive is for two classes; there are {len(names)}: {_some(names)}")
        if len(files) == 1:
            raise UserError(
                f"{name}: one score column, {files[0]}, for {len(names)} classes ({_some(names)}); give one a class, "
                "or leave it out and judge the class column with --score none"
            )
        return Classes(names, None, files)
    positive = _find_positive(names, columns, options, name)
    if len(files) == 2 and names[0] == positive:
        files.reverse()
    return Classes([*(label for label in names if label != positive), positive], positive, files)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _find_positive(names: Sequence[str], columns: Columns, options: Options, name: str) -> str:
    folded = {label.casefold(): label for label in names}
    if options.positive is not None:
        if options.positive.casefold() not in folded:
            raise UserError(f"{name}: --positive {options.positive} is none of the classes {_some(names)}")
        return folded[options.positive.casefold()]
    if len(columns.scores) == 1:
        ((of_class, column),) = columns.scores.items()
        (of_class,) = name_classes(pd.Series([of_class]), options.classes)
        if of_class.casefold() in folded:
            return folded[of_class.casefold()]
        if of_class and plain(of_class) not in POSITIVE and plain(column) not in POSITIVE:
            raise UserError(f"{name}: the score {column} is of '{of_class}', none of the classes {_some(names)}")
    if set(names) == {"0", "1"}:
        return "1"
    found = [label for label in names if label.casefold() in LOOKED_FOR]
    if len(found) == 1:
        return found[0]
    one, other = names
    raise UserError(f"{name}: either class may be the one that is looked for: --positive {one} or --positive {other}")


def read_scores(frame: pd.DataFrame, columns: Columns, classes: Classes) -> tuple[Floats, list[str]]:
    """The probability of every class.

    Returns
    -------
    scores : ndarray of shape (n_rows, n_classes), float64
        As they are in the file but for logits, of which softmax (of one column the sigmoid) is taken; those of two
        classes with one column are completed. NaN where a cell is no number.
    lines : list of str
        What was done to them.
    """
    values = np.column_stack([numbers(frame[column]) for column in classes.columns])
    lines = []
    if columns.kind == "logits":
        values = softmax(values, axis=1) if values.shape[1] > 1 else expit(values)
        lines.append(f"{'softmax' if values.shape[1] > 1 else 'sigmoid'} taken of the logits")
    if values.shape[1] == 1:
        values = np.column_stack([1 - values[:, 0], values[:, 0]])
        lines.append(f"{classes.columns[0]}: of {classes.positive}; of {classes.names[0]} it is 1 minus that")
    return values, lines


def find_score_faults(frame: pd.DataFrame, scores: Floats, columns: Columns, classes: Classes) -> list[str]:
    """What is wrong with the scores of the rows that are used; each in words, with the way out."""
    images, faults = frame[columns.image].tolist(), []
    listed = ", ".join(classes.columns)
    missing: Bools = np.asarray(~np.isfinite(scores).all(axis=1))
    if missing.any():
        faults.append(
            _fault(missing, images, "no number or NaN as score", f"predict them anew or leave them out: {listed}")
        )
    outside: Bools = np.asarray(~missing & ((scores < 0) | (scores > 1)).any(axis=1))
    if outside.any():
        faults.append(
            _fault(outside, images, f"a score outside [0, 1] in {listed}", "if these are logits, say --logits")
        )
    sums = scores.sum(axis=1)
    wrong = ~missing & ~outside & (np.abs(sums - 1) > sum_tolerance(frame[classes.columns], len(classes.names)))
    if wrong.any():
        said = f"probabilities that do not sum to one ({sums[wrong].min():.3g} to {sums[wrong].max():.3g})"
        way = "if these are logits, say --logits; separate sigmoids are no probabilities of one class among all"
        faults.append(_fault(wrong, images, said, way))
    return faults


def sum_tolerance(cells: pd.DataFrame, n_classes: int) -> float:
    """How far a sum may be from 1: `SUM_TOLERANCE`, or what rounding to the file's decimals can do."""
    longest = max((len(cell.partition(".")[2]) for column in cells for cell in cells[column]), default=0)
    rounding = n_classes * 0.5 * 10.0**-longest if longest >= FEWEST_DECIMALS else 0.0
    return max(SUM_TOLERANCE, rounding * (1 + 1e-9))


def confidence_of_predicted(scores: Floats, predicted: pd.Series, columns: Columns, classes: Classes) -> bool:
    """Whether a column alone is the probability of the predicted class, not of the positive one.

    It is where nothing is below one half though both classes are predicted.
    """
    if len(columns.scores) != 1 or classes.positive is None or set(predicted) != set(classes.names):
        return False
    named = next(iter(columns.scores)).casefold() in {label.casefold() for label in classes.names}
    return not named and bool((scores[:, 1] >= HALF).all())


def _fault(rows: Bools, images: Sequence[str], said: str, way_out: str) -> str:
    return f"{int(rows.sum())} of {len(rows)} images have {said}, such as {images[int(rows.argmax())]}; {way_out}"
