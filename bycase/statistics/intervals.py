"""95 % intervals from resampled metrics, honest with few patients and where nothing varies.

Plain percentiles of a bootstrap are too narrow with few patients, so they are widened. And where every
resample gives the same value, as when all images are right, percentiles would claim certainty, so an
exact bound takes their place: the rate at which that many patients would still all have been right with
a probability of 2.5 %.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, ndtr, stdtrit

from bycase.statistics.bootstrap import LEAST
from bycase.statistics.units import Floats, Units

TAIL = 0.025  # on either side of a 95 % interval
NO_SPREAD = 1e-12

OF_ONE_CLASS = {"sensitivity": True, "specificity": False}
OF_ALL_PATIENTS = ("accuracy", "brier", "log_loss", "recognition_rate")
OF_RANKS = ("auc", "average_precision")
RANGES = {"mcc": (-1.0, 1.0), "log_loss": (0.0, -math.log(LEAST))}  # of all others: 0 to 1


def metric_interval(metric: str, estimate: float, values: Floats, units: Units) -> dict[str, float]:
    """The 95 % interval of a metric, by the patients that it rests on.

    Sensitivity rests on the patients of the positive class, specificity on those of the negative, the
    metrics in `OF_ALL_PATIENTS` on all. The others set one class against the other, and say nothing where
    either has a single patient.

    Parameters
    ----------
    metric : str
        Its key in ``metrics.json``.
    estimate : float
        Its value on the whole test part.
    values : ndarray of shape (n_used,), float64
        Its values on resamples.
    units : Units
        The whole test part.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        In the metric's range; see `interval`. Average precision borrows the AUC's bound.
    """
    limits = RANGES.get(metric, (0.0, 1.0))
    if metric in OF_ONE_CLASS or metric in OF_ALL_PATIENTS:
        patients = units.patients_of(OF_ONE_CLASS[metric]) if metric in OF_ONE_CLASS else units.n_patients
        return interval(estimate, values, patients, perfect_bound(patients), limits=limits)
    sizes = units.patients_of(True), units.patients_of(False)
    perfect = perfect_ranking_bound(*sizes) if metric in OF_RANKS else perfect_bound(min(sizes))
    if min(sizes) < 2:
        return without_spread(estimate, perfect, limits)
    return interval(estimate, values, sum(sizes), perfect, samples=2, limits=limits)


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
        The metric on resamples.
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
    if np.ptp(values) < NO_SPREAD:
        return without_spread(estimate, perfect, limits)
    tail = expanded_tail(patients, samples)
    low, high = np.quantile(values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}


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
