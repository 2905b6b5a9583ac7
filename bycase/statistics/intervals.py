"""95 % intervals from resampled metrics, honest with few patients and where nothing varies.

Plain percentiles of a bootstrap are too narrow with few patients, so they are widened. And where every
resample gives the same value, as when all images are right, percentiles would claim certainty, so an
exact bound takes their place: the rate at which that many patients would still all have been right with
a probability of 2.5 %.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, ndtr, stdtrit

from bycase.statistics.bootstrap import LEAST
from bycase.statistics.metrics import CLASS, MEANS
from bycase.statistics.units import BinaryUnits, Floats, Integers, Units

TAIL = 0.025  # on either side of a 95 % interval
NO_SPREAD = 1e-12

OF_ONE_CLASS = {"sensitivity": True, "recall": True, "specificity": False}
OF_ALL_PATIENTS = ("accuracy", "brier", "log_loss", "recognition_rate")
OF_RANKS = ("auc", "average_precision")
RANGES = {"mcc": (-1.0, 1.0), "log_loss": (0.0, -math.log(LEAST))}  # of all others: 0 to 1


def metric_intervals(metrics: Mapping[str, Any], values: Mapping[str, Floats], units: Units) -> dict[str, Any]:
    """The 95 % intervals of all metrics that were resampled, by the patients that each rests on.

    Parameters
    ----------
    metrics : mapping
        On the whole test part; see `bycase.statistics.metrics.point_metrics`.
    values : mapping of str to ndarray
        On resamples; see `bycase.statistics.metrics.weighted_metrics`.
    units : Units
        The whole test part.

    Returns
    -------
    dict
        For each metric the keys ``low`` and ``high``; ``per_class``: likewise of each class; ``resamples``: how many
        were used.
    """
    classes = metrics.get("per_class", {})
    means = {name: np.array([values[column] for values in classes.values()]) for name, column in MEANS.items()}
    limits: dict[str, Any] = {
        name: metric_interval(name, metrics[name], values[name], units, means.get(name))
        for name in values
        if name in metrics
    }
    if classes:
        limits["per_class"] = {
            label: {
                name: class_interval(name, estimate, values[CLASS + name][:, number], units.against_rest(number))
                for name, estimate in estimates.items()
            }
            for number, (label, estimates) in enumerate(classes.items())
        }
    return limits | {"resamples": len(values["auc"])}


def metric_interval(
    metric: str, estimate: float, values: Floats, units: Units, by_class: Floats | None = None
) -> dict[str, float]:
    """The 95 % interval of a metric: of all patients, of the positive class, or a mean over the classes.

    Parameters
    ----------
    metric : str
        Its key in ``metrics.json``.
    estimate : float
        Its value on the whole test part.
    values : ndarray of shape (n_used,), float64
        Its values on resamples; those that are not finite are left out.
    units : Units
        The whole test part.
    by_class : ndarray of shape (n_classes,), float64
        Where the metric is a mean over the classes, of each; see `mean_interval`.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        In the metric's range; see `interval`.
    """
    if metric in OF_ALL_PATIENTS:
        n = units.n_patients
        return interval(estimate, values, n, perfect_bound(n), limits=RANGES.get(metric, (0.0, 1.0)))
    if units.positive is not None:
        return class_interval(metric, estimate, values, units.against_rest(units.positive))
    if by_class is None:
        raise ValueError(f"{metric} is no metric without a positive class")
    return mean_interval(metric, by_class, values, units)


def class_interval(metric: str, estimate: float, values: Floats, units: BinaryUnits) -> dict[str, float]:
    """The interval of a metric of one class against the rest.

    Sensitivity rests on the patients of the class, specificity on those of the others. What else there is sets one
    against the other, and says nothing where either has a single patient. Average precision borrows the AUC's bound.
    """
    limits = RANGES.get(metric, (0.0, 1.0))
    if metric in OF_ONE_CLASS:
        patients = units.patients_of(OF_ONE_CLASS[metric])
        return interval(estimate, values, patients, perfect_bound(patients), limits=limits)
    sizes = units.patients_of(True), units.patients_of(False)
    perfect = perfect_ranking_bound(*sizes) if metric in OF_RANKS else perfect_bound(min(sizes))
    if min(sizes) < 2:
        return without_spread(estimate, perfect, limits)
    return interval(estimate, values, sum(sizes), perfect, samples=2, limits=limits)


def mean_interval(metric: str, by_class: Floats, values: Floats, units: Units) -> dict[str, float]:
    """The interval of a mean over the classes that occur, each of which has patients of its own.

    Resampling says nothing of how the patients of a class differ if it has but one; that class is taken
    to be anything from 0 to 1.

    Parameters
    ----------
    metric : str
        A key of `bycase.statistics.metrics.MEANS`.
    by_class : ndarray of shape (n_classes,), float64, in [0, 1]
        The metric of each class on the whole test part; NaN where it does not occur.
    values : ndarray of shape (n_used,), float64, in [0, 1]
        The mean on resamples.
    units : Units
        The whole test part.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        In [0, 1].
    """
    sizes = units.classes_of_patients.sum(axis=0)
    by_class, sizes = by_class[sizes > 0], sizes[sizes > 0]
    estimate = float(by_class.mean())
    perfect = perfect_mean_ranking_bound(units) if metric in OF_RANKS else perfect_mean_bound(sizes)
    several = sizes > 1
    if np.ptp(values[np.isfinite(values)]) < NO_SPREAD or not several.any():
        return without_spread(estimate, perfect)
    limits = interval(estimate, values, int(sizes[several].sum()), perfect, samples=int(several.sum()))
    single = by_class[~several]
    return {
        "low": max(0.0, limits["low"] - float(single.sum()) / len(sizes)),
        "high": min(1.0, limits["high"] + float((1 - single).sum()) / len(sizes)),
    }


def interval(
    estimate: float,
    values: Floats,
    patients: int,
    perfect: float,
    samples: int = 1,
    limits: tuple[float, float] = (0.0, 1.0),
) -> dict[str, float]:
    """The expanded percentile interval, or the exact bound where the values do not differ.

    Simulated with 5 + 10 patients of eight images each, the coverage of the AUC rose by the expansion
    from 91 to 95 % where the AUC is .69, and from 85 to 88 % where it is .89.

    Parameters
    ----------
    estimate : float, within `limits`
        The metric on the whole test part.
    values : ndarray of shape (n_used,), float64
        The metric on resamples; those that are not finite are left out.
    patients : int
        How many patients it rests on.
    perfect : float, in (0, 1)
        The lower bound of a perfect result; the interval reaches as far from any other value without spread.
    samples : int
        2 for a metric that compares two classes, each with its own mean; else 1.
    limits : tuple of float
        The metric's range.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        Within `limits`.
    """
    values = values[np.isfinite(values)]
    if np.ptp(values) < NO_SPREAD:
        return without_spread(estimate, perfect, limits)
    tail = expanded_tail(patients, samples)
    low, high = np.quantile(values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}


def with_intervals(
    points: Mapping[str, Floats],
    values: Mapping[str, Floats],
    patients: int,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Means over all patients, such as shares of images, with their 95 % intervals.

    Parameters
    ----------
    points : mapping of str to ndarray of shape (), float64
        On all patients.
    values : mapping of str to ndarray of shape (n_used,), float64
        On resamples.
    patients : int
        How many they rest on.
    limits : mapping of str to tuple of float
        Ranges other than 0 to 1.

    Returns
    -------
    dict
        The points as numbers, and ``ci``: of each ``low`` and ``high``, see `interval`.
    """
    perfect = perfect_bound(patients)
    metrics = {name: float(point) for name, point in points.items()}
    ranges = limits or {}
    return metrics | {
        "ci": {
            name: interval(metrics[name], values[name], patients, perfect, limits=ranges.get(name, (0.0, 1.0)))
            for name in metrics
        }
    }


