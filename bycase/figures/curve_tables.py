"""The curves as tables, for `dvc plots` and for the figures."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Clustered, bootstrap
from bycase.statistics.calibration.bins import equal_mass_bins
from bycase.statistics.calibration.resampled import sum_by_patient
from bycase.statistics.intervals import interval, perfect_bound
from bycase.statistics.units import Bools, Floats, Integers, Units

RESAMPLES = 1000


def roc_table(units: Units) -> pd.DataFrame:
    """The ROC curve.

    Parameters
    ----------
    units : Units
        Images or patients of both classes.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``, ``threshold``
        Rates in [0, 1], rising; the first threshold, from which nothing is called positive, is infinite.
    """
    fpr, tpr, threshold = roc_curve(units.truth, units.scores)
    return pd.DataFrame({"fpr": fpr, "tpr": tpr, "threshold": threshold})


def precision_recall_table(units: Units) -> pd.DataFrame:
    """The precision-recall curve, without scikit-learn's closing point at recall 0, which no threshold gives.

    Parameters
    ----------
    units : Units
        Images or patients of both classes.

    Returns
    -------
    DataFrame with the columns ``recall``, ``precision``, ``threshold``
        All in [0, 1]; recall rises.
    """
    precision, recall, threshold = precision_recall_curve(units.truth, units.scores)
    table = pd.DataFrame({"recall": recall[:-1], "precision": precision[:-1], "threshold": threshold})
    return table.iloc[::-1].reset_index(drop=True)


def confusion_table(predictions: pd.DataFrame, predicted: Bools, negative: str, positive: str) -> pd.DataFrame:
    """True and predicted class of every test image.

    Parameters
    ----------
    predictions : DataFrame with the column ``label``
        One row an image.
    predicted : ndarray of shape (n_images,), bool
        True for the positive class.
    negative, positive : str
        The two classes.

    Returns
    -------
    DataFrame with the columns ``actual``, ``predicted``
        One row an image.
    """
    return pd.DataFrame({"actual": predictions["label"], "predicted": np.where(predicted, positive, negative)})


def calibration_table(truth: Bools, scores: Floats, images: Clustered, seed: int) -> pd.DataFrame:
    """How often a prediction comes true, by its probability.

    Bins hold equally many images, and are those of the expected calibration error.

    Parameters
    ----------
    truth : ndarray of shape (n_images,), bool
        Whether each image, or patient, is of the class in question.
    scores : ndarray of shape (n_images,), float64, in [0, 1]
        Predicted probability of that.
    images : Units or ClassUnits
        Whose they are.
    seed : int
        Of the bootstrap over patients.

    Returns
    -------
    DataFrame with the columns ``predicted`` (mean), ``observed`` (share), ``low``, ``high``, ``images``
        One row a bin, rising; ``low`` and ``high`` are a 95 % interval, see
        `bycase.statistics.intervals.interval`. Shares in [0, 1].
    """
    index = equal_mass_bins(scores)
    size = np.bincount(index)
    predicted = np.bincount(index, weights=scores) / size
    observed = np.bincount(index, weights=truth) / size

    members = sum_by_patient(images.patient, index, np.ones(len(index)))
    positives = sum_by_patient(images.patient, index, truth.astype(np.float64))

    def resampled_shares(counts: Integers) -> dict[str, Floats]:
        drawn = counts @ members
        return {"share": np.divide(counts @ positives, drawn, out=np.full(drawn.shape, np.nan), where=drawn > 0)}

    shares = bootstrap(images, resampled_shares, RESAMPLES, generator(seed, "plot", "calibration"))["share"]
    patients = (members > 0).sum(axis=0)
    limits = [
        interval(share, values[np.isfinite(values)], int(number), perfect_bound(int(number)))
        for share, values, number in zip(observed, shares.T, patients, strict=True)
    ]
    return pd.DataFrame({"predicted": predicted, "observed": observed}).join(pd.DataFrame(limits)).assign(images=size)
