"""Calibration of resampled patients: bins, and groups of log odds, stay those of the whole test part."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bycase.statistics.calibration.bins import equal_mass_bins
from bycase.statistics.calibration.forecasts import Forecasts
from bycase.statistics.calibration.recalibration import fit_logistic, group_log_odds
from bycase.statistics.units import Floats, Integers

WITH_INTERVAL = ("ece", "brier", "log_loss", "slope")


@dataclass(frozen=True)
class _Sums:
    """What each patient adds; every array is (n_patients, ...), and a resample's totals are ``counts @ array``."""

    losses: Floats  # units, squares, log losses
    gaps: Floats  # of each bin: predicted less observed
    sizes: Floats  # of each group of log odds
    hits: Floats


def resampled_calibration(forecasts: Forecasts, patient: Integers) -> Callable[[Integers], dict[str, Floats]]:
    """Prepare the metrics that get an interval, for `bycase.statistics.bootstrap.bootstrap`.

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
    x, group = group_log_odds(forecasts.confidence)
    sums = _sum_by_patient(forecasts, patient, group)

    def statistic(counts: Integers) -> dict[str, Floats]:
        drawn = counts.astype(np.float64)
        size, squares, log_losses = (drawn @ sums.losses).T
        return {
            "ece": np.abs(drawn @ sums.gaps).sum(axis=1) / size,
            "brier": squares / size,
            "log_loss": log_losses / size,
            "slope": fit_logistic(x, drawn @ sums.hits, drawn @ sums.sizes)[0],
        }

    return statistic


def _sum_by_patient(forecasts: Forecasts, patient: Integers, group: Integers) -> _Sums:
    outcome = forecasts.outcome.astype(np.float64)
    ones = np.ones_like(outcome)
    whole = np.zeros(len(outcome), np.int64)
    losses = (ones, forecasts.squares, forecasts.log_losses)
    return _Sums(
        losses=np.hstack([sum_by_patient(patient, whole, of) for of in losses]),
        gaps=sum_by_patient(patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - outcome),
        sizes=sum_by_patient(patient, group, ones),
        hits=sum_by_patient(patient, group, outcome),
    )


def sum_by_patient(patient: Integers, index: Integers, values: Floats) -> Floats:
    """Sum `values` (n_units,) by patient and bin; (n_patients, n_bins)."""
    n_patients, n_bins = int(patient.max()) + 1, int(index.max()) + 1
    flat = np.bincount(patient * n_bins + index, weights=values, minlength=n_patients * n_bins)
    return flat.reshape(n_patients, n_bins).astype(np.float64)
