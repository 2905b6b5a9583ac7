"""The key `calibration` of `metrics/metrics.json`: how far probabilities come true, before and after scaling."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.statistics.bootstrap import Statistic, resample
from bycase.statistics.calibration.bins import (
    Forecasts,
    debiased_calibration_error,
    decompose,
    equal_mass_bins,
    expected_calibration_error,
    make_forecasts,
    sum_by_patient,
)
from bycase.statistics.calibration.recalibration import STEEPEST, fit_logistic, group_log_odds, recalibrate
from bycase.statistics.calibration.temperature import fit_temperature, scale_units
from bycase.statistics.intervals import RANGES, interval, perfect_bound
from bycase.statistics.units import Floats, Integers, Units, patient_units

WITH_INTERVAL = ("ece", "brier", "log_loss", "slope", "intercept")
LIMITS = RANGES | dict.fromkeys(("slope", "intercept"), (-STEEPEST, STEEPEST))  # of all others: 0 to 1


def assess_calibration(validation: Units | None, test: Units, resamples: int, seed: int) -> dict[str, Any]:
    """Fit a temperature on validation, at each level, and assess the test part without and with it.

    Parameters
    ----------
    validation, test : Units
        One unit an image; without validation there is no temperature, and no ``after``.
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
    if validation is None:
        levels = {"image": test, "patient": patient_units(test)}
        return {
            level: {"before": assess_temperatures(units, 1.0, resamples, seed)["before"]}
            for level, units in levels.items()
        }
    temperature, patient_temperature = fit_temperature(validation), fit_temperature(patient_units(validation))
    patient = assess_temperatures(patient_units(test), patient_temperature, resamples, seed)
    return {
        "temperature": temperature,
        "image": assess_temperatures(test, temperature, resamples, seed),
        "patient": {"temperature": patient_temperature, **patient},
    }


def assess_temperatures(units: Units, temperature: float | Floats, resamples: int, seed: int) -> dict[str, Any]:
    """Assess the calibration of one level's predictions, as they are and scaled.

    Probabilities are on one scale whatever network gives them, so that predictions out of fold are binned together.

    Parameters
    ----------
    units : Units
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
        ``intercept`` of logistic recalibration; ``ci``: 95 % intervals of `WITH_INTERVAL`. ECE and slope are
        of the positive class's probability; without one, of the most probable class's.
    """
    versions = {"before": units, "after": scale_units(units, temperature)}
    statistics = {
        name: resampled_calibration(make_forecasts(version), units.patient) for name, version in versions.items()
    }
    _, values = resample(units, statistics, resamples, seed)
    content: dict[str, Any] = {}
    for name, version in versions.items():
        content[name] = _point_metrics(version)
        content[name]["ci"] = calibration_intervals(content[name], values[name], units.n_patients)
    return content


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
        name: interval(metrics[name], resampled, patients, perfect, limits=LIMITS.get(name, (0.0, 1.0)))
        for name, resampled in drawn.items()
    }


def _point_metrics(units: Units) -> dict[str, Any]:
    forecasts = make_forecasts(units)
    slope, intercept = recalibrate(forecasts.outcome, forecasts.confidence)
    return {
        "ece": expected_calibration_error(forecasts.outcome, forecasts.confidence),
        "ece_debiased": debiased_calibration_error(forecasts.outcome, forecasts.confidence),
        "brier": float(forecasts.squares.mean()),
        **decompose(units),
        "log_loss": float(forecasts.log_losses.mean()),
        "slope": slope,
        "intercept": intercept,
        "bins": int(equal_mass_bins(forecasts.confidence).max()) + 1,
    }


def resampled_calibration(forecasts: Forecasts, patient: Integers) -> Statistic:
    """Prepare the metrics that get an interval, for `bycase.statistics.bootstrap.bootstrap`.

    Bins, and groups of log odds, stay those of the whole test part.

    Parameters
    ----------
    forecasts : Forecasts
        Of the whole test part.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        Whose each unit is.

    Returns
    -------
    callable
        From counts (n_resamples, n_patients) to `WITH_INTERVAL`, each of shape (n_resamples,).
    """
    outcome = forecasts.outcome.astype(np.float64)
    ones, whole = np.ones_like(outcome), np.zeros(len(outcome), np.int64)
    x, group = group_log_odds(forecasts.confidence)
    # What each patient adds; a resample's totals are sums of rows.
    losses = np.hstack(
        [sum_by_patient(patient, whole, values) for values in (ones, forecasts.squares, forecasts.log_losses)]
    )
    gaps = sum_by_patient(patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - outcome)
    sizes, hits = sum_by_patient(patient, group, ones), sum_by_patient(patient, group, outcome)

    def statistic(counts: Integers) -> dict[str, Floats]:
        drawn = counts.astype(np.float64)
        size, squares, log_losses = (drawn @ losses).T
        slope, intercept = fit_logistic(x, drawn @ hits, drawn @ sizes)
        return {
            "ece": np.abs(drawn @ gaps).sum(axis=1) / size,
            "brier": squares / size,
            "log_loss": log_losses / size,
            "slope": slope,
            "intercept": intercept,
        }

    return statistic
