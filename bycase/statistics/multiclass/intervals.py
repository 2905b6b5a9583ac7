"""95 % intervals of metrics of several classes; see `bycase.statistics.intervals`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bycase.statistics.intervals import (
    NO_SPREAD,
    OF_ALL_PATIENTS,
    OF_RANKS,
    TAIL,
    interval,
    metric_interval,
    perfect_ranking_bound,
    without_spread,
)
from bycase.statistics.multiclass.bootstrap import BY_CLASS, MEAN_OF
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Floats, Integers


def class_intervals(metrics: Mapping[str, Any], values: Mapping[str, Floats], units: ClassUnits) -> dict[str, Any]:
    """The 95 % intervals of all metrics that were resampled, by the patients that each rests on.

    Parameters
    ----------
    metrics : mapping
        On the whole test part; see `bycase.statistics.multiclass.metrics.point_metrics`.
    values : mapping of str to ndarray
        On resamples; see `bycase.statistics.multiclass.bootstrap.weighted_class_metrics`.
    units : ClassUnits
        The whole test part.

    Returns
    -------
    dict
        For each metric the keys ``low`` and ``high``; ``per_class``: likewise of each class.
    """
    everyone = units.against_rest(0)
    limits: dict[str, Any] = {
        name: metric_interval(name, metrics[name], values[name], everyone) for name in OF_ALL_PATIENTS if name in values
    }
    # Each class's specificity rests on the patients of all the others.
    limits["specificity"] = metric_interval("accuracy", metrics["specificity"], values["specificity"], everyone)
    for name, column in MEAN_OF.items():
        if name in limits:
            continue
        by_class = np.array([of[column] for of in metrics["per_class"].values()])
        limits[name] = mean_interval(name, by_class, values[name], units)
    limits["per_class"] = {
        label: {
            name: metric_interval(
                "sensitivity" if name == "recall" else name,
                metrics["per_class"][label][name],
                _finite(values[drawn][:, number]),
                rest,
            )
            for name, drawn in BY_CLASS.items()
        }
        for number, label in enumerate(units.classes)
        for rest in [units.against_rest(number)]
    }
    return limits


def mean_interval(metric: str, by_class: Floats, values: Floats, units: ClassUnits) -> dict[str, float]:
    """The interval of a mean over the classes that occur, each of which has patients of its own.

    Resampling says nothing of how the patients of a class differ if it has but one; that class is taken
    to be anything from 0 to 1.

    Parameters
    ----------
    metric : str
        A key of `bycase.statistics.multiclass.bootstrap.MEAN_OF`.
    by_class : ndarray of shape (n_classes,), float64, in [0, 1]
        The metric of each class on the whole test part; NaN where it does not occur.
    values : ndarray of shape (n_used,), float64, in [0, 1]
        The mean on resamples.
    units : ClassUnits
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
    if np.ptp(values) < NO_SPREAD or not several.any():
        return without_spread(estimate, perfect)
    limits = interval(estimate, values, int(sizes[several].sum()), perfect, samples=int(several.sum()))
    single = by_class[~several]
    return {
        "low": max(0.0, limits["low"] - float(single.sum()) / len(sizes)),
        "high": min(1.0, limits["high"] + float((1 - single).sum()) / len(sizes)),
    }


def perfect_mean_bound(sizes: Integers) -> float:
    """The least mean of the classes' rates at which all patients are right with a probability of 2.5 %.

    Of all rates ``r`` with ``prod(r ** sizes) = 0.025`` the mean is least where they are proportional to the sizes,
    but none above 1 (Lagrange). With one class it is `bycase.statistics.intervals.perfect_bound`.

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


def perfect_mean_ranking_bound(units: ClassUnits) -> float:
    """The mean of the occurring classes' bounds of a perfect ranking, which is wider than a bound of the mean.

    See `bycase.statistics.intervals.perfect_ranking_bound`.
    """
    rest = [units.against_rest(number) for number in np.unique(units.truth)]
    return float(np.mean([perfect_ranking_bound(of.patients_of(True), of.patients_of(False)) for of in rest]))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]
