"""Metrics on resampled patients: what intervals are made of.

Images of one patient resemble one another, so that patients, not images, are what a new sample
would draw (Field and Welsh, 2007, "Bootstrapping clustered data"). A resample is a vector that says
how often each patient was drawn; all metrics are computed for many such vectors at once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bycase.statistics.units import Bools, Floats, Integers, Units

CHUNK = 4_000_000  # numbers in one array of resamples x units: 32 MB
LEAST = float(np.finfo(np.float64).eps)  # probability for a finite log loss

Statistic = Callable[[Integers], Mapping[str, Floats]]


class Clustered(Protocol):
    """Units of any number of classes, and the patient that each belongs to."""

    @property
    def truth(self) -> NDArray[Any]:
        """The class of each unit, as a number or as whether it is the positive one."""

    @property
    def patient(self) -> Integers:
        """Of each unit, in [0, n_patients)."""

    @property
    def stratum(self) -> Integers | None:
        """Of each unit, within which ranks are compared."""

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""


def bootstrap(units: Clustered, statistic: Statistic, resamples: int, random: np.random.Generator) -> dict[str, Floats]:
    """Compute a statistic on resampled patients.

    Resamples in which no stratum has two classes have no AUC and are left out, unless the units are of one class.

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
    n_patients = units.n_patients
    members = _class_members(units)
    wanted = min(2, int(members.any(axis=0).sum(axis=1).max()))
    at_once = max(1, CHUNK // max(n_patients, len(units.patient)))
    for start in range(0, resamples, at_once):
        n = min(at_once, resamples - start)
        drawn = random.integers(n_patients, size=(n, n_patients)) + n_patients * np.arange(n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n * n_patients).reshape(n, n_patients)
        held = np.tensordot(counts.astype(np.float64), members, axes=1) > 0
        usable = held.sum(axis=2).max(axis=1) >= wanted
        yield counts if usable.all() else counts[usable]


def _class_members(units: Clustered) -> Floats:
    """1 where a patient has a unit of a class in a stratum, else 0; (n_patients, n_strata, n_classes)."""
    truth = np.asarray(units.truth, np.int64)
    stratum = np.zeros(len(truth), np.int64) if units.stratum is None else units.stratum
    members = np.zeros((units.n_patients, int(stratum.max()) + 1, int(truth.max()) + 1))
    members[units.patient, stratum, truth] = 1
    return members


def weighted_metrics(units: Units, predicted: Bools, counts: Integers) -> dict[str, Floats]:
    """The metrics that get an interval, for every resample; with counts of 1, those of the units themselves.

    Parameters
    ----------
    units : Units
        Images or patients.
    predicted : ndarray of shape (n_units,), bool
        Predicted classes.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples,), float64
        The keys of `bycase.statistics.metrics.point_metrics`, with its conventions. Without strata or with counts of
        1 in a single one the values are the same; else ranks are compared within strata, see `rank_metrics_within`.
        NaN where a resample lacks a class that the metric needs.
    """
    chosen = np.where(units.truth, units.scores, 1 - units.scores)
    columns = np.column_stack(
        [
            units.truth & predicted,
            units.truth & ~predicted,
            ~units.truth & ~predicted,
            ~units.truth & predicted,
            (1 - chosen) ** 2,
            log_losses(chosen),
        ]
    )
    right_positive, missed, right_negative, false_alarm, squares, losses = weighted_sums(units, columns, counts).T
    n_positive, n_negative = right_positive + missed, right_negative + false_alarm
    n_units, called = n_positive + n_negative, right_positive + false_alarm
    sensitivity, specificity = divide(right_positive, n_positive), divide(right_negative, n_negative)
    wrong = missed + false_alarm
    f1 = divide(2 * right_positive, 2 * right_positive + wrong, 0)
    f1_negative = divide(2 * right_negative, 2 * right_negative + wrong, 0)
    products = n_positive * n_negative * called * (n_units - called)
    auc, average_precision = rank_metrics_within(units, counts)
    return {
        "auc": auc,
        "average_precision": average_precision,
        "accuracy": (right_positive + right_negative) / n_units,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "precision": divide(right_positive, called, 0),
        "f1": f1,
        "macro_f1": (f1 + f1_negative) / 2,
        "mcc": divide(right_positive * right_negative - missed * false_alarm, np.sqrt(products), 0),
        "brier": squares / n_units,
        "log_loss": losses / n_units,
    }


def rank_metrics(truth: Bools, scores: Floats, weights: Integers) -> tuple[Floats, Floats]:
    """AUC and average precision under many weightings of the same units; see `rank_metrics_within`.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        True for the positive class.
    scores : ndarray of shape (n_units,), float64
        Larger means more likely positive.
    weights : ndarray of shape (n_weightings, n_units), int64
        From 0 up.

    Returns
    -------
    auc, average_precision : ndarray of shape (n_weightings,), float64, in [0, 1]
        NaN where there is no pair of both classes, or no positive unit.
    """
    return rank_metrics_within(Units(truth, scores, np.arange(len(truth))), weights)


def rank_metrics_within(units: Units, counts: Integers) -> tuple[Floats, Floats]:
    """AUC and average precision of resampled patients, by ranks within strata.

    The AUC is the weighted share of pairs of a positive and a negative unit of one stratum in which the positive
    has the higher score, ties counting half (Mann and Whitney, 1947). Average precision is the sum of precision
    times the step in recall over the distinct scores, and of several strata the mean by their positive units.

    One pass over the units from the highest score down, each step for all resamples at once: the running sums
    stay in the processor's cache. For 2,000 images of 500 patients this takes half as long as the AUC alone as a
    quadratic form of the counts with the matrix of concordant pairs.

    Parameters
    ----------
    units : Units
        Images or patients.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    auc, average_precision : ndarray of shape (n_resamples,), float64, in [0, 1]
        NaN where no stratum has both classes, or there is no positive unit.
    """
    drawn = np.ascontiguousarray(counts.T, np.float64)
    concordant, pairs, precisions, positives, work = np.zeros((5, len(counts)))
    for ties in _ranked_ties(units):
        above, below = np.zeros((2, len(counts)))  # positive and negative units so far
        for positive, negative in ties:
            if len(negative):
                falling = _drawn_together(drawn, negative)
                np.multiply(falling, above, out=work)
                concordant += work
                below += falling
            if len(positive):
                rising = _drawn_together(drawn, positive)
                if len(negative):
                    concordant += falling * rising / 2
                above += rising
                np.add(above, below, out=work)
                np.maximum(work, 1, out=work)  # 0 only where nothing rises either
                np.divide(above, work, out=work)
                work *= rising
                precisions += work
        pairs += above * below
        positives += above
    return divide(concordant, pairs), divide(precisions, positives)


def _ranked_ties(units: Units) -> Iterator[Iterator[tuple[Integers, Integers]]]:
    """Of each stratum the groups of equal scores, highest first: the patients of positive and of negative units."""
    stratum = np.zeros(len(units.truth), np.int64) if units.stratum is None else units.stratum
    for number in np.unique(stratum):
        members = np.flatnonzero(stratum == number)
        order = members[np.argsort(-units.scores[members], kind="stable")]
        groups = np.split(order, np.flatnonzero(np.diff(units.scores[order])) + 1)
        yield ((units.patient[of[units.truth[of]]], units.patient[of[~units.truth[of]]]) for of in groups)


def _drawn_together(drawn: Floats, patients: Integers) -> Floats:
    """How often units of these patients, of whom one may stand several times, were drawn; (n_resamples,)."""
    return drawn[patients[0]] if len(patients) == 1 else drawn[patients].sum(axis=0)


def weighted_sums(units: Clustered, columns: Floats, counts: Integers) -> Floats:
    """Sums over the units of resampled patients.

    Parameters
    ----------
    units : Units or ClassUnits
        Whose the units are.
    columns : ndarray of shape (n_units, n), float64
        What is summed.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    ndarray of shape (n_resamples, n), float64
    """
    of_patients = np.zeros((units.n_patients, columns.shape[1]))
    np.add.at(of_patients, units.patient, columns)
    return counts.astype(np.float64) @ of_patients


def log_losses(chosen: Floats) -> Floats:
    """The log loss, in nats, of each unit's probability of its true class, kept finite as scikit-learn does."""
    losses: Floats = -np.log(np.clip(chosen, LEAST, 1 - LEAST))
    return losses


def divide(part: Floats, whole: Floats, otherwise: float = np.nan) -> Floats:
    """The quotient; `otherwise` where `whole` is 0."""
    return np.divide(part, whole, out=np.full(whole.shape, otherwise, np.float64), where=whole != 0)
