"""95 % intervals that clusters, few patients and perfect results do not make too narrow.

Means and AUCs: a t interval of the log odds, whose variance and degrees of freedom come from what each patient adds to
the error (`bycase.statistics.influence`), so that the rarer class counts. Rates with one unit a patient: Clopper and
Pearson's. Other metrics: percentiles of a bootstrap over patients, moved out as far as a t interval would be. And no
result rules out more than a perfect one of as many patients would (`bycase.statistics.bounds`): its interval cannot be
that of many images only because they are few patients'. `python -m speed.coverage` measures how often they are right.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, stdtrit

from bycase.statistics.bootstrap import LEAST
from bycase.statistics.bounds import (
    TAIL,
    exact_interval,
    perfect_bound,
    perfect_mean_bound,
    perfect_mean_ranking_bound,
    perfect_ranking_bound,
    without_spread,
)
from bycase.statistics.influence import (
    FEWEST,
    METRICS,
    RATES,
    Draws,
    Influence,
    mean_influence,
    measure_influence,
    rate_members,
    welch,
)
from bycase.statistics.metrics import CLASS
from bycase.statistics.units import Bools, Floats, Integers, Units

NO_SPREAD = 1e-12
NO_VARIANCE = 1e-20

OF_ALL_PATIENTS = ("accuracy", "brier", "log_loss", "recognition_rate")
OF_RANKS = ("auc", "average_precision")
MEANS_ONLY = ("balanced_accuracy", "macro_f1")  # over the classes, whether one is the positive one or not
UNIT = (0.0, 1.0)
RANGES = {"mcc": (-1.0, 1.0), "log_loss": (0.0, -math.log(LEAST))}  # of all others: 0 to 1


def range_width(metric: str) -> float:
    """From the least to the largest value that a metric may have."""
    low, high = RANGES.get(metric, UNIT)
    return high - low


def metric_intervals(
    metrics: Mapping[str, Any],
    values: Mapping[str, Floats],
    units: Units,
    trainings: Mapping[str, Draws] | None = None,
) -> dict[str, Any]:
    """The 95 % intervals of all metrics that were resampled, by the patients that each rests on.

    Parameters
    ----------
    metrics : mapping
        On the whole test part; see `bycase.statistics.metrics.point_metrics`.
    values : mapping of str to ndarray
        On resamples; see `bycase.statistics.metrics.weighted_metrics`.
    units : Units
        The whole test part.
    trainings : mapping of str to Draws, optional
        The error of each metric that comes from several trainings, which all predicted `units`.

    Returns
    -------
    dict
        For each metric the keys ``low`` and ``high``; ``per_class``: likewise of each class, over patients only;
        ``resamples``: how many there were.
    """
    trained = trainings or {}
    limits: dict[str, Any] = {
        name: metric_interval(name, metrics[name], values[name], units, trainings=trained.get(name))
        for name in values
        if name in metrics
    }
    if "per_class" in metrics:
        limits["per_class"] = {
            label: {
                name: metric_interval(name, estimate, values[CLASS + name][:, number], units, number)
                for name, estimate in metrics["per_class"][label].items()
            }
            for number, label in enumerate(units.classes)
        }
    return limits | {"resamples": len(values["accuracy"])}


def metric_interval(
    metric: str,
    estimate: float,
    values: Floats | None,
    units: Units,
    number: int | None = None,
    trainings: Draws | None = None,
) -> dict[str, float]:
    """The 95 % interval of a metric: of all patients, of one class against the rest, or a mean over the classes.

    Parameters
    ----------
    metric : str
        Its key in ``metrics.json``.
    estimate : float
        Its value on the whole test part.
    values : ndarray of shape (n_resamples,), float64, or None
        Its values on resamples, which only metrics without a closed form need; those that are not finite are left out.
    units : Units
        The whole test part.
    number : int, optional
        The class; by default the positive one, without which what is not of all patients is a mean over the classes.
    trainings : Draws, optional
        Of several trainings, whose variance is joined to that between patients.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        In the metric's range.
    """
    number = units.positive if number is None else number
    if metric in RATES and (metric == "accuracy" or number is not None):
        right, members = rate_members(metric, units, number)
        if trainings is None or not members.any():
            return rate_interval(right, members, units.patient)
        return share_interval(right, members, units.patient, trainings=trainings)
    limits, perfect = RANGES.get(metric, UNIT), perfect_metric_bound(metric, units, number)
    if metric in METRICS:
        influence = measure_influence(metric, units, number)
        ends = influence_interval(influence if trainings is None else influence.with_draws(trainings), perfect, limits)
    elif values is None:
        raise ValueError(f"{metric} has no interval without resamples")
    else:
        sizes = units.classes_of_patients.sum(axis=0)
        if number is not None:
            sizes = np.array([sizes[number], units.against_rest(number).patients_of(False)])
        ends = resampled_interval(estimate, values, sizes[sizes > 0], perfect, limits)
        ends = ends if trainings is None else _join_trainings(ends, estimate, trainings, limits)
    # The worst log loss is nobody's: a share of the way to it would be far too much.
    return ends if metric == "log_loss" else no_surer(ends, perfect, limits)


def perfect_metric_bound(metric: str, units: Units, number: int | None = None) -> float:
    """The lower bound of a perfect result, as a share of the metric's range; arguments as of `metric_interval`.

    What sets a class against the rest rests on the rarer of both. Average precision borrows the AUC's bound.
    """
    if metric in OF_ALL_PATIENTS:
        return perfect_bound(units.n_patients)
    number = units.positive if number is None else number
    if number is None or metric in MEANS_ONLY:
        shares = units.shares_of_patients
        return perfect_mean_ranking_bound(units) if metric in OF_RANKS else perfect_mean_bound(shares[shares > 0])
    shares_of_sides = units.against_rest(number).shares_of_patients
    return perfect_ranking_bound(*shares_of_sides) if metric in OF_RANKS else perfect_bound(min(shares_of_sides))


def resampled_interval(
    estimate: float, values: Floats, sizes: Integers, perfect: float, limits: tuple[float, float]
) -> dict[str, float]:
    """The interval of a metric that only resamples tell.

    Parameters
    ----------
    estimate, values, perfect, limits
        As of `interval`.
    sizes : ndarray of shape (n_classes,), int64, above 0
        Patients of each class; a class of a single patient may be anything.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        Within `limits`.
    """
    several = sizes >= FEWEST
    if several.sum() < 2:
        return without_spread(estimate, perfect, limits)
    return _widened(interval(estimate, values, sizes[several], perfect, limits), float(1 - several.mean()), limits)


def rate_interval(right: Bools, members: Bools, patient: Integers) -> dict[str, float]:
    """The interval of the share of `members` that are `right`; arrays of shape (n_units,).

    With one unit a patient it is exact (Clopper and Pearson, 1934); else that of `influence_interval`. Without any
    member all is possible.
    """
    n = int(members.sum())
    if n == len(np.unique(patient[members])):
        return exact_interval(int(right[members].sum()), n) if n else dict(zip(("low", "high"), UNIT, strict=True))
    return share_interval(right, members, patient)


def _join_trainings(
    ends: Mapping[str, float], estimate: float, trainings: Draws, limits: tuple[float, float]
) -> dict[str, float]:
    """Join an interval over patients and the t interval of the trainings' mean by MOVER (Zou and Donner, 2008)."""
    reach = -float(stdtrit(trainings.freedom, TAIL)) * math.sqrt(trainings.variance)
    below, above = (math.hypot(ends[end] - estimate, reach) for end in ("low", "high"))
    return {"low": max(limits[0], estimate - below), "high": min(limits[1], estimate + above)}


