"""Exact bounds of a perfect result, and intervals where nothing varies.

When all images are right, the spread over patients is 0, and an interval made of it would claim certainty. The exact
bound takes its place: the rate at which that many patients would still all have been right with a probability of 2.5 %.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln
from statsmodels.stats.proportion import proportion_confint

from bycase.statistics.units import Floats, Units

TAIL = 0.025  # on either side of a 95 % interval


def exact_interval(right: int, n: int) -> dict[str, float]:
    """Of a rate among `n` independent units (Clopper and Pearson, 1934, Biometrika 26, 404-413)."""
    low, high = proportion_confint(right, n, alpha=2 * TAIL, method="beta")
    return {"low": float(low), "high": float(high)}


def without_spread(estimate: float, perfect: float, limits: tuple[float, float] = (0.0, 1.0)) -> dict[str, float]:
    """As far from the estimate, either way, as `perfect` is from 1, as a share of the metric's range."""
    lowest, highest = limits
    reach = (1 - perfect) * (highest - lowest)
    return {"low": max(lowest, estimate - reach), "high": min(highest, estimate + reach)}


def perfect_bound(patients: float, tail: float = TAIL) -> float:
    """The rate at which `patients` of `patients` are right with a probability of `tail` (Clopper and Pearson, 1934)."""
    return float(tail ** (1 / patients)) if patients else 0.0


def perfect_ranking_bound(positive: float, negative: float) -> float:
    """The AUC at which the patients of two classes are perfectly ranked with a probability of 2.5 %.

    For scores of the exponential family that Hanley and McNeil (1982, Radiology 143) used for the AUC's
    standard error: one class is distributed as the largest of theta draws from the other, and the AUC is
    theta / (theta + 1). Of the two classes that may be the skewed one, the lower bound counts.

    Parameters
    ----------
    positive, negative : float, above 0
        Number of patients of each class; see `bycase.statistics.units.Units.shares_of_patients`.

    Returns
    -------
    float, in (0, 1)
    """

    def log_probability(auc: float, lower: float, upper: float) -> float:
        """Of all `upper` draws from the largest-of-theta distribution lying above all `lower` others."""
        theta = auc / (1 - auc)
        return math.log(lower / theta) + float(betaln(lower / theta, upper + 1))

    return min(
        float(brentq(lambda auc, sizes=sizes: log_probability(auc, *sizes) - math.log(TAIL), 1e-9, 1 - 1e-9))
        for sizes in ((positive, negative), (negative, positive))
    )


def perfect_mean_bound(sizes: Floats) -> float:
    """The least mean of the classes' rates at which all patients are right with a probability of 2.5 %.

    Of all rates ``r`` with ``prod(r ** sizes) = 0.025`` the mean is least where they are proportional to the sizes,
    but none above 1 (Lagrange). With one class it is `perfect_bound`.

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,), float64, above 0
        Patients of each class; see `bycase.statistics.units.Units.shares_of_patients`.

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
    return float(np.mean([perfect_ranking_bound(*units.shares_of_patients) for units in rest]))
