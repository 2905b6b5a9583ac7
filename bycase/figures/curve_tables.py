"""The curves as tables, for `dvc plots` and for the figures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from bycase.statistics.calibration.bins import equal_mass_bins, make_forecasts
from bycase.statistics.intervals import rate_interval
from bycase.statistics.units import BinaryUnits, Units

MEAN = "macro average"


def roc_table(units: BinaryUnits) -> pd.DataFrame:
    """The ROC curve of one class.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``, ``threshold``
        Rates in [0, 1], rising; the first threshold, from which no unit is predicted positive, is infinite.
    """
    fpr, tpr, threshold = roc_curve(units.truth, units.scores)
    return pd.DataFrame({"fpr": fpr, "tpr": tpr, "threshold": threshold})


def precision_recall_table(units: BinaryUnits) -> pd.DataFrame:
    """The precision-recall curve, without scikit-learn's closing point at recall 0, which no threshold gives.

    Returns
    -------
    DataFrame with the columns ``recall``, ``precision``, ``threshold``
        All in [0, 1]; recall rises.
    """
    precision, recall, threshold = precision_recall_curve(units.truth, units.scores)
    table = pd.DataFrame({"recall": recall[:-1], "precision": precision[:-1], "threshold": threshold})
    return table.iloc[::-1].reset_index(drop=True)


def mean_roc_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the sensitivities of all classes' curves at every false positive rate.

    The area under the result is the mean of the areas under the classes' curves.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``, ``class``
        Rates in [0, 1], rising; each false positive rate twice, before and after its step; the class is `MEAN`.
    """
    grid = np.unique(np.concatenate([table["fpr"] for table in tables.values()]))
    # np.interp takes the last of equal positions; mirrored, the first.
    before = [np.interp(-grid, -table["fpr"][::-1], table["tpr"][::-1]) for table in tables.values()]
    after = [np.interp(grid, table["fpr"], table["tpr"]) for table in tables.values()]
    steps = np.column_stack([np.mean(before, axis=0), np.mean(after, axis=0)]).ravel()
    return pd.DataFrame({"fpr": np.repeat(grid, 2), "tpr": steps, "class": MEAN})


def mean_precision_recall_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the precisions of all classes' curves at every recall.

    The area under the steps is the mean of the classes' average precisions.

    Returns
    -------
    DataFrame with the columns ``recall``, ``precision``, ``class``
        In [0, 1]; recall rises; the class is `MEAN`.
    """
    grid = np.unique(np.concatenate([table["recall"] for table in tables.values()]))
    # A precision holds back to the recall before its own.
    each = [table["precision"].to_numpy()[np.searchsorted(table["recall"], grid)] for table in tables.values()]
    return pd.DataFrame({"recall": grid, "precision": np.mean(each, axis=0), "class": MEAN})


def calibration_table(units: Units) -> pd.DataFrame:
    """How often a prediction comes true, by its probability.

    Of two classes with a positive one, the prediction is that class; else the most probable one. Bins hold equally
    many units, and are those of the expected calibration error.

    Parameters
    ----------
    units : Units
        Images or patients.

    Returns
    -------
    DataFrame with the columns ``predicted`` (mean), ``observed`` (share), ``low``, ``high``, ``images``
        One row a bin, rising; ``low`` and ``high`` are a 95 % interval by patient, see
        `bycase.statistics.intervals.rate_interval`. Shares in [0, 1].
    """
    forecasts = make_forecasts(units)
    index = equal_mass_bins(forecasts.confidence)
    size = np.bincount(index)
    predicted = np.bincount(index, weights=forecasts.confidence) / size
    observed = np.bincount(index, weights=forecasts.outcome) / size
    limits = [rate_interval(forecasts.outcome, index == number, units.patient) for number in range(len(size))]
    return pd.DataFrame({"predicted": predicted, "observed": observed}).join(pd.DataFrame(limits)).assign(images=size)
