"""Metrics of several classes on resampled patients; see `stages.evaluate.bootstrap`.

A class of few patients is missing from many resamples. Leaving all of those out would leave few resamples
and none in which such a patient is not drawn; so a class's own metrics rest on the resamples that hold it, and a
mean over classes is one over those that the resample holds.
"""

import numpy as np

from stages.evaluate.bootstrap import rank_metrics
from stages.evaluate.multiclass.units import ClassUnits
from stages.evaluate.units import Floats, Integers


def weighted_class_metrics(units: ClassUnits, counts: Integers) -> dict[str, Floats]:
    """The metrics that get an interval, for every resample.

    Parameters
    ----------
    units : ClassUnits
        Images or patients.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn; each row holds patients of at least two classes.

    Returns
    -------
    dict of str to ndarray
        Of shape (n_resamples,), float64, but for ``recall`` and ``class_auc``: (n_resamples, n_classes), NaN where
        a resample lacks the class.
    """
    identity = np.eye(len(units.classes))
    truth, predicted = identity[units.truth], identity[units.predicted]
    drawn = counts.astype(np.float64)
    n_true, n_called, n_right = (drawn @ _per_patient(units, of) for of in (truth, predicted, truth * predicted))
    n_units = n_true.sum(axis=1)
    squares = ((units.scores - truth) ** 2).sum(axis=1, keepdims=True) / 2
    held = n_true > 0
    recall = _divide(n_right, n_true)
    f1 = np.where(held, _divide(2 * n_right, n_true + n_called), np.nan)
    auc, average_precision = _rank_metrics_by_class(units, counts, held)
    return {
        "accuracy": n_right.sum(axis=1) / n_units,
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "macro_f1": np.nanmean(f1, axis=1),
        "auc": np.nanmean(auc, axis=1),
        "average_precision": np.nanmean(average_precision, axis=1),
        "brier": (drawn @ _per_patient(units, squares))[:, 0] / n_units,
        "recall": recall,
        "class_auc": auc,
    }


def _rank_metrics_by_class(units: ClassUnits, counts: Integers, held: np.ndarray) -> tuple[Floats, Floats]:
    """AUC and average precision of each class against the rest, NaN where a resample lacks the class."""
    auc, average_precision = np.full(held.shape, np.nan), np.full(held.shape, np.nan)
    weights = counts[:, units.patient]
    for number in range(len(units.classes)):
        rows, of = held[:, number], units.against_rest(number)
        auc[rows, number], average_precision[rows, number] = rank_metrics(of.truth, of.scores, weights[rows])
    return auc, average_precision


def _per_patient(units: ClassUnits, values: Floats) -> Floats:
    """Sum rows of `values` (n_units, n) over each patient's units; (n_patients, n)."""
    sums = np.zeros((units.n_patients, values.shape[1]))
    np.add.at(sums, units.patient, values)
    return sums


def _divide(part: Floats, whole: Floats) -> Floats:
    """The quotient, NaN where `whole` is 0."""
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
