"""What each patient adds to the error of a metric: standard errors and degrees of freedom without resampling.

A metric that is a mean, or an AUC, is a sum over units; written as a sum over patients, its error has the variance of
independent terms however alike the images of one patient are. Means: the ratio estimator of cluster sampling (Cochran,
1977, "Sampling Techniques", section 6.3). AUCs: DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988), Comparing
the areas under two or more correlated receiver operating characteristic curves, Biometrics 44, 837-845, of clusters as in
Obuchowski, N. A. (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53, 567-578, from midranks as in
Sun, X. and Xu, W. (2014), IEEE Signal Processing Letters 21, 1389-1393. Two things go beyond them. Pairs are compared
within a fold of a repeat, and a patient's influences in all folds are added. With more than two classes the influences on
the AUCs of each class against the rest are averaged. To keep all variances from being negative then, the small-sample
factor of the covariance of a patient's positive and negative images is the geometric mean of the factors of their
variances.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from bycase.statistics.bootstrap import log_losses
from bycase.statistics.metrics import patient_scores
from bycase.statistics.units import Bools, Floats, Integers, Units


@dataclass(frozen=True)
class Influence:
    """A metric, and what each patient adds to its error.

    Attributes
    ----------
    estimate : float
        The metric.
    parts : ndarray of shape (n_patients, n_samples), float64
        What a patient's units in each sample (the classes, where a metric sets them against one another or averages
        over them; else all units) add, times the square root of n / (n - 1), n the sample's patients.
    sizes : ndarray of shape (n_samples,), int64
        Patients of each sample; of one patient `parts` are NaN.
    """

    estimate: float
    parts: Floats
    sizes: Integers

    @property
    def variance(self) -> float:
        """Of the estimate's error; NaN where a sample has a single patient."""
        return float((self.parts.sum(axis=1) ** 2).sum())

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance, at least those of the smallest sample.

        Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
        Bulletin 2, 110-114.
        """
        variances = (self.parts**2).sum(axis=0)
        return float(variances.sum() ** 2 / (variances**2 / (self.sizes - 1)).sum())

    def minus(self, other: "Influence") -> "Influence":
        """The difference of two metrics of the same patients, one kind of metric."""
        return Influence(self.estimate - other.estimate, self.parts - other.parts, self.sizes)


def average(influences: Sequence[Influence]) -> Influence:
    """The mean of several metrics of the same patients, one kind of metric."""
    estimate = float(np.mean([each.estimate for each in influences]))
    return Influence(estimate, np.mean([each.parts for each in influences], axis=0), influences[0].sizes)


def measure_influence(metric: str, units: Units) -> Influence | None:
    """The influences on a metric that has them in closed form.

    Parameters
    ----------
    metric : str
        A key of `METRICS`; a metric of another name has no closed form here.
    units : Units
        Images or patients.

    Returns
    -------
    Influence or None
        None where the metric has no closed form, or wants a positive class that the units lack.
    """
    if metric not in METRICS or (metric in OF_POSITIVE and units.positive is None):
        return None
    return METRICS[metric](units)


def rate_of(metric: str, units: Units, number: int | None = None) -> tuple[Bools, Bools]:
    """What a rate counts as right, and among which units; see `RATES`.

    Parameters
    ----------
    metric : str
        ``accuracy``, or of one class ``recall``, ``sensitivity`` (another word for it) or ``specificity``.
    units : Units
        Images or patients.
    number : int or None
        The class; None: the positive one.

    Returns
    -------
    right, members : ndarray of shape (n_units,), bool
    """
    if metric == "accuracy":
        return units.right, np.ones(len(units.truth), bool)
    number = units.positive if number is None else number
    if metric == "specificity":
        return units.predicted != number, units.truth != number
    return units.predicted == number, units.truth == number


def mean_influence(values: Floats | Bools, members: Bools, units: Units) -> Influence:
    """The influences on the mean of `values`, (n_units,), over the units that are `members`, (n_units,)."""
    estimate = float(values[members].mean())
    errors = np.where(members, (values - estimate) / members.sum(), 0.0)
    size = len(np.unique(units.patient[members]))
    parts = small_sample_factor(size) * np.bincount(units.patient, errors, units.n_patients)
    return Influence(estimate, parts[:, None], np.array([size]))


def auc_influence(units: Units, targets: Sequence[int]) -> Influence:
    """The influences on the mean AUC of `targets`, each against the rest; a sample a class."""
    columns = [
        auc_errors(units.truth == k, units.scores[None, :, k], units.patient, _folds(units.fold, len(units.truth)))
        for k in targets
    ]
    errors = np.mean([errors[0] for _, errors in columns], axis=0)
    parts = np.zeros((units.n_patients, len(units.classes)))
    np.add.at(parts, (units.patient, units.truth), errors)
    sizes = units.classes_of_patients.sum(axis=0)
    held = sizes > 0
    return Influence(float(np.mean([auc[0] for auc, _ in columns])), parts[:, held], sizes[held])


def auc_errors(truth: Bools, scores: Floats, patient: Integers, fold: Integers) -> tuple[Floats, Floats]:
    """The AUCs of several networks on the same units, and what each unit adds to their errors.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        Whether each unit is of the class.
    scores : ndarray of shape (n_models, n_units), float64
        Larger means more likely of the class.
    patient, fold : ndarray of shape (n_units,), int64, from 0 up
        Whose each unit is, and which units are compared with each other.

    Returns
    -------
    auc : ndarray of shape (n_models,), float64
        NaN without pairs.
    errors : ndarray of shape (n_models, n_units), float64
        With the small-sample factor of the unit's class, NaN where that has a single patient; 0 without pairs.
    """
    outranked, opponents = np.zeros(scores.shape), np.zeros(len(truth))
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
        return np.full(len(scores), np.nan), np.zeros(scores.shape)
    auc = outranked[:, truth].sum(axis=1) / pairs
    errors = (outranked - opponents * auc[:, None]) / pairs
    for members in (truth, ~truth):
        # Those without an opponent in their fold have no influence and do not count.
        errors[:, members] *= small_sample_factor(len(np.unique(patient[members & (opponents > 0)])))
    return auc, errors


def small_sample_factor(patients: int) -> float:
    """The square root of n / (n - 1), which makes a variance over so many patients unbiased; NaN of one patient."""
    return math.sqrt(patients / (patients - 1)) if patients > 1 else math.nan


def _everything(values: Callable[[Units], Floats | Bools]) -> Callable[[Units], Influence]:
    return lambda units: mean_influence(values(units), np.ones(len(units.truth), bool), units)


def _rate(metric: str) -> Callable[[Units], Influence]:
    return lambda units: mean_influence(*rate_of(metric, units), units)


def _balanced_accuracy(units: Units) -> Influence:
    recalls = [mean_influence(*rate_of("recall", units, k), units) for k in np.unique(units.truth)]
    parts = np.column_stack([recall.parts[:, 0] for recall in recalls]) / len(recalls)
    sizes = np.concatenate([recall.sizes for recall in recalls])
    return Influence(float(np.mean([recall.estimate for recall in recalls])), parts, sizes)


def _recognition_rate(units: Units) -> Influence:
    scores = patient_scores(units.right, units.patient)
    errors = (scores - scores.mean()) / len(scores)
    return Influence(
        float(scores.mean()), small_sample_factor(len(scores)) * errors[:, None], np.array([len(scores)])
    )


def _squares(units: Units) -> Floats:
    return ((units.scores - np.eye(len(units.classes))[units.truth]) ** 2).sum(axis=1) / 2


def _folds(fold: Integers | None, n: int) -> Integers:
    return np.zeros(n, np.int64) if fold is None else fold


OF_POSITIVE = ("sensitivity", "specificity")
METRICS: dict[str, Callable[[Units], Influence]] = {
    "accuracy": _rate("accuracy"),
    "sensitivity": _rate("sensitivity"),
    "specificity": _rate("specificity"),
    "recognition_rate": _recognition_rate,
    "balanced_accuracy": _balanced_accuracy,
    "brier": _everything(_squares),
    "log_loss": _everything(lambda units: log_losses(units.scores[np.arange(len(units.truth)), units.truth])),
    "auc": lambda units: auc_influence(units, units.targets),
}
