"""How good the probabilities of several methods are, and what each gains over the first, with paired intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Statistic, bootstrap, weighted_metrics
from bycase.statistics.calibration.assessment import calibration_intervals
from bycase.statistics.calibration.bins import equal_mass_bins
from bycase.statistics.calibration.forecasts import make_forecasts
from bycase.statistics.calibration.resampled import sum_by_patient
from bycase.statistics.intervals import expanded_tail, metric_interval
from bycase.statistics.multiclass.bootstrap import weighted_class_metrics
from bycase.statistics.multiclass.intervals import mean_interval
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.uncertainty.members import combine_members
from bycase.statistics.units import Bools, Floats, Integers, Units

METRICS = ("auc", "accuracy", "brier", "log_loss", "ece")


@dataclass(frozen=True)
class Method:
    """One method's predictions of the same images.

    Attributes
    ----------
    units : Units or ClassUnits
        The images.
    predicted : ndarray of shape (n_images,), int64
        The class called, as a number; of two, 1 is the positive one.
    """

    units: Units | ClassUnits
    predicted: Integers


def assess_methods(methods: Mapping[str, Method], resamples: int, seed: int) -> dict[str, Any]:
    """Score several methods on the same images.

    Parameters
    ----------
    methods : mapping of str to Method
        The first is what the others are compared with.
    resamples : int
        Of the bootstrap over patients, the same for all.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        For each method `METRICS`, and ``ci``: 95 % intervals. For all but the first ``difference``: the method's
        metrics less the first's, and their ``ci``. All leaves are numbers.
    """
    statistics = {name: measure_method(method) for name, method in methods.items()}
    images = next(iter(methods.values())).units
    points, values = resample(images, statistics, resamples, seed)
    first = next(iter(methods))
    assessed: dict[str, Any] = {}
    for name, method in methods.items():
        at = {metric: float(points[name][metric]) for metric in METRICS}
        assessed[name] = at | {"ci": _intervals(points[name], values[name], method.units)}
        if name != first:
            assessed[name]["difference"] = {metric: at[metric] - float(points[first][metric]) for metric in METRICS} | {
                "ci": {
                    metric: difference_interval(values[name][metric] - values[first][metric], images.n_patients)
                    for metric in METRICS
                }
            }
    return assessed


def assess_ensemble(
    members: NDArray[np.float64],
    single: Units | ClassUnits,
    thresholds: NDArray[np.float64] | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Score the mean of several networks' predictions beside the first network's.

    Lakshminarayanan, B., Pritzel, A. and Blundell, C. (2017). Simple and Scalable Predictive Uncertainty Estimation
    using Deep Ensembles. NeurIPS.

    Parameters
    ----------
    members : ndarray of shape (n_members, n_images, n_classes), float64, in [0, 1]
        Predictions of the same images: out of fold, one member a repeat.
    single : Units or ClassUnits
        The images; their stratum is that of the first member.
    thresholds : ndarray of shape (n_members, n_images), float64, or None
        Of two classes, each member's threshold for each image, from validation; the mean is the ensemble's.
    resamples, seed : int
        See `assess_methods`.

    Returns
    -------
    dict
        ``single`` and ``ensemble``, see `assess_methods`; of the ensemble also ``entropy`` and ``mutual_information``,
        means over images in nats. Members out of fold have each their own folds, so that the ensemble's ranks are
        compared between all images.
    """
    combined = combine_members(members)
    methods = {}
    for name, scores, stratum, at in (
        ("single", members[0], single.stratum, None if thresholds is None else thresholds[0]),
        ("ensemble", combined.mean, None, None if thresholds is None else thresholds.mean(axis=0)),
    ):
        several = isinstance(single, ClassUnits)
        units = replace(single, scores=scores if several else scores[:, 1], stratum=stratum)
        called = scores.argmax(axis=1) if at is None else (scores[:, 1] >= at).astype(np.int64)
        methods[name] = Method(units, called)
    assessed = assess_methods(methods, resamples, seed)
    assessed["ensemble"] |= {
        "entropy": float(combined.entropy.mean()),
        "mutual_information": float(combined.mutual_information.mean()),
    }
    return assessed


def resample(
    images: Units | ClassUnits, statistics: Mapping[str, Statistic], resamples: int, seed: int
) -> tuple[dict[str, dict[str, Floats]], dict[str, dict[str, Floats]]]:
    """Compute several statistics on the same resampled patients, and on the patients as they are.

    Returns
    -------
    points, values : dict of statistic to dict of metric to ndarray
        Of shape (...), and (n_used, ...).
    """

    def all_of_them(counts: Integers) -> dict[str, Floats]:
        return {f"{name}.{key}": of for name, one in statistics.items() for key, of in one(counts).items()}

    drawn = bootstrap(images, all_of_them, resamples, generator(seed, "evaluate", "bootstrap"))
    once = np.ones((1, images.n_patients), np.int64)
    points = {name: {key: of[0] for key, of in one(once).items()} for name, one in statistics.items()}
    return points, {name: {key: drawn[f"{name}.{key}"] for key in of} for name, of in points.items()}


def measure_method(method: Method) -> Statistic:
    """Prepare the `METRICS`, and of several classes ``class_auc``, for the bootstrap."""
    units = method.units
    forecasts = make_forecasts(units)
    gaps = sum_by_patient(
        units.patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - forecasts.outcome
    )
    sizes = np.bincount(units.patient)
    right = method.predicted == units.truth

    def statistic(counts: Integers) -> dict[str, Floats]:
        found = _weighted(units, method.predicted == 1, counts)
        kept = {name: found[name] for name in (*METRICS, "class_auc") if name in found}
        size = counts @ sizes
        accuracy = counts @ np.bincount(units.patient, weights=right) / size
        return {**kept, "accuracy": accuracy, "ece": np.abs(counts @ gaps).sum(axis=1) / size}

    return statistic


def difference_interval(values: Floats, patients: int) -> dict[str, float]:
    """The expanded percentile interval of a paired difference; none where the two methods say the same."""
    low, high = np.quantile(values[np.isfinite(values)], _tails(patients))
    return {"low": float(low), "high": float(high)}


def _tails(patients: int) -> list[float]:
    tail = expanded_tail(patients, 1)
    return [tail, 1 - tail]


def _weighted(units: Units | ClassUnits, called_positive: Bools, counts: Integers) -> dict[str, Floats]:
    if isinstance(units, Units):
        return weighted_metrics(units, called_positive, counts)
    return weighted_class_metrics(units, counts)


def _intervals(
    points: Mapping[str, Floats], values: Mapping[str, Floats], units: Units | ClassUnits
) -> dict[str, dict[str, float]]:
    """As in `metrics.json`."""
    finite = {metric: values[metric][np.isfinite(values[metric])] for metric in METRICS}
    of_classes = units if isinstance(units, Units) else units.against_rest(0)
    limits = {
        metric: metric_interval(metric, float(points[metric]), finite[metric], of_classes)
        for metric in ("auc", "accuracy", "brier", "log_loss")
    }
    if isinstance(units, ClassUnits):
        limits["auc"] = mean_interval("auc", points["class_auc"], finite["auc"], units)
    error = {"ece": float(points["ece"])}
    return limits | calibration_intervals(error, {"ece": finite["ece"]}, units.n_patients)
