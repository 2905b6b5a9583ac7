"""The key `calibration` of `metrics/metrics.json`: how far probabilities come true, before and after scaling."""

from typing import Any

from bycase.core.seeding import generator
from bycase.statistics.calibration.bins import decompose, equal_mass_bins, make_forecasts
from bycase.statistics.calibration.errors import measure_error
from bycase.statistics.calibration.recalibration import recalibrate
from bycase.statistics.calibration.temperature import fit_temperature, scale_units
from bycase.statistics.intervals import metric_interval
from bycase.statistics.multipliers import DRAWS
from bycase.statistics.units import Floats, Units, patient_units


def assess_calibration(validation: Units | None, test: Units, seed: int) -> dict[str, Any]:
    """Fit a temperature on validation, at each level, and assess the test part without and with it.

    Parameters
    ----------
    validation, test : Units
        One unit an image; without validation there is no temperature, and no ``after``.
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
        return {level: {"before": assess_temperatures(units, 1.0, seed)["before"]} for level, units in levels.items()}
    temperature, patient_temperature = fit_temperature(validation), fit_temperature(patient_units(validation))
    patient = assess_temperatures(patient_units(test), patient_temperature, seed)
    return {
        "temperature": temperature,
        "image": assess_temperatures(test, temperature, seed),
        "patient": {"temperature": patient_temperature, **patient},
    }


def assess_temperatures(units: Units, temperature: float | Floats, seed: int) -> dict[str, Any]:
    """Assess the calibration of one level's predictions, as they are and scaled.

    Probabilities are on one scale whatever network gives them, so that predictions out of fold are binned together.

    Parameters
    ----------
    units : Units
        Images or patients.
    temperature : float or ndarray of shape (n_units,), float64, above 0
        Of all units, or of each: predictions out of fold have each fold's.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``before`` and ``after``, each with ``ece`` over ``bins`` bins, ``ece_expected`` and ``ece_p`` of calibrated
        predictions, and ``ece_debiased``, see `bycase.statistics.calibration.errors.measure_error`; ``brier`` and its
        parts ``reliability``, ``resolution``, ``uncertainty`` and ``within_bin``; ``log_loss`` in nats; ``slope``,
        ``intercept`` and ``in_the_large``, see `bycase.statistics.calibration.recalibration.recalibrate`; ``ci``: 95 %
        intervals of these three, the Brier score and the log loss. ECE and recalibration are of the positive class's
        probability; without one, of the most probable class's.
    """
    versions = {"before": units, "after": scale_units(units, temperature)}
    return {name: _assess(version, seed) for name, version in versions.items()}


def _assess(units: Units, seed: int) -> dict[str, Any]:
    forecasts = make_forecasts(units)
    error = measure_error(forecasts, units.patient, DRAWS, generator(seed, "evaluate", "calibration"))
    fits = recalibrate(forecasts.outcome, forecasts.confidence, units.patient)
    scores = {"brier": float(forecasts.squares.mean()), "log_loss": float(forecasts.log_losses.mean())}
    limits = {name: metric_interval(name, score, None, units) for name, score in scores.items()}
    return {
        "ece": error.observed,
        "ece_expected": error.expected,
        "ece_p": error.p,
        "ece_debiased": error.debiased,
        "bins": int(equal_mass_bins(forecasts.confidence).max()) + 1,
        **scores,
        **decompose(units),
        **{name: fit.value for name, fit in fits.items()},
        "ci": limits | {name: {"low": fit.low, "high": fit.high} for name, fit in fits.items()},
    }
