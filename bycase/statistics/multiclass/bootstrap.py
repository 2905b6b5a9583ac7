"""Metrics of several classes on resampled patients; see `bycase.statistics.bootstrap`.

A class of few patients is missing from many resamples. Leaving all of those out would leave few resamples
and none in which such a patient is not drawn; so a class's own metrics rest on the resamples that hold it, and a
mean over classes is one over those that the resample holds.
"""

import numpy as np

from bycase.statistics.bootstrap import divide, log_losses, rank_metrics_within, weighted_sums
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Floats, Integers

# A metric's values by class, of which it is the mean.
MEAN_OF = {
    "balanced_accuracy": "recall",
    "sensitivity": "recall",
    "specificity": "specificity",
    "macro_f1": "f1",
    "auc": "auc",
    "average_precision": "average_precision",
}
BY_CLASS = {
    "recall": "recall",
    "specificity": "class_specificity",
    "precision": "class_precision",
    "f1": "class_f1",
    "auc": "class_auc",
    "average_precision": "class_average_precision",
}


def weighted_class_metrics(units: ClassUnits, counts: Integers) -> dict[str, Floats]:
    """The metrics that get an interval, for every resample; with counts of 1, those of the units themselves.

    Parameters
    ----------
    units : ClassUnits
        Images or patients.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    dict of str to ndarray
        Of shape (n_resamples,), float64, the keys of `bycase.statistics.multiclass.metrics.point_metrics`; and those of
        `BY_CLASS`: (n_resamples, n_classes), NaN where a resample lacks the class, or, of ranks and specificity, what
        it is compared with. Ranks are compared within strata, see `bycase.statistics.bootstrap.rank_metrics_within`.
    """
    n_classes = len(units.classes)
    identity = np.eye(n_classes)
    truth, predicted = identity[units.truth], identity[units.predicted]
    chosen = units.scores[np.arange(len(truth)), units.truth]
    squares = ((units.scores - truth) ** 2).sum(axis=1) / 2
    columns = np.column_stack([truth, predicted, truth * predicted, squares, log_losses(chosen)])
    sums = weighted_sums(units, columns, counts)
    n_true, n_called, n_right = np.split(sums[:, : 3 * n_classes], 3, axis=1)
    n_units = n_true.sum(axis=1, keepdims=True)
    held = n_true > 0
    rejected = n_units - n_true - n_called + n_right  # units of other classes that are called another
    of_ranks = [rank_metrics_within(units.against_rest(number), counts) for number in range(n_classes)]
    by_class = {
        "recall": divide(n_right, n_true),
        "specificity": divide(rejected, n_units - n_true),
        "precision": divide(n_right, n_called, 0),
        "f1": divide(2 * n_right, n_true + n_called),
        "auc": np.column_stack([auc for auc, _ in of_ranks]),
        "average_precision": np.column_stack([average_precision for _, average_precision in of_ranks]),
    }
    by_class = {name: np.where(held, values, np.nan) for name, values in by_class.items()}
    return {
        "accuracy": n_right.sum(axis=1) / n_units[:, 0],
        **{name: _mean(by_class[column]) for name, column in MEAN_OF.items()},
        "brier": sums[:, -2] / n_units[:, 0],
        "log_loss": sums[:, -1] / n_units[:, 0],
        **{BY_CLASS[name]: values for name, values in by_class.items()},
    }


def _mean(values: Floats) -> Floats:
    """Over the classes that have a value; NaN where none has."""
    return divide(np.nansum(values, axis=1), np.isfinite(values).sum(axis=1))
