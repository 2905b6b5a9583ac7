"""How good the probabilities of several methods are, and what each gains over the first, with paired intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.statistics.bootstrap import Statistic, resample
from bycase.statistics.calibration.bins import equal_mass_bins, make_forecasts, sum_by_patient
from bycase.statistics.comparison.differences import (
    confidence_interval,
    count_discordant,
    influence_difference,
    resampled_difference,
)
from bycase.statistics.influence import measure_influence
from bycase.statistics.intervals import metric_interval, range_width
from bycase.statistics.units import Floats, Integers, Units

ECE = "ece"
METRICS = ("auc", "accuracy", "brier", "log_loss", ECE)


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
    points, values = resample(images, {name: measure_error(units) for name, units in methods.items()}, resamples, seed)
    closed = {
        name: {metric: measure_influence(metric, units) for metric in METRICS if metric != ECE}
        for name, units in methods.items()
    }
    assessed: dict[str, Any] = {}
    for name, units in methods.items():
        error = float(points[name][ECE])
        metrics = {metric: influence.estimate for metric, influence in closed[name].items()} | {ECE: error}
        limits = {metric: metric_interval(metric, metrics[metric], None, units) for metric in closed[name]}
        assessed[name] = metrics | {"ci": limits}
        if name == first:
            continue
        gains = {
            metric: influence_difference(influence.minus(closed[first][metric]), range_width(metric))
            for metric, influence in closed[name].items()
        }
        gains[ECE] = resampled_difference(
            error - assessed[first][ECE],
            values[name][ECE] - values[first][ECE],
            np.array([images.n_patients]),
            count_discordant(units, images),
        )
        assessed[name]["difference"] = {
            **{metric: gain.estimate for metric, gain in gains.items()},
            "ci": {metric: confidence_interval(gain) for metric, gain in gains.items()},
        }
    return assessed


def measure_error(units: Units) -> Statistic:
    """Prepare the expected calibration error for the bootstrap; bins stay those of the whole test part."""
    forecasts = make_forecasts(units)
    gaps = sum_by_patient(
        units.patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - forecasts.outcome
    )
    sizes = np.bincount(units.patient)

    def statistic(counts: Integers) -> dict[str, Floats]:
        return {ECE: np.abs(counts @ gaps).sum(axis=1) / (counts @ sizes)}

    return statistic