def share_interval(
    values: Floats | Bools,
    members: Bools,
    patient: Integers,
    limits: tuple[float, float] = UNIT,
    trainings: Draws | None = None,
) -> dict[str, float]:
    """The interval of the mean of `values` over the `members`, any number of a patient; see `influence_interval`.

    `trainings` as of `metric_interval`.
    """
    influence = mean_influence(values, members, patient)
    influence = influence if trainings is None else influence.with_draws(trainings)
    perfect = perfect_bound(int(influence.sizes[0]))
    return no_surer(influence_interval(influence, perfect, limits), perfect, limits)


def mean_interval(values: Floats, patient: Integers, limits: tuple[float, float] = UNIT) -> dict[str, float]:
    """The interval of the mean of all `values`, (n_units,), of which neither end of the range is a perfect result."""
    influence = mean_influence(values, np.ones(len(values), bool), patient)
    return influence_interval(influence, perfect_bound(int(influence.sizes[0])), limits)


def influence_interval(influence: Influence, perfect: float, limits: tuple[float, float] = UNIT) -> dict[str, float]:
    """A t interval of the log odds, from the variance over patients.

    Half a unit of as many independent ones as would have that variance is added to both sides, as to the empirical log
    odds of a proportion (Cox and Snell, 1989, "Analysis of Binary Data", section 2.1), without which the interval lies
    too near to the end of the range.

    Parameters
    ----------
    influence : Influence
        A metric within `limits`.
    perfect : float, in (0, 1)
        The lower bound of a perfect result as a share of the range; see `bycase.statistics.bounds`.
    limits : tuple of float
        The metric's range.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        Within `limits`; see `without_spread` where the patients do not differ.
    """
    lowest, highest = limits
    width = highest - lowest
    share, variance = (influence.estimate - lowest) / width, influence.variance / width**2
    if influence.unknown == 1 or not variance > NO_VARIANCE:
        return without_spread(influence.estimate, perfect, limits)
    information = share * (1 - share)
    n = information / variance
    centre = math.log((share * n + 0.5) / ((1 - share) * n + 0.5))
    reach = -float(stdtrit(influence.freedom, TAIL)) * math.sqrt(variance) / information
    low, high = (lowest + width * float(expit(centre + side * reach)) for side in (-1, 1))
    return _widened({"low": low, "high": high}, influence.unknown, limits)


