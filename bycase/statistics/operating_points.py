"""Sensitivity at 90 and 95 % specificity and the reverse: thresholds from validation, what they give on test."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.statistics.bootstrap import divide, on_all_patients, weighted_sums
from bycase.statistics.intervals import metric_interval
from bycase.statistics.threshold import sensitivity_threshold, specificity_threshold
from bycase.statistics.units import Floats, Integers, Units

POINTS = {
    "specificity_90": (specificity_threshold, 90),
    "specificity_95": (specificity_threshold, 95),
    "sensitivity_90": (sensitivity_threshold, 90),
    "sensitivity_95": (sensitivity_threshold, 95),
}
RATES = ("sensitivity", "specificity")
PREFIX = "operating_"  # of the rates' names among other resampled metrics


def choose_operating_points(validation: Units) -> dict[str, float]:
    """The threshold of each of the `POINTS`, the least extreme that reaches the rate on validation.

    Where only predicting everything positive, or nothing, reaches it, that is what the threshold does. Without a
    positive class there are none.
    """
    if validation.positive is None:
        return {}
    units = validation.against_rest(validation.positive)
    return {name: choose(units.truth, units.scores, percent) for name, (choose, percent) in POINTS.items()}


def weighted_rates(units: Units, thresholds: Mapping[str, float], counts: Integers) -> dict[str, Floats]:
    """Sensitivity and specificity at several thresholds, for every resample.

    Parameters
    ----------
    units : Units
        Images or patients.
    thresholds : mapping of str to float
        What `choose_operating_points` gives.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples, n_thresholds), float64, in [0, 1]
        The `RATES`, each with `PREFIX`; empty without thresholds.
    """
    if units.positive is None:
        return {}
    is_positive = units.truth == units.positive
    predicted = units.scores[:, [units.positive]] >= np.array(list(thresholds.values()))
    rates = {}
    for name, members, right in zip(RATES, (is_positive, ~is_positive), (predicted, ~predicted), strict=True):
        columns = np.column_stack([members, members[:, None] & right])
        sums = weighted_sums(units, columns.astype(np.float64), counts)
        rates[PREFIX + name] = divide(sums[:, 1:], np.broadcast_to(sums[:, :1], sums[:, 1:].shape))
    return rates


def describe_operating_points(
    test: Units, thresholds: Mapping[str, float], values: Mapping[str, Floats]
) -> dict[str, Any]:
    """What the thresholds give on test.

    Parameters
    ----------
    test : Units
        The whole test part, images or patients.
    thresholds : mapping of str to float
        What `choose_operating_points` gives for validation.
    values : mapping of str to ndarray of shape (n_used, n_thresholds), float64
        On resamples; see `weighted_rates`.

    Returns
    -------
    dict
        For each of the `POINTS`: ``threshold``; ``sensitivity`` and ``specificity`` on test, neither of which need be
        what validation promised; ``ci``, the 95 % intervals of both.
    """
    reached = on_all_patients(test, lambda counts: weighted_rates(test, thresholds, counts))
    points: dict[str, Any] = {}
    for number, (name, threshold) in enumerate(thresholds.items()):
        rates = {rate: float(reached[PREFIX + rate][number]) for rate in RATES}
        limits = {rate: metric_interval(rate, rates[rate], values[PREFIX + rate][:, number], test) for rate in RATES}
        points[name] = {"threshold": threshold, **rates, "ci": limits}
    return points
