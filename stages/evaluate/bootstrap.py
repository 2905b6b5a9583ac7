"""Metrics on resampled patients: what intervals are made of.

Images of one patient resemble one another, so that patients, not images, are what a new sample
would draw (Field and Welsh, 2007, "Bootstrapping clustered data"). A resample is a vector that says
how often each patient was drawn; all metrics are computed for many such vectors at once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np

from stages.evaluate.units import Bools, Floats, Integers, Units

CHUNK = 4_000_000  # numbers in one array of resamples x units: 32 MB

Statistic = Callable[[Integers], Mapping[str, Floats]]


class Clustered(Protocol):
    """Units of any number of classes, and the patient that each belongs to."""

    @property
    def patient(self) -> Integers:
        """Of each unit, in [0, n_patients)."""

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""

    @property
    def classes_of_patients(self) -> Bools:
        """Whether each patient has a unit of each class; (n_patients, n_classes)."""


def bootstrap(units: Clustered, statistic: Statistic, resamples: int, random: np.random.Generator) -> dict[str, Floats]:
    """Compute a statistic on resampled patients.

    Resamples of a single class have no AUC and are left out.

    Parameters
    ----------
    units : Units or ClassUnits
        Says who the patients are and which classes each has.
    statistic : callable
        Gets counts of shape (n, n_patients), int64, and returns arrays of shape (n, ...).
    resamples : int
        Resamples to draw.
    random : Generator
        The same generator gives the same resamples, whatever the statistic and the size of the units.

    Returns
    -------
    dict of str to ndarray of shape (n_used, ...), float64
        One array a metric; ``n_used <= resamples``.
    """
    pieces = [statistic(counts) for counts in _draw(units, resamples, random)]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _draw(units: Clustered, resamples: int, random: np.random.Generator) -> Iterator[Integers]:
    """Yield counts (n, n_patients) of usable resamples, few enough at a time to bound the memory."""
    members = units.classes_of_patients.astype(np.int64)
    at_once = max(1, CHUNK // max(units.n_patients, len(units.patient)))
    share = np.full(units.n_patients, 1 / units.n_patients)
    for start in range(0, resamples, at_once):
        counts = random.multinomial(units.n_patients, share, size=min(at_once, resamples - start))
        yield counts[((counts @ members) > 0).sum(axis=1) >= 2]


def weighted_metrics(units: Units, predicted: Bools, counts: Integers) -> dict[str, Floats]:
    """The metrics that get an interval, for every resample.

    Parameters
    ----------
    units : Units
        Images or patients.
    predicted : ndarray of shape (n_units,), bool
        Predicted classes.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn; each row holds patients of both classes.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples,), float64
    """
    n_positive = counts @ _per_patient(units, units.truth)
    n_negative = counts @ _per_patient(units, ~units.truth)
    sensitivity = counts @ _per_patient(units, units.truth & predicted) / n_positive
    specificity = counts @ _per_patient(units, ~units.truth & ~predicted) / n_negative
    auc, average_precision = rank_metrics(units.truth, units.scores, counts[:, units.patient])
    return {
        "auc": auc,
        "average_precision": average_precision,
        "accuracy": counts @ _per_patient(units, units.truth == predicted) / (n_positive + n_negative),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "brier": counts @ _per_patient(units, (units.scores - units.truth) ** 2) / (n_positive + n_negative),
    }


def rank_metrics(truth: Bools, scores: Floats, weights: Integers) -> tuple[Floats, Floats]:
    """AUC and average precision under many weightings of the same units.

    The AUC is the weighted share of pairs of a positive and a negative unit in which the positive has
    the higher score, ties counting half (Mann and Whitney, 1947); average precision is the sum of
    precision times the step in recall over the distinct scores.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        True for the positive class.
    scores : ndarray of shape (n_units,), float64
        Larger means more likely positive.
    weights : ndarray of shape (n_weightings, n_units), int64
        From 0 up; each row gives both classes some weight.

    Returns
    -------
    auc, average_precision : ndarray of shape (n_weightings,), float64, in [0, 1]
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(-scores[order], prepend=-np.inf))
    weights = weights[:, order]
    positive = np.add.reduceat(weights * truth[order], starts, axis=1)
    negative = np.add.reduceat(weights * ~truth[order], starts, axis=1)
    above = np.cumsum(positive, axis=1)
    called = above + np.cumsum(negative, axis=1)
    n_positive = above[:, -1]
    n_negative = called[:, -1] - n_positive
    auc = (negative * (above - positive / 2)).sum(axis=1) / (n_positive * n_negative)
    precision = np.divide(above, called, out=np.zeros(called.shape), where=called > 0)
    return auc, (precision * positive).sum(axis=1) / n_positive


def _per_patient(units: Units, values: Bools | Floats) -> Floats:
    """Sum `values` (n_units,) over each patient's units; (n_patients,)."""
    return np.bincount(units.patient, weights=values, minlength=units.n_patients).astype(np.float64)