def _widened(ends: Mapping[str, float], unknown: float, limits: tuple[float, float]) -> dict[str, float]:
    """By a share of which nothing is known."""
    lowest, highest = limits
    reach = unknown * (highest - lowest)
    return {"low": max(lowest, ends["low"] - reach), "high": min(highest, ends["high"] + reach)}


def no_surer(ends: Mapping[str, float], perfect: float, limits: tuple[float, float] = UNIT) -> dict[str, float]:
    """An interval that rules out no more than that of a perfect result, or a perfectly wrong one, of as many patients.

    Patients of a kind that is not among them may differ from these as much as from perfect ones. Without it one image
    of 260 that is not perfectly ranked would make the interval thirty times narrower.
    """
    lowest, highest = limits
    reach = (1 - perfect) * (highest - lowest)
    return {"low": min(ends["low"], highest - reach), "high": max(ends["high"], lowest + reach)}


def interval(
    estimate: float,
    values: Floats,
    patients: int | Integers,
    perfect: float,
    limits: tuple[float, float] = UNIT,
) -> dict[str, float]:
    """The expanded percentile interval of a bootstrap, or the exact bound where the values do not differ.

    Parameters
    ----------
    estimate : float, within `limits`
        The metric on the whole test part.
    values : ndarray of shape (n_resamples,), float64
        The metric on resamples; those that are not finite are left out.
    patients : int or ndarray of shape (n_samples,), int64
        How many patients it rests on; of a metric that compares classes, of each.
    perfect : float, in (0, 1)
        The lower bound of a perfect result; the interval reaches as far from any other value without spread.
    limits : tuple of float
        The metric's range.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        Within `limits`.
    """
    values = values[np.isfinite(values)]
    if len(values) == 0 or np.ptp(values) < NO_SPREAD:
        return without_spread(estimate, perfect, limits)
    tail = expanded_tail(patients)
    low, high = np.quantile(values, [tail, 1 - tail])
    return {"low": float(low), "high": float(high)}


def expanded_tail(patients: int | Integers) -> float:
    """The share of resamples to leave out on either side: 0.025 for many patients, less for few.

    Percentiles are moved as far out as a t interval with its unbiased variance lies outside a normal one (Hesterberg,
    2015, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4)); see `bootstrap_freedom`.
    """
    freedom, inflation = bootstrap_freedom(patients)
    return float(ndtr(stdtrit(freedom, TAIL) * inflation))


def bootstrap_freedom(patients: int | Integers) -> tuple[float, float]:
    """Degrees of freedom of a bootstrap's variance, and the factor that makes its standard deviation unbiased.

    Each class has a mean of its own, all with one variance between patients: by Welch and Satterthwaite the rarer class
    counts most. `patients` as of `interval`, each from 2 up.
    """
    sizes = np.atleast_1d(np.asarray(patients, np.float64))
    variances = 1 / sizes
    return welch(variances, sizes - 1), math.sqrt(float((1 / (sizes - 1)).sum() / variances.sum()))
