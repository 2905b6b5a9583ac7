"""Metrics of several networks, of one with intervals, and of all in each repeat.

What an interval of one training covers is who the patients are, not how the network came out of its training: trained
again, from other random numbers, it would score otherwise. `values_of_repeats` shows how much; of several repeats the
variance between them is joined to that between patients, as of random effects: the error of the mean over R trainings
has the variance between samples of patients plus 1 / R of that between trainings, as of cases and readers in radiology
(`bycase.statistics.influence.draws_of`). Few repeats hardly tell the latter; all networks' trainings are therefore
taken to vary alike.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap, on_all_patients
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.influence import METRICS as CLOSED
from bycase.statistics.influence import draws_of, measure_influence
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


def assess_network(
    paired: Paired, number: int, resamples: int, seed: int, trainings: Mapping[str, Floats] | None = None
) -> dict[str, Any]:
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
    trainings : mapping of str to ndarray of shape (n_repeats, n_models), optional
        See `values_of_repeats`; with them the intervals cover trainings too.

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
    repeats = [paired.of_repeat(int(repeat)).units(number) for repeat in paired.repeats] if trainings else []
    own = {
        metric: draws_of(
            of_models,
            [measure_influence(metric, each) for each in repeats] if metric in CLOSED else (),
        )
        for metric, of_models in (trainings or {}).items()
    }
    return {**metrics, **sizes, "ci": metric_intervals(metrics, values, units, own)}


def assess_recognition(images: Paired, number: int, trainings: bool = False) -> tuple[float, dict[str, float]]:
    """One network's recognition rate, and its interval; see `bycase.statistics.metrics.recognition_rate`.

    With `trainings` the interval covers those of several repeats too.
    """
    units = images.units(number)
    rate = recognition_rate(units.right, units.patient)
    repeats = [images.of_repeat(int(repeat)) for repeat in images.repeats] if trainings else []
    values = np.array([[recognition_rate(right, each.patient) for right in each.right] for each in repeats])
    draws = draws_of(values) if len(values) > 1 else None
    return rate, metric_interval("recognition_rate", rate, None, units, trainings=draws)


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


def values_of_repeats(paired: Paired) -> dict[str, Floats]:
    """The metrics in each repeat on its own, (n_repeats, n_models); empty with a single repeat."""
    if len(paired.repeats) < 2:
        return {}
    each = [point_values(paired.of_repeat(int(repeat))) for repeat in paired.repeats]
    return {metric: np.stack([values[metric] for values in each]) for metric in metrics_of(paired)}
