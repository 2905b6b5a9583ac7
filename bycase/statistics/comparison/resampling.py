"""Metrics of several networks, of one with intervals, and of all in each repeat.

What an interval covers is who the patients are, not how the networks came out of their training: a network trained
again, from other random numbers, would score otherwise. `values_of_repeats` shows how much.
"""

from functools import partial
from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap, on_all_patients
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.intervals import metric_interval, metric_intervals
from bycase.statistics.metrics import point_metrics, recognition_rate, weighted_metrics
from bycase.statistics.units import Floats, Integers

METRICS = (
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "macro_f1",
    "brier",
    "log_loss",
)
OF_POSITIVE = ("sensitivity", "specificity")


def metrics_of(paired: Paired) -> tuple[str, ...]:
    """The `METRICS` that networks for these classes have: those `OF_POSITIVE` want a positive class."""
    return METRICS if paired.positive is not None else tuple(name for name in METRICS if name not in OF_POSITIVE)


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
        intervals, and ``resamples``, the number drawn. Without a positive class also ``per_class``.
    """
    units = paired.units(number)
    values = bootstrap(units, partial(weighted_metrics, units), resamples, generator(seed, "compare", "leaderboard"))
    metrics = point_metrics(units)
    sizes = {"n": len(paired.truth) // len(paired.repeats), "n_patients": paired.n_patients}
    return {**metrics, **sizes, "ci": metric_intervals(metrics, values, units)}


def assess_recognition(images: Paired, number: int) -> tuple[float, dict[str, float]]:
    """One network's recognition rate, and its interval; see `bycase.statistics.metrics.recognition_rate`."""
    units = images.units(number)
    rate = recognition_rate(units.right, units.patient)
    return rate, metric_interval("recognition_rate", rate, None, units)


def point_values(paired: Paired) -> dict[str, Floats]:
    """The metrics of every network on all units; ranks are compared within folds.

    Returns
    -------
    dict of str to ndarray of shape (n_models,), float64
        The keys are `metrics_of`.
    """

    def statistic(counts: Integers) -> dict[str, Floats]:
        networks = [weighted_metrics(paired.units(number), counts) for number in range(len(paired.models))]
        return {metric: np.column_stack([values[metric] for values in networks]) for metric in metrics_of(paired)}

    return on_all_patients(paired.units(0), statistic)


def values_of_repeats(paired: Paired, metric: str) -> Floats:
    """A metric in each repeat on its own; (n_repeats, n_models)."""
    return np.stack([point_values(paired.of_repeat(int(repeat)))[metric] for repeat in paired.repeats])
