"""The tables over all cells: out-of-fold predictions, cost, training histories, and what they are of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.core.versions import check_version
from bycase.tables.predictions import check_predictions
from bycase.tables.results import read_results, read_table
from bycase.tables.splits import DTYPES

BENCHMARK = Path("data/benchmark")
FOLDS = BENCHMARK / "folds.csv"
PREDICTIONS = BENCHMARK / "predictions.csv"
COST = BENCHMARK / "cost.csv"
HISTORIES = BENCHMARK / "histories.csv"
ABOUT = BENCHMARK / "about.json"
ABOUT_VERSION = 1  # of about.json and the tables beside it
EXTRAS = BENCHMARK / "extras"  # each of its files is there where it was asked for
UNCERTAINTY = EXTRAS / "uncertainty.csv"
ROBUSTNESS = EXTRAS / "robustness.csv"
SHIFTED = EXTRAS / "shifted.csv"

KEYS = ("model", "repeat", "fold")
COLUMNS = (
    *KEYS,
    "image",
    "patient",  # what intervals are over: the case, joined with those that share an image
    "label",
    "threshold",  # of the positive class, for images, from the cell's validation; empty with more classes than two
    "patient_threshold",
    "temperature",  # from the cell's validation
)
AGGREGATION = "aggregation"  # how the cell's patients are made of images; a table without it is of their means
RULES = "rules"  # likewise others, by which patients may be compared; a table without it compares none
RULES_SEPARATOR = "; "
AGAIN = "run 'dvc repro -f benchmark/dvc.yaml:gather'"


def read_folds(path: Path = FOLDS) -> pd.DataFrame:
    """Read the layout of all folds; see `bycase.datasets.splits.folds.make_folds`."""
    return read_table(path, "benchmark/dvc.yaml:folds", dtype=DTYPES)


def read_about(path: Path = ABOUT) -> dict[str, Any]:
    """Read what the tables are of: data set, classes, networks, folds.

    Raises
    ------
    UserError
        If the file is missing, or of an unknown version.
    """
    about = read_results(path, "benchmark/dvc.yaml:gather")
    check_version(about, ABOUT_VERSION, str(path))
    return about


def write_out_of_fold(path: Path, frame: pd.DataFrame, classes: Sequence[str]) -> None:
    """Check out-of-fold predictions and write them with all their digits.

    Parameters
    ----------
    path : Path
        Usually `PREDICTIONS`.
    frame : DataFrame with `COLUMNS` and one column a class
        One row a network, repeat and image.
    classes : sequence of str
        The probability columns.

    Raises
    ------
    UserError
        As `check_out_of_fold`.
    """
    check_out_of_fold(path, frame, classes)
    names = list(COLUMNS)
    middle = names.index("label") + 1
    more = [AGGREGATION] if AGGREGATION in frame and (frame[AGGREGATION] != "mean").any() else []
    more += [RULES] if RULES in frame and frame[RULES].notna().all() else []
    write_csv(path, frame[[*names[:middle], *classes, *names[middle:], *more]])


def read_out_of_fold(classes: Sequence[str], path: Path = PREDICTIONS) -> pd.DataFrame:
    """Read and check out-of-fold predictions; the probabilities are the very numbers that were written.

    Raises
    ------
    UserError
        If the file is missing, or as `check_out_of_fold`.
    """
    text = dict.fromkeys(("model", "image", "patient", "label"), str)
    frame = read_table(path, "benchmark/dvc.yaml", dtype=text, float_precision="round_trip", keep_default_na=True)
    check_out_of_fold(path, frame, classes)
    return frame


def check_out_of_fold(path: Path, frame: pd.DataFrame, classes: Sequence[str]) -> None:
    """Refuse predictions that do not follow the contract.

    Raises
    ------
    UserError
        If a column is missing, a probability or label is not valid, an image stands twice in a network's repeat, a
        patient is in two folds of a repeat, or two networks were not tested on the same images.
    """
    missing = [column for column in (*COLUMNS, *classes) if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; {AGAIN}")
    for _, rows in frame.groupby(["model", "repeat"]):
        check_predictions(rows.rename(columns={"patient": "group"}), classes, path, AGAIN)
    folds = frame.groupby(["repeat", "patient"])["fold"].nunique()
    if (folds > 1).any():
        repeat, patient = folds.index[folds > 1][0]
        raise UserError(f"{path}: patient {patient} is in {folds.max()} folds of repeat {repeat}; {AGAIN}")
    tested = frame.groupby(["repeat", "fold", "image"])["model"].nunique()
    lacking = tested[tested < frame["model"].nunique()]
    if len(lacking):
        repeat, fold, image = lacking.index[0]
        raise UserError(f"{path}: not every network has image {image} in repeat {repeat}, fold {fold}; {AGAIN}")
