"""Temperature scaling: one number, fitted on validation, that makes all predictions less or more sure.

Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On Calibration of Modern Neural Networks. ICML.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from bycase.statistics.units import Floats, Units

TEMPERATURES = 0.05, 20.0  # the range of a fit; where validation has no error, the best would be 0
FLOOR = 1e-7  # a network's float32 sigmoid says 0 or 1 where the other probability is below about this


def fit_temperature(units: Units) -> float:
    """The temperature with the least log loss, which is convex in its inverse.

    Returns
    -------
    float, in `TEMPERATURES`
        Above 1 where predictions are too sure.
    """
    logits, rows = _logits(units.scores), np.arange(len(units.truth))

    def log_loss(inverse: float) -> float:
        scaled = inverse * logits
        return float((logsumexp(scaled, axis=1) - scaled[rows, units.truth]).mean())

    low, high = TEMPERATURES
    best = minimize_scalar(log_loss, bounds=(1 / high, 1 / low), method="bounded", options={"xatol": 1e-9})
    return float(np.clip(1 / best.x, low, high))


def apply_temperature(scores: Floats, temperature: float | Floats) -> Floats:
    """Divide the logarithms of the probabilities by the temperature and make them sum to 1 again.

    Parameters
    ----------
    scores : ndarray of shape (n_units, n_classes), float64, in [0, 1]
        Probability of every class.
    temperature : float or ndarray of shape (n_units,), float64, above 0
        Of all units, or of each: predictions out of fold have each fold's.

    Returns
    -------
    ndarray of the shape of `scores`, float64, in [0, 1]
    """
    scaled = _logits(scores) / np.reshape(temperature, (-1, 1))
    probabilities: Floats = np.exp(scaled - logsumexp(scaled, axis=1, keepdims=True))
    return probabilities


def scale_units(units: Units, temperature: float | Floats) -> Units:
    """The same units with scaled scores, their predicted classes as before; see `apply_temperature`."""
    return replace(units, scores=apply_temperature(units.scores, temperature))


def _logits(scores: Floats) -> Floats:
    """Logarithms of the probabilities of all classes; (n_units, n_classes)."""
    logits: Floats = np.log(np.clip(scores, FLOOR, 1.0))
    return logits
