"""What a split can keep on one side: the single image, the slide folder, the case, the data set's group."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError

LEVELS = ("image", "folder", "case", "group")  # from the most leaky to the data set's own


@dataclass(frozen=True)
class Levels:
    """The levels that a data set can be split by.

    Attributes
    ----------
    groups : dict of str to ndarray of shape (n_images,), int64
        Level to the number of each image's group, counted from 0; in the order of `LEVELS`.
    left_out : dict of str to str
        Level to why it is not among `groups`.
    strictest : str
        The level that keeps together what ``group`` does: either ``group`` or one identical to it.
    """

    groups: Mapping[str, NDArray[np.int64]]
    left_out: Mapping[str, str]
    strictest: str


def find_levels(manifest: pd.DataFrame, folds: int) -> Levels:
    """Number the groups of every level, and leave out levels that repeat another or cannot be split.

    Parameters
    ----------
    manifest : DataFrame with the columns ``image``, ``folder``, ``case``, ``group``, ``label``
        One row an image.
    folds : int
        Every class must have groups for that many folds.

    Raises
    ------
    UserError
        If the data set's own groups, or the images of a class, are fewer than the folds.
    """
    groups: dict[str, NDArray[np.int64]] = {}
    left_out: dict[str, str] = {}
    for level in LEVELS:
        # Numbered by first occurrence, so that equal partitions have equal numbers.
        numbers = pd.factorize(manifest[level])[0].astype(np.int64)
        same = next((other for other, those in groups.items() if np.array_equal(numbers, those)), None)
        per_class = manifest.groupby("label")[level].nunique()
        if same == "folder" and level == "case":
            # Where no slides are known, the patient stands for them too.
            del groups[same]
            left_out[same] = "identical to case"
            groups[level] = numbers
        elif same is not None:
            left_out[level] = f"identical to {same}"
            if level == "group":
                return Levels(groups, left_out, same)
        elif per_class.min() < folds:
            problem = f"class {per_class.idxmin()} has {per_class.min()}, fewer than {folds} folds"
            if level in ("image", "group"):
                raise UserError(f"data/manifest.csv, column {level}: {problem}; lower leakage.folds or add data")
            left_out[level] = problem
        else:
            groups[level] = numbers
    return Levels(groups, left_out, "group")