def without_spread(estimate: float, perfect: float, limits: tuple[float, float] = (0.0, 1.0)) -> dict[str, float]:
    """As far from the estimate, either way, as `perfect` is from 1, as a share of the metric's range."""
    lowest, highest = limits
    reach = (1 - perfect) * (highest - lowest)
    return {"low": max(lowest, estimate - reach), "high": min(highest, estimate + reach)}


def expanded_tail(patients: int, samples: int) -> float:
    """The share of resamples to leave out on either side: 0.025 for many patients, less for few.

    Percentiles are moved as far out as a t interval with its unbiased variance, of ``patients - samples``
    degrees of freedom, lies outside a normal one (Hesterberg, 2015, "What Teachers Should Know About the
    Bootstrap", The American Statistician 69(4)).
    """
    freedom = patients - samples
    return float(ndtr(stdtrit(freedom, TAIL) * math.sqrt(patients / freedom)))


def perfect_bound(patients: int) -> float:
    """The rate at which `patients` of `patients` are right with a probability of 2.5 % (Clopper and Pearson, 1934)."""
    return float(TAIL ** (1 / patients))


def perfect_ranking_bound(positive: int, negative: int) -> float:
    """The AUC at which the patients of two classes are perfectly ranked with a probability of 2.5 %.

    For scores of the exponential family that Hanley and McNeil (1982, Radiology 143) used for the AUC's
    standard error: one class is distributed as the largest of theta draws from the other, and the AUC is
    theta / (theta + 1). Of the two classes that may be the skewed one, the lower bound counts.

    Parameters
    ----------
    positive, negative : int
        Number of patients of each class.

    Returns
    -------
    float, in (0, 1)
    """

    def log_probability(auc: float, lower: int, upper: int) -> float:
        """Of all `upper` draws from the largest-of-theta distribution lying above all `lower` others."""
        theta = auc / (1 - auc)
        return math.log(lower / theta) + float(betaln(lower / theta, upper + 1))

    return min(
        float(brentq(lambda auc, sizes=sizes: log_probability(auc, *sizes) - math.log(TAIL), 1e-9, 1 - 1e-9))
        for sizes in ((positive, negative), (negative, positive))
    )


def perfect_mean_bound(sizes: Integers) -> float:
    """The least mean of the classes' rates at which all patients are right with a probability of 2.5 %.

    Of all rates ``r`` with ``prod(r ** sizes) = 0.025`` the mean is least where they are proportional to the sizes,
    but none above 1 (Lagrange). With one class it is `perfect_bound`.

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,), int64
        Patients of each class, from 1 up.

    Returns
    -------
    float, in (0, 1)
    """

    def log_probability(factor: float) -> float:
        return float((sizes * np.log(np.minimum(1, factor * sizes))).sum())

    factor = brentq(lambda factor: log_probability(factor) - np.log(TAIL), TAIL / sizes.max(), 1 / sizes.min())
    return float(np.minimum(1, factor * sizes).mean())


def perfect_mean_ranking_bound(units: Units) -> float:
    """The mean of the occurring classes' bounds of a perfect ranking, which is wider than a bound of the mean.

    See `perfect_ranking_bound`.
    """
    rest = [units.against_rest(number) for number in np.unique(units.truth)]
    return float(np.mean([perfect_ranking_bound(units.patients_of(True), units.patients_of(False)) for units in rest]))
