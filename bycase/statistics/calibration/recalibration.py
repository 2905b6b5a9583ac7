"""Calibration slope and intercept: logistic regressions of the outcome on the predicted log odds, by patient.

Jointly: Cox, D. R. (1958). Two Further Applications of a Model for Binary Regression. Biometrika 45, 562-565. With the
slope fixed at 1, the intercept is the calibration-in-the-large: Van Calster, B. et al. (2019). Calibration: the
Achilles heel of predictive analytics. BMC Medicine 17, 230. It says whether predictions are too high or too low on
average, which the intercept of the joint fit does only where the slope is 1.

Errors are those of clusters: each patient in turn is left out, by one step from the full fit (the jackknife CR3 of
Bell, R. M. and McCaffrey, D. F., 2002, Bias Reduction in Standard Errors for Linear Regression with Multi-Stage
Samples, Survey Methodology 28, 169-181). Intervals are of t, with the degrees of freedom of the patients with the rarer
outcome.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import t

from bycase.statistics.calibration.temperature import FLOOR
from bycase.statistics.units import Bools, Floats, Integers

STEEPEST = 20.0  # a slope's size, and an intercept's, at most: where a cut separates the outcomes, there is no maximum
STEPS = 50
LONGEST = 3.0  # of a step, in standard deviations of the log odds
CLOSE = 1e-9
TAIL = 0.025  # on either side of a 95 % interval
FEWEST = 2  # patients with an outcome, to tell how they differ


@dataclass(frozen=True)
class Coefficient:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


def log_odds(confidence: Floats) -> Floats:
    """The logarithm of p / (1 - p), cut where a network's float32 output says 0 or 1."""
    odds: Floats = logit(np.clip(confidence, FLOOR, 1 - FLOOR))
    return odds


def recalibrate(outcome: Bools, confidence: Floats, patient: Integers) -> dict[str, Coefficient]:
    """Fit ``logit P(outcome) = intercept + slope * logit(confidence)``, and the same with a slope of 1.

    Parameters
    ----------
    outcome : ndarray of shape (n_units,), bool
        Whether the predicted outcome came true.
    confidence : ndarray of shape (n_units,), float64, in [0, 1]
        Its predicted probability.
    patient : ndarray of shape (n_units,), int64, from 0 up
        Whose each unit is.

    Returns
    -------
    dict with the keys ``slope``, ``intercept`` and ``in_the_large``
        1, 0 and 0 where predictions are calibrated; a slope below 1 says too sure, a calibration-in-the-large below 0
        that the probabilities are too high. All are within `STEEPEST` of 0, and so are their intervals, which are that
        wide where nothing can be said: where an outcome has less than two patients, or a cut separates the outcomes.
        Where all predictions or all outcomes are alike, the slope is 1.
    """
    x = log_odds(confidence)
    slope, intercept = _fit(x, outcome)
    large = _fit_in_the_large(x, outcome)
    fewest = min(len(np.unique(patient[outcome])), len(np.unique(patient[~outcome])))
    ones = np.ones(len(x))
    of_intercept, of_slope = _errors(np.column_stack([ones, x]), intercept + slope * x, outcome, patient)
    (of_large,) = _errors(ones[:, None], large + x, outcome, patient)
    estimates = {"slope": (slope, of_slope), "intercept": (intercept, of_intercept), "in_the_large": (large, of_large)}
    return {name: _coefficient(value, error, fewest) for name, (value, error) in estimates.items()}


def _fit(x: Floats, outcome: Bools) -> tuple[float, float]:
    """Slope and intercept by Newton's method, on standardised log odds."""
    scale, share = float(x.std()), float(outcome.mean())
    if scale < CLOSE or share in (0.0, 1.0):
        return 1.0, _fit_in_the_large(x, outcome)
    design = np.column_stack([np.ones(len(x)), (x - x.mean()) / scale])
    a, b = float(logit(share)), 0.0
    for _ in range(STEPS):
        p = expit(a + b * design[:, 1])
        gradient, (h0, h1, h2) = (outcome - p) @ design, _information(design, p)
        # Ridge far below any information of a unit: where a cut separates the outcomes there is none.
        step = (h0 * gradient[1] - h1 * gradient[0]) / (h0 * h2 - h1**2 + CLOSE)
        b_next = float(np.clip(b + np.clip(step, -LONGEST, LONGEST), -STEEPEST * scale, STEEPEST * scale))
        a_step = float(np.clip((gradient[0] - h1 * (b_next - b)) / max(h0, CLOSE), -LONGEST, LONGEST))
        moved = max(abs(b_next - b), abs(a_step))
        a, b = a + a_step, b_next
        if moved < CLOSE:
            break
    return b / scale, float(np.clip(a - b * x.mean() / scale, -STEEPEST, STEEPEST))


def _information(design: Floats, p: Floats) -> tuple[float, float, float]:
    weight, z = p * (1 - p), design[:, 1]
    return float(weight.sum()), float(weight @ z), float(weight @ z**2)


def _fit_in_the_large(x: Floats, outcome: Bools) -> float:
    """The intercept by which the predictions' mean becomes the outcomes'."""

    def missing(intercept: float) -> float:
        return float((outcome - expit(intercept + x)).sum())

    if missing(-STEEPEST) <= 0:
        return -STEEPEST
    return STEEPEST if missing(STEEPEST) >= 0 else float(brentq(missing, -STEEPEST, STEEPEST))


def _errors(design: Floats, linear: Floats, outcome: Bools, patient: Integers) -> Floats:
    """Standard errors by patient of the fit that gives these linear predictors; infinite where they are unknown."""
    p = expit(linear)
    n, k = int(patient.max()) + 1, design.shape[1]
    scores, information = np.zeros((n, k)), np.zeros((n, k, k))
    np.add.at(scores, patient, design * (outcome - p)[:, None])
    np.add.at(information, patient, design[:, :, None] * design[:, None, :] * (p * (1 - p))[:, None, None])
    try:
        # How far the estimates move without each patient.
        moves = np.linalg.solve(information.sum(axis=0) - information, scores[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return np.full(k, math.inf)
    return np.sqrt((n - 1) / n * (moves**2).sum(axis=0))


def _coefficient(value: float, error: float, fewest: int) -> Coefficient:
    reach = 2 * STEEPEST
    if fewest >= FEWEST and math.isfinite(error) and abs(value) < STEEPEST:
        reach = float(t.isf(TAIL, fewest - 1) * error)
    return Coefficient(value, max(-STEEPEST, value - reach), min(STEEPEST, value + reach))
