"""`data/uncertainty/{val,test}.csv`: one row an image, what each method says of it.

Columns: ``image``, ``group`` and ``label`` as in the predictions; for each method of `METHODS` ``<method>_<class>``
(mean probabilities), ``<method>_predicted`` (the class; of two by the threshold that the method itself gets from
validation), ``<method>_confidence`` in [0, 1] and ``<method>_entropy`` in nats; for those of several predictions also
``<method>_expected_entropy`` and ``<method>_mutual_information``. The test part also has ``set_<class>`` and
``patient_set_<class>``: 1 where the class is in the prediction set calibrated on validation images, or on patients.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.selective import centre, concentration, largest_probability
from bycase.statistics.uncertainty.members import Combined
from bycase.statistics.units import (
    Bools,
    Floats,
    Integers,
    Units,
    number_classes,
    positive_number,
    predict_classes,
)
from bycase.tables.predictions import COLUMNS

FOLDER = Path("data/uncertainty")
RESULTS = Path("metrics/uncertainty.json")
VALIDATION, TEST = "val.csv", "test.csv"
PLAIN = "plain"
METHODS = (PLAIN, "mc_dropout", "tta")
SETS = {"image": "set", "patient": "patient_set"}


def make_table(
    predictions: pd.DataFrame,
    combined: Mapping[str, Combined],
    thresholds: Mapping[str, float] | None,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Put what the methods say of one part's images side by side.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.predictions`.
    combined : mapping of method to Combined
        For each of `METHODS`, in the order of `predictions`.
    thresholds : mapping of method to float in [0, 1], or None
        Of two classes, from which probability of the last one it is predicted; None: the most probable class is.
    classes : sequence of str
        In the order of the probability columns.

    Returns
    -------
    DataFrame
        See the module.
    """
    table = predictions.loc[:, list(COLUMNS)].copy()
    for method, members in combined.items():
        threshold = None if thresholds is None else thresholds[method]
        predicted = predict_classes(members.mean, None if threshold is None else 1, threshold)
        scores = members.mean if threshold is None else centre(members.mean, threshold)
        table = table.assign(**{f"{method}_{label}": members.mean[:, k] for k, label in enumerate(classes)})
        table[f"{method}_predicted"] = np.array(classes)[predicted]
        table[f"{method}_confidence"] = (largest_probability if method == PLAIN else concentration)(scores)
        table[f"{method}_entropy"] = members.entropy
        if method != PLAIN:
            table[f"{method}_expected_entropy"] = members.expected_entropy
            table[f"{method}_mutual_information"] = members.mutual_information
    return table


def add_sets(table: pd.DataFrame, sets: Mapping[str, Bools], classes: Sequence[str]) -> pd.DataFrame:
    """Add the prediction sets of each level of `SETS`, (n_images, n_classes)."""
    columns = {
        f"{SETS[level]}_{label}": held[:, k].astype(int)
        for level, held in sets.items()
        for k, label in enumerate(classes)
    }
    return table.assign(**columns)


def read_uncertainty(path: Path) -> pd.DataFrame:
    """Read a table; its numbers are the very ones that were written.

    Raises
    ------
    UserError
        If the file is missing.
    """
    try:
        text = dict.fromkeys((*COLUMNS, *(f"{method}_predicted" for method in METHODS)), str)
        return pd.read_csv(path, dtype=text, keep_default_na=False, float_precision="round_trip")
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro uncertainty' first") from None


def scores_of(table: pd.DataFrame, method: str, classes: Sequence[str]) -> Floats:
    """The method's mean probabilities; (n_images, n_classes), float64."""
    return table[[f"{method}_{label}" for label in classes]].to_numpy(np.float64)


def sets_of(table: pd.DataFrame, level: str, classes: Sequence[str]) -> Bools:
    """Whether each class is in each image's set; (n_images, n_classes)."""
    return table[[f"{SETS[level]}_{label}" for label in classes]].to_numpy() == 1


def units_of(
    table: pd.DataFrame,
    method: str,
    classes: Sequence[str],
    positive: str | None,
    patient: Integers,
    fold: Integers | None = None,
) -> Units:
    """The images, as one of `METHODS` predicts them; see `bycase.statistics.uncertainty.summary.summarise`."""
    return Units(
        classes=tuple(classes),
        truth=number_classes(table["label"], classes),
        scores=scores_of(table, method, classes),
        predicted=number_classes(table[f"{method}_predicted"], classes),
        patient=patient,
        fold=fold,
        positive=positive_number(classes, positive),
    )
