"""Calibration slope and intercept: the logistic regression of the outcome on the predicted log odds.

Cox, D. R. (1958). Two Further Applications of a Model for Binary Regression. Biometrika 45.
"""

import numpy as np
from scipy.special import expit, logit

from bycase.statistics.calibration.bins import equal_mass_bins
from bycase.statistics.calibration.temperature import FLOOR
from bycase.statistics.units import Bools, Floats, Integers

STEEPEST = 20.0  # a slope's size, at most: where a cut separates the outcomes, the likelihood has no maximum
GROUPS = 32  # of neighbouring log odds, each taken at its mean: resamples are refitted a hundred times as fast
STEPS = 30
LONGEST = 3.0  # of a step, in standard deviations of the log odds
CLOSE = 1e-9


def log_odds(confidence: Floats) -> Floats:
    """The logarithm of p / (1 - p), cut where a network's float32 output says 0 or 1."""
    odds: Floats = logit(np.clip(confidence, FLOOR, 1 - FLOOR))
    return odds


def recalibrate(outcome: Bools, confidence: Floats) -> tuple[float, float]:
    """Fit ``logit P(outcome) = intercept + slope * logit(confidence)`` by maximum likelihood.

    Parameters
    ----------
    outcome : ndarray of shape (n_units,), bool
        Whether the predicted outcome came true.
    confidence : ndarray of shape (n_units,), float64, in [0, 1]
        Its predicted probability.

    Returns
    -------
    slope, intercept : float
        1 and 0 where predictions are calibrated; a slope below 1 says too sure. The slope is in
        [-`STEEPEST`, `STEEPEST`]; it is 1 where all predictions or all outcomes are alike, which say nothing of it.
    """
    hits = outcome[None].astype(np.float64)
    slope, intercept = fit_logistic(log_odds(confidence), hits, np.ones_like(hits))
    return float(slope[0]), float(intercept[0])


def fit_logistic(x: Floats, hits: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Fit many weightings of the same log odds at once, by Newton's method.

    Parameters
    ----------
    x : ndarray of shape (n_groups,), float64
        Log odds.
    hits, sizes : ndarray of shape (n_fits, n_groups), float64, from 0 up
        Of each fit, how many units of the group have the outcome, and how many there are.

    Returns
    -------
    slope, intercept : ndarray of shape (n_fits,), float64
        See `recalibrate`.
    """
    total, positive = sizes.sum(axis=1), hits.sum(axis=1)
    scale = float(x.std())
    slope, intercept = np.ones(len(hits)), np.zeros(len(hits))
    told = (positive > 0) & (positive < total)
    if scale < CLOSE or not told.any():
        return slope, intercept
    centre = float(x.mean())
    z = (x - centre) / scale
    hits, sizes = hits[told], sizes[told]
    a, b = logit(positive[told] / total[told]), np.zeros(len(hits))
    for _ in range(STEPS):
        p = expit(a[:, None] + b[:, None] * z)
        residual, weight = hits - sizes * p, sizes * p * (1 - p)
        g0, g1 = residual.sum(axis=1), residual @ z
        h0, h1, h2 = weight.sum(axis=1), weight @ z, weight @ z**2
        # Ridge far below any information of a unit: resamples of a single prediction have none.
        determinant = h0 * h2 - h1**2 + CLOSE
        step = np.clip((h0 * g1 - h1 * g0) / determinant, -LONGEST, LONGEST)
        b_next = np.clip(b + step, -STEEPEST * scale, STEEPEST * scale)
        a_step = np.clip((g0 - h1 * (b_next - b)) / np.maximum(h0, CLOSE), -LONGEST, LONGEST)
        moved = max(float(np.abs(b_next - b).max()), float(np.abs(a_step).max()))
        a, b = a + a_step, b_next
        if moved < CLOSE:
            break
    slope[told] = b / scale
    intercept[told] = a - b * centre / scale
    return slope, intercept


def group_log_odds(confidence: Floats) -> tuple[Floats, Integers]:
    """Join neighbouring log odds into at most `GROUPS`.

    Returns
    -------
    x : ndarray of shape (n_groups,), float64
        Each group's mean log odds.
    index : ndarray of shape (n_units,), int64
        Each unit's group.
    """
    x = log_odds(confidence)
    index = equal_mass_bins(x, GROUPS)
    return np.bincount(index, weights=x) / np.bincount(index), index
