"""What calibration looks at in predictions of two classes and of more: an outcome, and how probable it was called."""

from dataclasses import dataclass

import numpy as np

from bycase.statistics.bootstrap import log_losses
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Bools, Floats, Units


@dataclass(frozen=True)
class Forecasts:
    """Probabilities of one outcome a unit, and the losses of the whole prediction.

    Attributes
    ----------
    outcome : ndarray of shape (n_units,), bool
        Two classes: whether the unit is of the positive one. More: whether its most probable class is right.
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


def make_forecasts(units: Units | ClassUnits) -> Forecasts:
    """The outcomes of images or patients; see `Forecasts`."""
    if isinstance(units, Units):
        own = np.where(units.truth, units.scores, 1 - units.scores)
        return Forecasts(units.truth, units.scores, log_losses(own), (1 - own) ** 2)
    own = units.scores[np.arange(len(units.truth)), units.truth]
    squares = ((units.scores - np.eye(len(units.classes))[units.truth]) ** 2).sum(axis=1) / 2
    return Forecasts(units.right, units.scores.max(axis=1), log_losses(own), squares)
