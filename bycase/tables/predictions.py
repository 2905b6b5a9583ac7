"""`data/predictions/{val,test}.csv`: one row an image, one probability column a class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.tables.results import check_images, read_table

VALIDATION = Path("data/predictions/val.csv")
TEST = Path("data/predictions/test.csv")
MADE_BY = "made_by.json"  # beside predictions: what computed them

COLUMNS = ("image", "group", "label")
SUM_TOLERANCE = 1e-4  # float32 softmax outputs add up to 1 within about 1e-6


def label_splits(splits: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Add every image's ``label`` from the manifest to the split.

    Raises
    ------
    UserError
        If an image of the split is not in the manifest.
    """
    labelled = splits.merge(manifest[["image", "label"]], on="image", how="left", validate="one_to_one")
    unknown = labelled["image"][labelled["label"].isna()]
    if len(unknown):
        raise UserError(f"data/splits.csv: image {unknown.iloc[0]} is not in data/manifest.csv; run 'dvc repro split'")
    return labelled


def make_predictions(
    subset: pd.DataFrame, probabilities: NDArray[np.float64], classes: Sequence[str], name: Path
) -> pd.DataFrame:
    """Put the images of one subset beside their probabilities.

    Parameters
    ----------
    subset : DataFrame with the columns `COLUMNS`
        One row an image; ``group`` is its split group.
    probabilities : ndarray of shape (n_images, n_classes), float64, in [0, 1]
        In the order of `subset` and `classes`; every row sums to 1.
    classes : sequence of str
        The probability columns' names.
    name : Path
        The file that the frame is for, named in errors.

    Returns
    -------
    DataFrame with `COLUMNS` and one column a class
        Sorted by image.

    Raises
    ------
    UserError
        If a probability is not finite, or as `check_predictions`.
    """
    if not np.isfinite(probabilities).all():
        raise UserError(f"{name}: the network predicts NaN: training diverged; lower zoo.<model>.learning_rate")
    scores = pd.DataFrame(probabilities, columns=list(classes), index=subset.index)
    frame = pd.concat([subset.loc[:, list(COLUMNS)], scores], axis=1).sort_values("image", ignore_index=True)
    check_predictions(frame, classes, name)
    return frame


def write_predictions(path: Path, frame: pd.DataFrame, classes: Sequence[str]) -> None:
    """Check predictions and write them with all their digits."""
    check_predictions(frame, classes, path)
    write_csv(path, frame)


def read_predictions(path: Path, classes: Sequence[str], stage: str = "evaluate") -> pd.DataFrame:
    """Read and check predictions that `stage` has made; the probabilities are the very numbers that were written.

    Raises
    ------
    UserError
        If the file is missing, or as `check_predictions`.
    """
    frame = read_table(path, stage, dtype=dict.fromkeys(COLUMNS, str), float_precision="round_trip")
    check_predictions(frame, classes, path, f"run 'dvc repro -f {stage}'")
    return frame


def check_predictions(
    frame: pd.DataFrame, classes: Sequence[str], name: Path, again: str = "run 'dvc repro -f evaluate'"
) -> None:
    """Refuse predictions that do not follow the contract; `again` makes the file anew.

    Raises
    ------
    UserError
        If a column is missing, there is no row, an image stands twice, a label is not one of
        `classes`, a probability is no number in [0, 1], or a row does not sum to 1.
    """
    check_images(frame, (*COLUMNS, *classes), name, again)
    if frame.empty:
        raise UserError(f"{name}: no image; {again}")
    unknown = set(frame["label"]) - set(classes)
    if unknown:
        raise UserError(f"{name}: label '{min(unknown)}' is none of {', '.join(classes)}; {again}")
    scores = frame.loc[:, list(classes)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    # Written so that NaN fails too.
    bad = ~((scores >= 0) & (scores <= 1)).all(axis=1)
    if bad.any():
        raise UserError(f"{name}: image {frame['image'][bad].iloc[0]} has a probability outside [0, 1]; {again}")
    bad = np.abs(scores.sum(axis=1) - 1) > SUM_TOLERANCE
    if bad.any():
        raise UserError(f"{name}: the probabilities of image {frame['image'][bad].iloc[0]} do not sum to 1; {again}")


def check_disjoint(validation: pd.DataFrame, test: pd.DataFrame) -> None:
    """Refuse validation and test predictions that share an image or a split group, naming one.

    Where the split group is the image, the two are one check, and patients may be on both sides.
    """
    for column in ("image", "group"):
        shared = set(validation[column]) & set(test[column])
        if shared:
            raise UserError(
                f"{column} {min(shared)} is both in {VALIDATION} and {TEST}; run 'dvc repro -f split evaluate'"
            )
