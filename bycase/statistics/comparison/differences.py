"""A difference between two networks on the same patients: interval, standard error and p-values, all by one t test.

Means and AUCs: by what each patient adds to the error of the difference (`bycase.statistics.influence`), which is
DeLong's test with clusters; other metrics: by the variance of a bootstrap over patients. Where fewer than six patients
speak for either network, the spread between them says too little. Had the networks been exchanged for each patient at
random, as they might if there were no difference, a result as extreme would still come about with a probability of
2 / 2^k of k such patients (Fisher, 1935, "The Design of Experiments", section 21), so that no p-value is smaller; and
the interval reaches at least as far as one of equal networks. Interval and p-value never contradict each other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.bounds import TAIL, perfect_bound
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.influence import (
    FEWEST,
    METRICS,
    Draws,
    Influence,
    draws_of_difference,
    measure_influence,
    welch,
)
from bycase.statistics.intervals import NO_VARIANCE, bootstrap_freedom, range_width
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import Floats, Integers, Units

FEWEST_DISCORDANT = 6  # of fewer, 2 / 2^k is above 0.05

Pair = tuple[int, int]


@dataclass(frozen=True)
class Difference:
    """A metric of one network minus that of another.

    Attributes
    ----------
    estimate : float
        On all patients.
    variance : float
        Of its error, between samples of patients.
    freedom : float
        Degrees of freedom of the variance.
    patients : int
        Of the smallest sample that the metric rests on: of a class, where it sets classes against one another.
    discordant : int
        Patients who speak for either network.
    unknown : float, in [0, 1]
        The share of the metric that rests on classes of a single patient.
    width : float
        Of the metric's range.
    of_trainings : float
        The part of the variance that more patients would not make smaller, but more trainings would.
    """

    estimate: float
    variance: float
    freedom: float
    patients: int
    discordant: int
    unknown: float = 0.0
    width: float = 1.0
    of_trainings: float = 0.0

    @property
    def mirrored(self) -> "Difference":
        """The second network minus the first."""
        return replace(self, estimate=-self.estimate)

    @property
    def says_nothing(self) -> bool:
        """Whether it is not told how patients differ."""
        return self.unknown == 1 or not self.variance > NO_VARIANCE * self.width**2

    def reach(self, tail: float = TAIL) -> float:
        """How far from the estimate the interval ends of as many patients who all speak for the same difference."""
        return (1 - perfect_bound(self.patients, tail)) * self.width

    def with_trainings(self, trainings: Draws) -> "Difference":
        """The same of a mean over several trainings; where patients do not differ it stays as it is."""
        if self.says_nothing:
            return self
        return replace(
            self,
            variance=self.variance + trainings.variance,
            freedom=welch([self.variance, trainings.variance], [self.freedom, trainings.freedom]),
            of_trainings=trainings.variance,
        )


def influence_difference(influence: Influence, width: float = 1.0) -> Difference:
    """From the influences on a difference; see `bycase.statistics.influence.Influence.minus`."""
    several = influence.sizes[influence.sizes >= FEWEST]
    nothing = influence.unknown == 1 or not influence.variance > NO_VARIANCE
    return Difference(
        influence.estimate,
        influence.variance,
        math.inf if nothing else influence.freedom,
        int(several.min()) if len(several) else 1,
        influence.discordant,
        influence.unknown,
        width,
        influence.draws.variance,
    )


def resampled_difference(
    estimate: float, values: Floats, sizes: Integers, discordant: int, width: float = 1.0
) -> Difference:
    """From `values`, (n_resamples,), those that are not finite left out, and how many patients each sample has.

    `sizes`, (n_samples,), are of the classes that occur where these are compared; else of all patients.
    """
    several, finite = sizes[sizes >= FEWEST], values[np.isfinite(values)]
    if len(several) < min(2, len(sizes)) or not len(several) or len(finite) < FEWEST:
        return Difference(estimate, 0.0, math.inf, 1, discordant, 1.0, width)
    freedom, inflation = bootstrap_freedom(several)
    variance, unknown = float(finite.var(ddof=1)) * inflation**2, 1 - len(several) / len(sizes)
    return Difference(estimate, variance, freedom, int(several.min()), discordant, unknown, width)


def differences_from(units: Units, other: Units, metrics: Sequence[str]) -> dict[str, Any]:
    """What `units` have more than `other` predictions of the same images, or patients, by metric of closed form.

    Returns
    -------
    dict
        By metric ``difference``, its 95 % interval ``ci``, and ``p``.
    """
    found: dict[str, Any] = {}
    for metric in metrics:
        influence = measure_influence(metric, units).minus(measure_influence(metric, other))
        difference = influence_difference(influence, range_width(metric))
        ends, p = confidence_interval(difference), p_two_sided(difference)
        found[metric] = {"difference": difference.estimate, "ci": ends, "p": p}
    return found


def measure_differences(
    paired: Paired,
    metrics: Sequence[str],
    pairs: Sequence[Pair],
    resamples: int,
    random: np.random.Generator,
    trainings: Mapping[str, Floats] | None = None,
) -> dict[str, dict[Pair, Difference]]:
    """The differences of all pairs of networks, by metric.

    Parameters
    ----------
    paired : Paired
        Images or patients.
    metrics : sequence of str
        Of `bycase.statistics.metrics.weighted_metrics`, one number each.
    pairs : sequence of tuple of two int
        Numbers of networks.
    resamples : int
        Of the bootstrap over patients, for metrics without a closed form; the same patients for all networks.
    random : Generator
        Draws them.
    trainings : mapping of str to ndarray of shape (n_repeats, n_models), optional
        Each metric in each of several repeats, whose variance is then joined to that between patients, as if all
        networks' trainings varied alike; see `bycase.statistics.comparison.resampling.values_of_repeats`.
    """
    units = [paired.units(number) for number in range(len(paired.models))]
    trained = trainings or {}
    repeats = [paired.of_repeat(int(repeat)) for repeat in paired.repeats] if trained else []
    differences: dict[str, dict[Pair, Difference]] = {}
    for metric in metrics:
        if metric in METRICS:
            each = [measure_influence(metric, one) for one in units]
            again = [[measure_influence(metric, one.units(k)) for k in range(len(units))] for one in repeats]
            differences[metric] = {}
            for i, j in pairs:
                influence = each[i].minus(each[j])
                if metric in trained:
                    own = [networks[i].minus(networks[j]) for networks in again]
                    influence = influence.with_draws(draws_of_difference(trained[metric], own))
                differences[metric][i, j] = influence_difference(influence, range_width(metric))
    others = [metric for metric in metrics if metric not in differences]
    if others and pairs:
        differences |= _resampled(units, others, pairs, resamples, random)
        for metric in set(others) & set(trained):
            draws = draws_of_difference(trained[metric])
            differences[metric] = {
                pair: difference.with_trainings(draws) for pair, difference in differences[metric].items()
            }
    return {metric: differences.get(metric, {}) for metric in metrics}


def _resampled(
    units: Sequence[Units], metrics: Sequence[str], pairs: Sequence[Pair], resamples: int, random: np.random.Generator
) -> dict[str, dict[Pair, Difference]]:
    def statistic(counts: Integers) -> Mapping[str, Floats]:
        networks = [weighted_metrics(each, counts) for each in units]
        return {metric: np.column_stack([values[metric] for values in networks]) for metric in metrics}

    first = units[0]
    drawn = bootstrap(first, statistic, resamples, random)
    points = {metric: values[0] for metric, values in statistic(np.ones((1, first.n_patients), np.int64)).items()}
    sizes = first.classes_of_patients.sum(axis=0)
    sizes = sizes[sizes > 0]
    return {
        metric: {
            (i, j): resampled_difference(
                float(points[metric][i] - points[metric][j]),
                drawn[metric][:, i] - drawn[metric][:, j],
                sizes,
                count_discordant(units[i], units[j]),
                range_width(metric),
            )
            for i, j in pairs
        }
        for metric in metrics
    }


def count_discordant(one: Units, other: Units) -> int:
    """How many patients two networks say something else of."""
    differ = (one.scores != other.scores).any(axis=1) | (one.predicted != other.predicted)
    return len(np.unique(one.patient[differ]))


def confidence_interval(difference: Difference, alpha: float = 2 * TAIL) -> dict[str, float]:
    """The interval that holds a true difference with probability 1 - `alpha`, within the range that a difference has.

    Returns
    -------
    dict with the keys ``low`` and ``high``
    """
    tail = alpha / 2
    few = difference.discordant < FEWEST_DISCORDANT or 0.5**difference.discordant > tail
    reach = difference.reach(tail) if few or difference.says_nothing else 0.0
    if not difference.says_nothing:
        reach = max(reach, -float(stdtrit(difference.freedom, tail)) * math.sqrt(difference.variance))
    reach += difference.unknown * difference.width
    low, high = difference.estimate - reach, difference.estimate + reach
    if few:
        low, high = min(low, 0.0), max(high, 0.0)
    return {"low": max(low, -difference.width), "high": min(high, difference.width)}


def simultaneous_interval(difference: Difference, alpha: float, pairs: int, p_adjusted: float) -> dict[str, float]:
    """The interval of one of several pairs that together hold all true differences with probability 1 - `alpha`.

    Bonferroni's, but that it ends at 0 where Holm's procedure finds a difference and Bonferroni's does not, so that it
    excludes 0 where, and only where, the adjusted p-value is below `alpha`. An end of 0 is not part of it.

    Parameters
    ----------
    difference : Difference
        Of the pair.
    alpha : float, in (0, 1)
        Of all pairs together.
    pairs : int
        Their number.
    p_adjusted : float
        The pair's p-value, adjusted over all.

    Returns
    -------
    dict with the keys ``low`` and ``high``
    """
    ends = confidence_interval(difference, alpha / pairs)
    if p_adjusted >= alpha:
        return ends
    return (
        {"low": max(ends["low"], 0.0), "high": ends["high"]}
        if difference.estimate > 0
        else {
            "low": ends["low"],
            "high": min(ends["high"], 0.0),
        }
    )


def standard_error(difference: Difference) -> float:
    """The standard deviation between samples of patients; where it is not told, that of an interval so wide."""
    if difference.says_nothing:
        return (difference.reach() + difference.unknown * difference.width) / float(-ndtri(TAIL))
    return math.sqrt(difference.variance)


def p_at_most(difference: Difference, bound: float) -> float:
    """One-sided p-value of a true difference of `bound` or less, against a larger one; in [0, 1]."""
    beyond = difference.estimate - bound - difference.unknown * difference.width
    p = 0.0
    if not difference.says_nothing:
        p = float(stdtr(difference.freedom, -beyond / math.sqrt(difference.variance)))
    if difference.says_nothing or difference.discordant < FEWEST_DISCORDANT:
        # As many patients as these all speak for the same difference; see `bycase.statistics.bounds.perfect_bound`.
        distance = min(max(beyond / difference.width, 0.0), 1.0)
        p = max(p, (1 - distance) ** difference.patients)
    return p


def p_two_sided(difference: Difference) -> float:
    """P-value of there being no difference; in (0, 1], below 0.05 where the 95 % interval excludes 0."""
    least = min(p_at_most(difference, 0.0), p_at_most(difference.mirrored, 0.0))
    return min(1.0, 2 * max(least, 0.5**difference.discordant))


def p_not_equivalent(difference: Difference, margin: float) -> float:
    """P-value of a true difference of `margin` or more, either way: the larger of two one-sided ones.

    Below alpha where the interval of level 1 - 2 alpha lies within the margin (Schuirmann, 1987, "A comparison of the
    two one-sided tests procedure and the power approach", Journal of Pharmacokinetics and Biopharmaceutics 15).
    """
    return max(p_at_most(difference, -margin), p_at_most(difference.mirrored, -margin))
