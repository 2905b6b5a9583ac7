"""How each unit ranks among those of the other class: what AUCs and their errors are made of.

From midranks, as in Sun, X. and Xu, W. (2014). Fast implementation of DeLong's algorithm. IEEE Signal Processing
Letters 21, 1389-1393.
"""

import numpy as np
from scipy.stats import rankdata

from bycase.statistics.units import Bools, Floats, Integers


def outranking(truth: Bools, scores: Floats, fold: Integers) -> tuple[Floats, Integers]:
    """How many units of the other side each unit is on the right side of, ties counting half, and how many there are.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        Whether each unit is of the class.
    scores : ndarray of shape (n_units,), float64
        Larger means more likely of the class.
    fold : ndarray of shape (n_units,), int64
        Which units are compared with each other.

    Returns
    -------
    outranked : ndarray of shape (n_units,), float64
    opponents : ndarray of shape (n_units,), int64
    """
    outranked, opponents = np.zeros(len(truth)), np.zeros(len(truth), np.int64)
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        positive, negative = rows[truth[rows]], rows[~truth[rows]]
        ranks = rankdata(scores[rows])
        # A unit's rank among all less that among its own class is how many of the other class are below it.
        outranked[positive] = ranks[truth[rows]] - rankdata(scores[positive])
        outranked[negative] = len(positive) - (ranks[~truth[rows]] - rankdata(scores[negative]))
        opponents[positive], opponents[negative] = len(negative), len(positive)
    return outranked, opponents
