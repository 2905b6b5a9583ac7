"""The key `calibration` of `metrics/metrics.json`: how far probabilities come true, before and after scaling."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.calibration.bins import (
    debiased_calibration_error,
    decompose,
    equal_mass_bins,
    expected_calibration_error,
)
from bycase.statistics.calibration.forecasts import Forecasts, make_forecasts
from bycase.statistics.calibration.recalibration import STEEPEST, recalibrate
from bycase.statistics.calibration.resampled import WITH_INTERVAL, resampled_calibration
from bycase.statistics.calibration.temperature import fit_temperature, scale_units
from bycase.statistics.intervals import RANGES, interval, perfect_bound
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units
from bycase.statistics.units import Floats, Integers, Units, patient_units

LIMITS = RANGES | {"slope": (-STEEPEST, STEEPEST)}  # of all others: 0 to 1


def assess_calibration(
    validation: Units | ClassUnits, test: Units | ClassUnits, resamples: int, seed: int
) -> dict[str, Any]:
    """Fit a temperature on validation, at each level, and assess the test part without and with it.

    Parameters
    ----------
    validation, test : Units or ClassUnits
        One unit an image.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``temperature`` (of images); ``image`` and ``patient``, each with ``before`` and ``after``, see
        `assess_temperatures`; ``patient.temperature``. Validation has also chosen the epoch, which flatters it: its
        temperature may be a little low. All leaves are numbers.
    """
    temperature = fit_temperature(validation.truth, validation.scores)
    validation_patients = _by_patient(validation)
    patient_temperature = fit_temperature(validation_patients.truth, validation_patients.scores)
    return {
        "temperature": temperature,
        "image": assess_temperatures(test, temperature, resamples, seed),
        "patient": {
            "temperature": patient_temperature,
            **assess_temperatures(_by_patient(test), patient_temperature, resamples, seed),
        },
    }


def assess_temperatures(
    units: Units | ClassUnits, temperature: float | Floats, resamples: int, seed: int
) -> dict[str, Any]:
    """Assess the calibration of one level's predictions, as they are and scaled.

    Probabilities are on one scale whatever network gives them, so that predictions out of fold are binned together.

    Parameters
    ----------
    units : Units or ClassUnits
        Images or patients.
    temperature : float or ndarray of shape (n_units,), float64, above 0
        Of all units, or of each: predictions out of fold have each fold's.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``before`` and ``after``, each with ``ece`` over ``bins`` bins and ``ece_debiased``; ``brier`` and its parts
        ``reliability``, ``resolution``, ``uncertainty`` and ``within_bin``; ``log_loss`` in nats; ``slope`` and
        ``intercept`` of logistic recalibration; ``ci``: 95 % intervals of `WITH_INTERVAL`. Two classes: of the
        positive one's probability. More: ECE and slope are of the most probable class's.
    """
    scaled = scale_units(units, temperature)
    forecasts = {"before": make_forecasts(units), "after": make_forecasts(scaled)}
    metrics = {"before": _point_metrics(units), "after": _point_metrics(scaled)}
    statistics = {name: resampled_calibration(of, units.patient) for name, of in forecasts.items()}

    def statistic(counts: Integers) -> dict[str, Floats]:
        return {f"{name}_{key}": drawn for name, of in statistics.items() for key, drawn in of(counts).items()}

    values = bootstrap(units, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    return {
        name: at
        | {"ci": calibration_intervals(at, {key: values[f"{name}_{key}"] for key in WITH_INTERVAL}, units.n_patients)}
        for name, at in metrics.items()
    }


def calibration_intervals(
    metrics: Mapping[str, float], values: Mapping[str, Floats], patients: int
) -> dict[str, dict[str, float]]:
    """The 95 % intervals of calibration metrics, by the patients that they rest on.

    Parameters
    ----------
    metrics : mapping of str to float
        On the whole test part.
    values : mapping of str to ndarray of shape (n_used,), float64
        On resamples.
    patients : int
        How many.

    Returns
    -------
    dict
        For each metric of `values` the keys ``low`` and ``high``; see `bycase.statistics.intervals.interval`. Resampled
        calibration errors are moved so that their mean is the estimate: resampling adds the upward bias once more.
    """
    drawn = dict(values)
    if "ece" in drawn:
        drawn["ece"] = np.clip(drawn["ece"] - drawn["ece"].mean() + metrics["ece"], 0, 1)
    perfect = perfect_bound(patients)
    return {
        name: interval(metrics[name], of, patients, perfect, limits=LIMITS.get(name, (0.0, 1.0)))
        for name, of in drawn.items()
    }


def _point_metrics(units: Units | ClassUnits) -> dict[str, Any]:
    of: Forecasts = make_forecasts(units)
    slope, intercept = recalibrate(of.outcome, of.confidence)
    return {
        "ece": expected_calibration_error(of.outcome, of.confidence),
        "ece_debiased": debiased_calibration_error(of.outcome, of.confidence),
        "brier": float(of.squares.mean()),
        **decompose(units),
        "log_loss": float(of.log_losses.mean()),
        "slope": slope,
        "intercept": intercept,
        "bins": int(equal_mass_bins(of.confidence).max()) + 1,
    }


def _by_patient(images: Units | ClassUnits) -> Units | ClassUnits:
    return patient_units(images) if isinstance(images, Units) else patient_class_units(images)
