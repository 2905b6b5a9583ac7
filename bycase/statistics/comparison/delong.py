"""Differences of AUCs by their influence on each patient, without resampling.

DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845. Computed from midranks, as in Sun, X.
and Xu, W. (2014), Fast implementation of DeLong's algorithm, IEEE Signal Processing Letters 21, 1389-1393.

Images of one patient are no independent ones, so that their influences are added up by patient first: Obuchowski, N. A.
(1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578. Two things go beyond it. Pairs are
compared within a fold of a repeat, and a patient's influences in all folds are added. With more than two
classes the influences on the AUCs of each class against the rest are averaged. To keep all variances from being
negative then, the small-sample factor of the covariance of a patient's positive and negative images is the geometric
mean of the factors of their variances. With one fold and one unit a patient it is DeLong's test.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata

from bycase.statistics.comparison.paired import Paired
from bycase.statistics.units import Bools, Floats, Integers

NO_VARIANCE = 1e-20


@dataclass(frozen=True)
class Comparison:
    """Two AUCs, tested against the normal distribution.

    Attributes
    ----------
    first, second, difference : float
        The AUCs, and the first minus the second.
    se, z : float or None
        The difference's standard error, and how many of them it is; None where a class has one patient only, or the
        difference does not vary between patients.
    p : float, in (0, 1]
        Two-sided; 1 where `z` is None: nothing is claimed.
    """

    first: float
    second: float
    difference: float
    se: float | None
    z: float | None
    p: float


def compare_aucs(paired: Paired) -> dict[tuple[int, int], Comparison]:
    """Test all pairs of networks.

    Returns
    -------
    dict of tuple of two int to Comparison
        By the numbers of the two networks, the first the smaller.
    """
    targets = np.array(paired.units(0).targets)
    is_target = paired.truth[:, None] == targets
    auc, covariance = auc_covariance(is_target, paired.scores[:, :, targets], paired.patient, paired.fold)
    n = len(paired.models)
    return {(i, j): _compare(i, j, auc, covariance) for i in range(n) for j in range(i + 1, n)}


def auc_covariance(targets: Bools, scores: Floats, patient: Integers, fold: Integers) -> tuple[Floats, Floats]:
    """The AUCs of several networks on the same units, and the covariance of their errors.

    Parameters
    ----------
    targets : ndarray of shape (n_units, n_columns), bool
        Whether each unit is of the class of each column.
    scores : ndarray of shape (n_models, n_units, n_columns), float64
        Larger means more likely of that class.
    patient, fold : ndarray of shape (n_units,), int64, from 0 up
        Whose each unit is, and which units are compared with each other.

    Returns
    -------
    auc : ndarray of shape (n_models,), float64
        The mean over the columns that have pairs.
    covariance : ndarray of shape (n_models, n_models), float64
        NaN where such a column has a single patient of its class, or of the rest.
    """
    columns = [
        _influences(targets[:, column], scores[:, :, column], patient, fold) for column in range(targets.shape[1])
    ]
    held = [(auc, influence) for auc, influence in columns if np.isfinite(auc).all()]
    auc = np.mean([auc for auc, _ in held], axis=0)
    influence = np.mean([influence for _, influence in held], axis=0)
    return auc, influence @ influence.T


def _influences(truth: Bools, scores: Floats, patient: Integers, fold: Integers) -> tuple[Floats, Floats]:
    """The AUCs (n_models,), NaN without pairs, and what each patient adds to their errors (n_models, n_patients)."""
    n_models, n_units = scores.shape
    outranked, opponents = np.zeros((n_models, n_units)), np.zeros(n_units)
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        positive, negative = rows[truth[rows]], rows[~truth[rows]]
        ranks = rankdata(scores[:, rows], axis=1)
        # A unit's rank among all less that among its own class is how many of the other class are below it.
        outranked[:, positive] = ranks[:, truth[rows]] - rankdata(scores[:, positive], axis=1)
        below = ranks[:, ~truth[rows]] - rankdata(scores[:, negative], axis=1)
        outranked[:, negative] = len(positive) - below
        opponents[positive], opponents[negative] = len(negative), len(positive)
    pairs = opponents[truth].sum()
    if pairs == 0:
        return np.full(n_models, np.nan), np.zeros((n_models, int(patient.max()) + 1))
    auc = outranked[:, truth].sum(axis=1) / pairs
    errors = (outranked - opponents * auc[:, None]) / pairs
    for members in (truth, ~truth):
        # Those without an opponent in their fold have no influence and do not count.
        n = len(np.unique(patient[members & (opponents > 0)]))
        errors[:, members] *= math.sqrt(n / (n - 1)) if n > 1 else math.nan
    influence = np.zeros((int(patient.max()) + 1, n_models))
    np.add.at(influence, patient, errors.T)
    return auc, influence.T


def _compare(i: int, j: int, auc: Floats, covariance: Floats) -> Comparison:
    first, second = float(auc[i]), float(auc[j])
    difference = first - second
    variance = float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
    # Written so that NaN fails too.
    if not variance > NO_VARIANCE:
        return Comparison(first, second, difference, None, None, 1.0)
    se = math.sqrt(variance)
    z = difference / se
    return Comparison(first, second, difference, se, z, float(2 * norm.sf(abs(z))))
