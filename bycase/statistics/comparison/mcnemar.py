"""Whether one network is right oftener than another where exactly one of them is right.

McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions or percentages.
Psychometrika 12, 153-157.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t
from statsmodels.stats.contingency_tables import mcnemar

from bycase.statistics.units import Bools, Floats, Integers


@dataclass(frozen=True)
class Discordance:
    """Where exactly one of two networks is right.

    Attributes
    ----------
    first_only, second_only : int
        On how many units, or for how many patients, the first, or the second, is right and the other is not.
    p : float, in (0, 1]
        Two-sided p-value of the exact (binomial) test that both are as likely.
    """

    first_only: int
    second_only: int
    p: float


def exact_by_patient(first: Bools, second: Bools, patient: Integers) -> Discordance:
    """McNemar's exact test with each patient counted once, which is valid whatever patients consist of.

    A patient speaks for the network that is right on more of the patient's units. With one unit a patient it is the
    ordinary test; with several, as where folds were drawn repeatedly, the sign test of the patients' differences.

    Parameters
    ----------
    first, second : ndarray of shape (n_units,), bool
        Whether each network is right.
    patient : ndarray of shape (n_units,), int64, from 0 up
        Whose each unit is.
    """
    lead = _leads(first, second, patient)
    return _exact(int((lead > 0).sum()), int((lead < 0).sum()))


def exact_ignoring_clusters(first: Bools, second: Bools) -> Discordance:
    """McNemar's exact test as though each image were a patient of its own: too small a p-value where they are not.

    Parameters are those of `exact_by_patient`.
    """
    return _exact(int((first & ~second).sum()), int((second & ~first).sum()))


def clustered_p(first: Bools, second: Bools, patient: Integers) -> float:
    """P-value of McNemar's test on images of which several are a patient's; in (0, 1].

    Obuchowski, N. A. (1998). On the comparison of correlated proportions for clustered data. Statistics in Medicine 17,
    1495-1507: for two readers of the same images her statistic is the squared sum of the patients' differences over
    ``n / (n - 1)`` times the sum of their squares. Of few patients it is no chi-squared; its root is held against
    Student's t of ``n - 1`` degrees of freedom. Durkalski et al. (2003, Statistics in Medicine 22) divide each
    patient's difference by the patient's images, which tests patients' mean accuracies instead of that of images.

    Parameters are those of `exact_by_patient`.
    """
    lead = _leads(first, second, patient)
    n, squares = len(np.unique(patient)), float((lead**2).sum())
    if squares == 0 or n < 2:
        return 1.0
    return float(2 * t.sf(abs(lead.sum()) * math.sqrt((n - 1) / n / squares), n - 1))


def _leads(first: Bools, second: Bools, patient: Integers) -> Floats:
    """On how many more of a patient's units the first network is right; (n_patients,)."""
    return np.bincount(patient, weights=first.astype(np.float64) - second).astype(np.float64)


def _exact(first_only: int, second_only: int) -> Discordance:
    p = mcnemar([[0, first_only], [second_only, 0]], exact=True).pvalue
    return Discordance(first_only, second_only, min(1.0, float(p)))
