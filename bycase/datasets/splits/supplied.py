"""Parts or folds that a data set has of its own: used as they are if nothing leaks, refused with numbers if it does."""

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import Waived
from bycase.datasets.splits.folds import divide_rest
from bycase.datasets.splits.groups import pairs_across
from bycase.datasets.splits.leaks import find_leak
from bycase.tables.splits import SUBSETS

WAYS_OUT = (
    "set split.protocol to kfold, which draws parts anew, or to supplied_leaky, which takes them as they are and says "
    "so in every result"
)


def read_supplied(frame: pd.DataFrame, split: SplitParams, seed: int) -> pd.Series:
    """The subset of every image as the data set has it, validation drawn from train where it has none.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``label``, ``group``, ``supplied_part`` and ``supplied_fold``
        One row an image.
    split : SplitParams
        Where there are folds and no parts, ``fold`` (from 0) is the test subset.
    seed : int
        The pipeline's seed, for validation.

    Raises
    ------
    UserError
        If there are neither parts nor folds, an image has none, or a subset lacks a class.
    """
    if (frame["supplied_part"] != "").any():
        subset = _from_parts(frame)
    elif (frame["supplied_fold"] != "").any():
        subset = _from_folds(frame, split)
    else:
        raise UserError(
            "split.protocol: the data set has no parts and no folds of its own (part or fold of its entry in "
            "datasets); name them there, or set it to fractions or kfold"
        )
    if not (subset == "val").any():
        subset = divide_rest(frame.assign(part=subset), subset == "test", split, seed)
    for name in SUBSETS:
        lost = sorted(set(frame["label"]) - set(frame.loc[subset == name, "label"]))
        if lost:
            raise UserError(
                f"the data set's own part {name} has no {lost[0]} image, so that nothing can be said of it; set "
                "split.protocol to kfold, or correct the parts"
            )
    return subset


def refuse_leaks(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived) -> None:
    """Refuse parts (``part``) that groups or duplicates straddle, with numbers and the ways out."""
    leak = find_leak(frame, "group")
    pairs = pairs_across(frame, duplicates, waived)
    faults = []
    if leak.groups:
        faults.append(
            f"{len(leak.groups)} groups stand in more than one part, {leak.groups[0]} among them, and "
            f"{int(leak.seen.sum())} of {len(leak.seen)} test images ({leak.share:.0%}) have theirs in training or "
            "validation"
        )
    if len(pairs):
        first = pairs.iloc[0]
        faults.append(
            f"{len(pairs)} pairs of duplicates stand in test and in training or validation, the first "
            f"{first['image_a']} and {first['image_b']}"
        )
    if faults:
        raise UserError(f"the data set's own parts leak: {'; '.join(faults)}; {WAYS_OUT}")


def count_folds(frame: pd.DataFrame) -> int:
    """Folds of the data set's own that are used: 1 where it has parts."""
    own_parts = (frame["supplied_part"] != "").any()
    return 1 if own_parts else max(1, frame["supplied_fold"].replace("", pd.NA).nunique())


def _from_parts(frame: pd.DataFrame) -> pd.Series:
    missing = frame.loc[frame["supplied_part"] == "", "image"]
    if len(missing):
        raise UserError(
            f"{len(missing)} images have no part of the data set's own, {missing.iloc[0]} first; correct part in its "
            "entry in datasets, or set split.protocol to kfold"
        )
    for name in ("train", "test"):
        if not (frame["supplied_part"] == name).any():
            raise UserError(
                f"the data set's own parts are {', '.join(sorted(set(frame['supplied_part'])))}, none of them {name}; "
                "set split.protocol to fractions or kfold"
            )
    return frame["supplied_part"].copy()


def _from_folds(frame: pd.DataFrame, split: SplitParams) -> pd.Series:
    missing = frame.loc[frame["supplied_fold"] == "", "image"]
    if len(missing):
        raise UserError(
            f"{len(missing)} images have no fold of the data set's own, {missing.iloc[0]} first; correct fold in its "
            "entry in datasets, or set split.protocol to kfold"
        )
    folds = sorted(
        set(frame["supplied_fold"]), key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name)
    )
    if len(folds) < 2 or split.fold >= len(folds):
        raise UserError(f"split.fold: {split.fold} is none of the data set's {len(folds)} folds, which count from 0")
    return (frame["supplied_fold"] == folds[split.fold]).map({True: "test", False: "train"})
