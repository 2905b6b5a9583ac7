"""A difference between two networks: interval, standard error and p-values from resampled patients.

A p-value is what makes the interval of `intervals` end at the value in question: the share of resampled
differences beyond that value, one added above and below since the observed one is among the possible (Davison and
Hinkley, 1997, "Bootstrap Methods and their Application", section 4.2), and moved back by as much as the interval's
percentiles are moved out for few patients (Hesterberg, 2015). It is never 0.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from bycase.statistics.intervals import (
    NO_SPREAD,
    OF_ALL_PATIENTS,
    OF_ONE_CLASS,
    TAIL,
    expanded_tail,
    perfect_bound,
)
from bycase.statistics.units import Floats, Units


@dataclass(frozen=True)
class Support:
    """The patients that a metric rests on.

    Attributes
    ----------
    patients : int
        How many.
    samples : int
        Into how many classes, each with a mean of its own, the metric divides them.
    fewest : int
        Patients of the smallest of these classes.
    """

    patients: int
    samples: int
    fewest: int


@dataclass(frozen=True)
class Difference:
    """A metric of one network minus that of another, observed and on resampled patients.

    Attributes
    ----------
    estimate : float
        On all patients.
    values : ndarray of shape (n_used,), float64
        On resamples.
    support : Support
        The patients that the metric rests on.
    """

    estimate: float
    values: Floats
    support: Support

    @property
    def mirrored(self) -> "Difference":
        """The second network minus the first."""
        return Difference(-self.estimate, -self.values, self.support)

    @property
    def says_nothing(self) -> bool:
        """Whether the resamples do not tell how patients differ: all are equal, or a class has one patient only."""
        return self.support.fewest < 2 or float(np.ptp(self.values)) < NO_SPREAD


def support(metric: str, units: Units) -> Support:
    """Who a metric, one of `bycase.statistics.comparison.resampling.METRICS`, rests on."""
    patients = units.classes_of_patients.sum(axis=0)
    sizes = patients[patients > 0].tolist()
    if metric in OF_ALL_PATIENTS:
        sizes = [len(np.unique(units.patient))]
    elif metric in OF_ONE_CLASS and units.positive is not None:
        sizes = [int(patients[units.positive if OF_ONE_CLASS[metric] else 1 - units.positive])]
    return Support(sum(sizes), len(sizes), min(sizes))


def confidence_interval(difference: Difference) -> dict[str, float]:
    """The 95 % interval: expanded percentiles, or where they say nothing as far as an exact bound.

    Returns
    -------
    dict with the keys ``low`` and ``high``
    """
    if difference.says_nothing:
        reach = _reach(difference)
        return {"low": difference.estimate - reach, "high": difference.estimate + reach}
    tail = expanded_tail(difference.support.patients, difference.support.samples)
    low, high = np.quantile(difference.values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}


def standard_error(difference: Difference) -> float:
    """The standard deviation over resamples, without the bias of a variance over few patients."""
    if difference.says_nothing:
        return _reach(difference) / float(-ndtri(TAIL))
    patients, freedom = _freedom(difference.support)
    return float(difference.values.std(ddof=1)) * math.sqrt(patients / freedom)


def p_at_most(difference: Difference, bound: float) -> float:
    """One-sided p-value of a true difference of `bound` or less, against a larger one; in (0, 1]."""
    n = len(difference.values) + 1
    if difference.says_nothing:
        # As many patients as these all speak for the same difference; see `bycase.statistics.intervals.perfect_bound`.
        distance = min(max(difference.estimate - bound, 0.0), 1.0)
        return max((1 - distance) ** difference.support.fewest, 1 / n)
    share = (int((difference.values <= bound).sum()) + 1) / n
    patients, freedom = _freedom(difference.support)
    return float(stdtr(freedom, ndtri(share) * math.sqrt(freedom / patients)))


def p_two_sided(difference: Difference) -> float:
    """P-value of there being no difference; in (0, 1], below 0.05 where the 95 % interval excludes 0."""
    return min(1.0, 2 * min(p_at_most(difference, 0.0), p_at_most(difference.mirrored, 0.0)))


def p_not_equivalent(difference: Difference, margin: float) -> float:
    """P-value of a true difference of `margin` or more, either way: the larger of two one-sided ones.

    Below alpha where the interval of level 1 - 2 alpha lies within the margin (Schuirmann, 1987, "A comparison of the
    two one-sided tests procedure and the power approach", Journal of Pharmacokinetics and Biopharmaceutics 15).
    """
    return max(p_at_most(difference, -margin), p_at_most(difference.mirrored, -margin))


def _freedom(support: Support) -> tuple[int, int]:
    return support.patients, support.patients - support.samples


def _reach(difference: Difference) -> float:
    return 1 - perfect_bound(difference.support.fewest)
