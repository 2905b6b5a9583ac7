"""The expected calibration error, what of it chance alone would show, and whether there is more."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import foldnorm

from bycase.statistics.calibration.bins import Forecasts, equal_mass_bins, sum_by_patient
from bycase.statistics.multipliers import multiplier_test
from bycase.statistics.units import Floats, Integers


@dataclass(frozen=True)
class CalibrationError:
    """How far bins' shares are from their predictions, beside calibrated predictions of the same patients.

    Attributes
    ----------
    observed : float, in [0, 1]
        The expected calibration error (ECE).
    expected : float, in [0, 1]
        The mean that it would have if predictions were calibrated: what chance alone shows.
    debiased : float, in [0, 1]
        The error less an estimate of what chance adds to it.
    p : float, in (0, 1]
        Of an error as large, if predictions were calibrated.
    """

    observed: float
    expected: float
    debiased: float
    p: float


def measure_error(forecasts: Forecasts, patient: Integers, draws: int, random: np.random.Generator) -> CalibrationError:
    """The mean distance between predicted and observed share, over bins of equal mass, and its test.

    Naeini, M. P., Cooper, G. and Hauskrecht, M. (2015). Obtaining Well Calibrated Probabilities Using Bayesian
    Binning. AAAI. With few patients it is biased upward, and no resample of them is calibrated, so that an interval
    would never hold 0. Instead it is compared with what calibrated predictions would show (Vaicenavicius, J. et al.,
    2019, Evaluating model calibration in classification, AISTATS; Bröcker, J. and Smith, L. A., 2007, Increasing the
    Reliability of Reliability Diagrams, Weather and Forecasting 22, 651-661): then each patient's predictions less the
    outcomes add up to 0 in every bin on average, whatever the images of a patient have in common; see
    `bycase.statistics.multipliers`.

    `debiased` takes the gap of each bin as normal about the true one and subtracts the mean excess of its distance
    (Kumar, A., Liang, P. and Ma, T., 2019, Verified Uncertainty Calibration, NeurIPS), with the variance between
    patients in place of a binomial one. Of calibrated predictions about three fifths of the error are left.

    Parameters
    ----------
    forecasts : Forecasts
        Of the whole test part.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        Whose each unit is.
    draws : int
        See `multiplier_test`.
    random : Generator
        Draws them.
    """
    gaps = sum_by_patient(patient, equal_mass_bins(forecasts.confidence), forecasts.confidence - forecasts.outcome)
    n = len(patient)
    expected, p = multiplier_test(gaps, lambda sums: np.abs(sums).sum(axis=1) / n, len(gaps) - 1, draws, random)
    distance = np.abs(gaps.sum(axis=0))
    chance = _folded_mean(distance, np.sqrt((gaps**2).sum(axis=0))) - distance
    return CalibrationError(
        observed=float(distance.sum() / n),
        expected=expected,
        debiased=max(0.0, float((distance - chance).sum() / n)),
        p=p,
    )


def _folded_mean(centre: Floats, spread: Floats) -> Floats:
    """The mean distance from 0 of normal values about each centre; (n_bins,)."""
    mean, several = centre.copy(), spread > 0
    mean[several] = foldnorm.mean(centre[several] / spread[several], scale=spread[several])
    return mean
