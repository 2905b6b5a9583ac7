"""One network's metrics over all folds and repeats, with 95 % intervals over patients."""

from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap, weighted_metrics
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metrics import recognition_rate, weighted_recognition_rate
from bycase.statistics.multiclass.bootstrap import BY_CLASS, weighted_class_metrics
from bycase.statistics.multiclass.intervals import class_intervals
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Bools, Floats, Integers, Units


def assess_network(paired: Paired, number: int, resamples: int, seed: int) -> dict[str, Any]:
    """Score one network at one level; ranks are compared within a fold, since each fold has a network of its own.

    Parameters
    ----------
    paired : Paired
        All networks' images, or patients.
    number : int
        Which of its networks.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed; all networks get the same resamples.

    Returns
    -------
    dict
        The metrics; ``n`` (images or patients, each counted once whatever the repeats), ``n_patients``; ``ci``: 95 %
        intervals, and ``resamples``, the number used. With more than two classes also ``per_class``.
    """
    units = paired.units(number)
    if isinstance(units, ClassUnits):
        metrics, ci = _assess_classes(units, resamples, seed)
    else:
        metrics, ci = _assess_two(units, paired.predicted[number] == 1, resamples, seed)
    sizes = {"n": len(paired.truth) // len(paired.repeats), "n_patients": paired.n_patients}
    return {**metrics, **sizes, "ci": ci}


def assess_recognition(images: Paired, number: int, resamples: int, seed: int) -> tuple[float, dict[str, float]]:
    """One network's recognition rate, and its interval; see `bycase.statistics.metrics.recognition_rate`."""
    units, right = images.units(number), images.predicted[number] == images.truth
    rate = recognition_rate(right, images.patient)

    def statistic(counts: Integers) -> dict[str, Floats]:
        return {"recognition_rate": weighted_recognition_rate(right, images.patient, counts)}

    values = bootstrap(units, statistic, resamples, _random(seed))["recognition_rate"]
    everyone = units.against_rest(0) if isinstance(units, ClassUnits) else units
    return rate, metric_interval("recognition_rate", rate, values, everyone)


def _assess_two(units: Units, predicted: Bools, resamples: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    point = weighted_metrics(units, predicted, _once(units.n_patients))
    metrics = {name: float(value[0]) for name, value in point.items()}
    values = bootstrap(units, lambda counts: weighted_metrics(units, predicted, counts), resamples, _random(seed))
    ci: dict[str, Any] = {name: metric_interval(name, metrics[name], drawn, units) for name, drawn in values.items()}
    return metrics, ci | {"resamples": len(values["auc"])}


def _assess_classes(units: ClassUnits, resamples: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    point = weighted_class_metrics(units, _once(units.n_patients))
    metrics: dict[str, Any] = {name: float(value[0]) for name, value in point.items() if name not in BY_CLASS.values()}
    metrics["per_class"] = {
        label: {name: float(point[column][0, place]) for name, column in BY_CLASS.items()}
        for place, label in enumerate(units.classes)
    }
    values = bootstrap(units, lambda counts: weighted_class_metrics(units, counts), resamples, _random(seed))
    return metrics, class_intervals(metrics, values, units) | {"resamples": len(values["auc"])}


def _once(n_patients: int) -> Integers:
    """Every patient drawn once: the metrics themselves."""
    return np.ones((1, n_patients), np.int64)


def _random(seed: int) -> np.random.Generator:
    return generator(seed, "compare", "leaderboard")
