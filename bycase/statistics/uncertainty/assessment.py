"""How good the probabilities of several methods are, and what each gains over the first, with paired intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.statistics.bootstrap import Statistic, resample
from bycase.statistics.calibration.bins import equal_mass_bins, make_forecasts, sum_by_patient
from bycase.statistics.intervals import expanded_tail, metric_interval
from bycase.statistics.metrics import CLASS, weighted_metrics
from bycase.statistics.units import Floats, Integers, Units

METRICS = ("auc", "accuracy", "brier", "log_loss", "ece")


def assess_methods(methods: Mapping[str, Units], resamples: int, seed: int) -> dict[str, Any]:
    """Score several methods' predictions of the same images.

    Parameters
    ----------
    methods : mapping of str to Units
        The first is what the others are compared with.
    resamples : int
        Of the bootstrap over patients, the same for all.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        For each method `METRICS`, and ``ci``: 95 % intervals of all but the calibration error, which resampling biases
        upward. For all but the first ``difference``: the method's metrics less the first's, and their paired ``ci``.
        All leaves are numbers.
    """
    first, images = next(iter(methods.items()))
    statistics = {name: measure_method(units) for name, units in methods.items()}
    points, values = resample(images, statistics, resamples, seed)
    tail = expanded_tail(images.n_patients, 1)
    assessed: dict[str, Any] = {}
    for name, units in methods.items():
        metrics = {metric: float(points[name][metric]) for metric in METRICS}
        assessed[name] = metrics | {"ci": _intervals(points[name], values[name], units)}
        if name == first:
            continue
        limits = {}
        for metric in METRICS:
            gains = values[name][metric] - values[first][metric]
            low, high = np.quantile(gains[np.isfinite(gains)], [tail, 1 - tail])
            limits[metric] = {"low": float(low), "high": float(high)}
        gain = {metric: metrics[metric] - assessed[first][metric] for metric in METRICS}
        assessed[name]["difference"] = gain | {"ci": limits}
    return assessed


def measure_method(units: Units) -> Statistic:
    """Prepare the `METRICS`, and without a positive class the AUC of each, for the bootstrap."""
    forecasts = make_forecasts(units)
    gaps = sum_by_patient(
        units.patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - forecasts.outcome
    )
    sizes = np.bincount(units.patient)

    def statistic(counts: Integers) -> dict[str, Floats]:
        metrics = weighted_metrics(units, counts)
        kept = {name: metrics[name] for name in (*METRICS, CLASS + "auc") if name in metrics}
        return {**kept, "ece": np.abs(counts @ gaps).sum(axis=1) / (counts @ sizes)}

    return statistic


def _intervals(points: Mapping[str, Floats], values: Mapping[str, Floats], units: Units) -> dict[str, dict[str, float]]:
    """As in `metrics.json`."""
    return {
        metric: metric_interval(metric, float(points[metric]), values[metric], units, points.get(CLASS + metric))
        for metric in METRICS
        if metric != "ece"
    }
