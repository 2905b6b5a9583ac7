"""What calibration looks at, bins of equal mass, and the parts of the Brier score."""

import math
from dataclasses import dataclass

import numpy as np

from bycase.statistics.bootstrap import log_losses
from bycase.statistics.units import Bools, Floats, Integers, Units

LARGEST = 15  # bins


@dataclass(frozen=True)
class Forecasts:
    """Probabilities of one outcome a unit, and the losses of the whole prediction.

    Attributes
    ----------
    outcome : ndarray of shape (n_units,), bool
        Whether the unit is of the positive class; without one, whether its most probable class is right.
    confidence : ndarray of shape (n_units,), float64, in [0, 1]
        Predicted probability of that.
    log_losses : ndarray of shape (n_units,), float64
        Minus the logarithm of the true class's probability, in nats, from 0 up.
    squares : ndarray of shape (n_units,), float64, in [0, 1]
        Half the squared distance from the true class's corner; of two classes the squared error.
    """

    outcome: Bools
    confidence: Floats
    log_losses: Floats
    squares: Floats


def make_forecasts(units: Units) -> Forecasts:
    """The outcomes of images or patients; see `Forecasts`."""
    own = units.scores[np.arange(len(units.truth)), units.truth]
    squares = ((units.scores - np.eye(len(units.classes))[units.truth]) ** 2).sum(axis=1) / 2
    if units.positive is None:
        outcome, confidence = units.right, units.scores.max(axis=1)
    else:
        outcome, confidence = units.truth == units.positive, units.scores[:, units.positive]
    return Forecasts(outcome, confidence, log_losses(own), squares)


def count_bins(n_units: int) -> int:
    """How many bins: the square root of the number of units, at most `LARGEST`."""
    return min(LARGEST, max(1, math.isqrt(n_units)))


def equal_mass_bins(scores: Floats, bins: int | None = None) -> Integers:
    """Number the bins between quantiles from 0, from the left; equal scores share a bin.

    Parameters
    ----------
    scores : ndarray of shape (n_units,), float64
        Any.
    bins : int, optional
        At most so many, fewer where scores repeat; `count_bins` by default.

    Returns
    -------
    ndarray of shape (n_units,), int64
        Each number below the largest occurs.
    """
    wanted = bins or count_bins(len(scores))
    edges = np.quantile(scores, np.linspace(0, 1, wanted + 1)[1:-1])
    index = np.searchsorted(edges, scores)
    return np.unique(index, return_inverse=True)[1].astype(np.int64)


def brier_decomposition(truth: Bools, scores: Floats) -> dict[str, float]:
    """The parts of the Brier score: ``brier = reliability - resolution + uncertainty + within_bin``.

    Murphy, A. H. (1973). A New Vector Partition of the Probability Score. Journal of Applied Meteorology 12.
    Its three parts add up only where all predictions of a bin are equal; ``within_bin`` is the variance of the
    predictions within bins less twice their covariance with the outcomes (Stephenson, D. B., Coelho, C. A. S. and
    Jolliffe, I. T., 2008, Two Extra Components in the Brier Score Decomposition, Weather and Forecasting 23).

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        True for the positive class.
    scores : ndarray of shape (n_units,), float64, in [0, 1]
        Its predicted probability.

    Returns
    -------
    dict with the keys ``reliability``, ``resolution``, ``uncertainty``, ``within_bin``
        The first three in [0, 1]; reliability is 0 where every bin's prediction comes true as often as it says.
    """
    index = equal_mass_bins(scores)
    size, gap, observed = _gaps(truth, scores)
    total = truth.mean()
    spread = scores - (observed + gap)[index]
    return {
        "reliability": float(np.average(gap**2, weights=size)),
        "resolution": float(np.average((observed - total) ** 2, weights=size)),
        "uncertainty": float(total * (1 - total)),
        "within_bin": float((spread**2 - 2 * (truth - observed[index]) * spread).mean()),
    }


def decompose(units: Units) -> dict[str, float]:
    """`brier_decomposition` of the positive class; without one, half the sum over all, each against the rest."""
    each = [brier_decomposition(units.truth == k, units.scores[:, k]) for k in units.targets]
    halves = len(units.classes) / 2  # of two classes, one stands for both
    return {part: halves * sum(parts[part] for parts in each) / len(each) for part in each[0]}


def sum_by_patient(patient: Integers, index: Integers, values: Floats) -> Floats:
    """Sum `values` (n_units,) by patient and bin; (n_patients, n_bins)."""
    n_patients, n_bins = int(patient.max()) + 1, int(index.max()) + 1
    flat = np.bincount(patient * n_bins + index, weights=values, minlength=n_patients * n_bins)
    return flat.reshape(n_patients, n_bins).astype(np.float64)


def _gaps(outcome: Bools, confidence: Floats) -> tuple[Integers, Floats, Floats]:
    """Units, mean prediction less observed share, and observed share, of each bin; (n_bins,)."""
    index = equal_mass_bins(confidence)
    size = np.bincount(index)
    observed = np.bincount(index, weights=outcome) / size
    return size, np.bincount(index, weights=confidence) / size - observed, observed
