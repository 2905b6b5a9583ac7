"""What each patient adds to the error of a metric: standard errors and degrees of freedom without resampling.

A metric that is a mean, or an AUC, is a sum over units; written as a sum over patients, its error has the variance of
independent terms however alike the images of one patient are. Means and F1: the ratio estimator of cluster sampling
(Cochran, 1977, "Sampling Techniques", section 6.3). AUCs: DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L.
(1988), Comparing the areas under two or more correlated receiver operating characteristic curves, Biometrics 44,
837-845, of clusters as in Obuchowski, N. A. (1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53,
567-578, from midranks as in Sun, X. and Xu, W. (2014), IEEE Signal Processing Letters 21, 1389-1393. Two things go
beyond them. Pairs are compared within a fold of a repeat, and a patient's influences in all folds are added. With more
than two classes the influences on the AUCs of each class against the rest are averaged. To keep all variances from
being negative then, the small-sample factor of the covariance of a patient's positive and negative images is the
geometric mean of the factors of their variances.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from bycase.statistics.bootstrap import log_losses
from bycase.statistics.metrics import patient_scores
from bycase.statistics.units import BinaryUnits, Bools, Floats, Integers, Units

FEWEST = 2  # patients of a sample, to tell how patients differ
NOTHING = 1e-12


@dataclass(frozen=True)
class Draws:
    """The error of a mean over random draws, such as of folds or of trainings.

    Attributes
    ----------
    variance : float
        Of the mean; 0 of a single draw, which does not tell how others would differ.
    freedom : int
        Its degrees of freedom.
    shared : float
        The part of it that the variance between patients holds too: how patients differ from draw to draw.
    """

    variance: float = 0.0
    freedom: int = 1
    shared: float = 0.0


@dataclass(frozen=True)
class Influence:
    """A metric, and what each patient adds to its error.

    Attributes
    ----------
    estimate : float
        The metric; NaN where it is not defined.
    parts : ndarray of shape (n_patients, n_samples), float64
        What a patient's units in each sample (the classes, where a metric sets them against one another or averages
        over them; else all units) add, times the square root of n / (n - 1), n the sample's patients; 0 where the
        sample has a single patient, of whose influence nothing is known.
    scores : ndarray of shape (n_patients, n_samples), float64
        What the units themselves add to the metric; of a difference 0 where a patient speaks for neither side.
    sizes : ndarray of shape (n_samples,), int64
        Patients of each sample.
    unknown : float, in [0, 1]
        The share of the metric that rests on samples of a single patient, or of none.
    draws : Draws
        Of a mean over random draws.
    """

    estimate: float
    parts: Floats
    scores: Floats
    sizes: Integers
    unknown: float = 0.0
    draws: Draws = Draws()

    @property
    def variance(self) -> float:
        """Of the estimate's error, but for samples of a single patient."""
        return self._of_patients + self.draws.variance

    @property
    def _of_patients(self) -> float:
        return max(float((self.parts.sum(axis=1) ** 2).sum()) - self.draws.shared, 0.0)

    @property
    def discordant(self) -> int:
        """Of a difference, how many patients speak for either side."""
        return int((np.abs(self.scores) > NOTHING).any(axis=1).sum())

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the variance.

        Those of the samples' own variances, but of patients at most one less than there are, since each counts once,
        and at most those of samples whose patients vary alike: of few patients the variance may be small by chance, and
        the sample would then seem not to matter.
        """
        several = self.sizes >= FEWEST
        sizes = self.sizes[several]
        own = welch((self.parts[:, several] ** 2).sum(axis=0), sizes - 1)
        least = min(own, welch(1 / sizes, sizes - 1), len(self.parts) - 1)
        return welch([self._of_patients, self.draws.variance], [least, self.draws.freedom])

    def minus(self, other: "Influence") -> "Influence":
        """The difference of two metrics of the same patients, one kind of metric."""
        return replace(
            self,
            estimate=self.estimate - other.estimate,
            parts=self.parts - other.parts,
            scores=self.scores - other.scores,
        )

    def with_draws(self, draws: Draws) -> "Influence":
        """The same of a mean over random draws."""
        return replace(self, draws=draws)


def draws_of(values: Floats, repeats: Sequence[Influence] = ()) -> Draws:
    """The error of the mean of `values` over random draws of folds or trainings, on the same patients.

    Patients and draws are crossed random effects, as cases and readers are in radiology (Dorfman, Berbaum and Metz,
    1992, Investigative Radiology 27, 723-731; Hillis, 2007, Statistics in Medicine 26, 596-619).

    Parameters
    ----------
    values : ndarray of shape (n_draws,) or (n_draws, n_series), float64
        A metric in each draw; of several series that vary alike.
    repeats : sequence of Influence
        Of each draw, for `Draws.shared`; without them it counts twice.
    """
    n = len(values)
    several = values.reshape(n, -1)
    if n < 2:
        return Draws()
    return Draws(float(several.var(axis=0, ddof=1).mean()) / n, several.shape[1] * (n - 1), _shared(repeats))


def draws_of_difference(values: Floats, repeats: Sequence[Influence] = ()) -> Draws:
    """The error of the difference between the means of two of several series that vary alike; see `draws_of`.

    What a draw adds to all series, (n_draws, n_series), is in no difference: the residual of a table of two ways
    without replication, draws and series (Scheffe, 1959, "The Analysis of Variance", section 8.1), counts for each of
    the two. `repeats` are of the difference.
    """
    n, series = values.shape
    if min(n, series) < 2:
        return Draws()
    residual = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    freedom = (n - 1) * (series - 1)
    return Draws(2 * float((residual**2).sum()) / freedom / n, freedom, _shared(repeats))


def _shared(repeats: Sequence[Influence]) -> float:
    n = len(repeats)
    if n < 2:
        return 0.0
    parts = np.stack([each.parts.sum(axis=1) for each in repeats])
    return float(((parts - parts.mean(axis=0)) ** 2).sum()) / (n * (n - 1))


def welch(variances: Floats | Sequence[float], freedoms: Floats | Integers | Sequence[float]) -> float:
    """Degrees of freedom of a sum of independent variances, (n_samples,), from those of each; 1 where all are 0.

    Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are
    involved. Biometrika 34, 28-35; Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance
    components. Biometrics Bulletin 2, 110-114.
    """
    each, freedom = np.asarray(variances, np.float64), np.asarray(freedoms, np.float64)
    some = each > 0
    return float(each.sum() ** 2 / (each[some] ** 2 / freedom[some]).sum()) if some.any() else 1.0


def average(influences: Sequence[Influence]) -> Influence:
    """The mean of several metrics of the same patients, one kind of metric."""
    parts, scores = (np.mean([getattr(one, name) for one in influences], axis=0) for name in ("parts", "scores"))
    estimate = float(np.mean([one.estimate for one in influences]))
    return replace(influences[0], estimate=estimate, parts=parts, scores=scores)


def measure_influence(metric: str, units: Units, number: int | None = None) -> Influence:
    """The influences on a metric that has them in closed form: one of `METRICS`.

    Parameters
    ----------
    metric : str
        Its key in ``metrics.json``.
    units : Units
        Images or patients.
    number : int, optional
        The class, of a metric of one class against the rest; by default the positive one, without which an AUC is the
        mean over all classes.
    """
    return METRICS[metric](units, number)


def rate_members(metric: str, units: Units, number: int | None = None) -> tuple[Bools, Bools]:
    """What a rate counts as right, and among which units.

    Parameters
    ----------
    metric : str
        One of `RATES`.
    units : Units
        Images or patients.
    number : int, optional
        The class; by default the positive one.

    Returns
    -------
    right, members : ndarray of shape (n_units,), bool
    """
    if metric == "accuracy":
        return units.right, np.ones(len(units.truth), bool)
    number = units.positive if number is None else number
    true, predicted = units.truth == number, units.predicted == number
    if metric == "precision":
        return true, predicted
    if metric == "npv":
        return ~true, ~predicted
    return (~predicted, ~true) if metric == "specificity" else (predicted, true)


def mean_influence(values: Floats | Bools, members: Bools, patient: Integers) -> Influence:
    """The influences on the mean of `values`, (n_units,), over the units that are `members`, (n_units,).

    `patient`, (n_units,), int64, from 0 up, says whose the units are. Without any member the mean is NaN.
    """
    sample = np.zeros(len(patient), np.int64)
    return _ratio(np.where(members, values, 0.0), members.astype(np.float64), members, patient, sample)


def auc_influence(units: BinaryUnits) -> Influence:
    """The influences on the AUC of one class against the rest."""
    return _by_class(units, [units], units.truth.astype(np.int64), 2)


def mean_auc_influence(units: Units) -> Influence:
    """The influences on the mean AUC of all classes that occur, each against the rest; a sample a class."""
    each = [units.against_rest(number) for number in np.unique(units.truth)]
    return _by_class(units, each, units.truth, len(units.classes))


def auc_errors(truth: Bools, scores: Floats, patient: Integers, fold: Integers) -> tuple[float, Floats, Floats]:
    """The AUC, and what each unit adds to its error and to itself.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        Whether each unit is of the class.
    scores : ndarray of shape (n_units,), float64
        Larger means more likely of the class.
    patient, fold : ndarray of shape (n_units,), int64, from 0 up
        Whose each unit is, and which units are compared with each other.

    Returns
    -------
    auc : float
        NaN without pairs.
    errors, shares : ndarray of shape (n_units,), float64
        The errors with the small-sample factor of the unit's class.
    """
    outranked, opponents = outranking(truth, scores, fold)
    pairs = opponents[truth].sum()
    if pairs == 0:
        return math.nan, np.zeros(len(truth)), np.zeros(len(truth))
    auc = float(outranked[truth].sum() / pairs)
    errors = (outranked - opponents * auc) / pairs
    for members in (truth, ~truth):
        # Those without an opponent in their fold have no influence and do not count.
        errors[members] *= small_sample_factor(len(np.unique(patient[members & (opponents > 0)])))
    return auc, errors, outranked / pairs


def outranking(truth: Bools, scores: Floats, fold: Integers) -> tuple[Floats, Integers]:
    """How many units of the other side each unit is on the right side of, ties counting half, and how many there are.

    Arguments as of `auc_errors`; arrays of shape (n_units,).
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


def small_sample_factor(patients: int) -> float:
    """The square root of n / (n - 1), which makes a variance over so many patients unbiased; 0 of less than two."""
    return math.sqrt(patients / (patients - 1)) if patients >= FEWEST else 0.0


def _by_class(units: Units | BinaryUnits, each: Sequence[BinaryUnits], sample: Integers, n_samples: int) -> Influence:
    """The mean AUC of `each`, the errors of the units added by patient and `sample`, (n_units,)."""
    fold = np.zeros(len(units.truth), np.int64) if units.fold is None else units.fold
    scored = [auc_errors(one.truth, one.scores, units.patient, fold) for one in each]
    defined = [one for one in scored if math.isfinite(one[0])]
    errors, shares = np.zeros((2, len(units.truth)))
    for _, of_errors, of_shares in defined:
        errors, shares = errors + of_errors / len(defined), shares + of_shares / len(defined)
    parts, scores, sizes = _add_up(errors, shares, units.patient, sample, n_samples)
    known = (sizes >= FEWEST).sum()
    unknown = 1 - known / len(sizes) if known >= 2 else 1.0  # of one class there is nothing to be ranked
    estimate = float(np.mean([auc for auc, *_ in defined])) if defined else math.nan
    return Influence(estimate, parts, scores, sizes, float(unknown))


def _ratio(
    values: Floats, weights: Floats, members: Bools, patient: Integers, sample: Integers, n_samples: int = 1
) -> Influence:
    """The sum of `values` over that of `weights`, both 0 but for `members`; all of shape (n_units,)."""
    total = max(1.0, float(weights.sum()))
    estimate = float(values.sum() / total) if members.any() else math.nan
    errors = np.where(members, values - weights * estimate, 0.0) / total
    parts, scores, sizes = _add_up(errors, values / total, patient, np.where(members, sample, -1), n_samples)
    parts = parts * [small_sample_factor(size) for size in sizes.tolist()]
    return Influence(estimate, parts, scores, sizes, float((sizes < FEWEST).mean()) if len(sizes) else 1.0)


def _add_up(
    errors: Floats, shares: Floats, patient: Integers, sample: Integers, n_samples: int
) -> tuple[Floats, Floats, Integers]:
    """Sums by patient and sample, (n_patients, n_held), of samples with any unit, and their patients; -1: of none."""
    size = int(patient.max()) + 1, n_samples
    parts, scores, held = np.zeros(size), np.zeros(size), np.zeros(size, bool)
    rows = sample >= 0
    place = patient[rows], sample[rows]
    np.add.at(parts, place, errors[rows])
    np.add.at(scores, place, shares[rows])
    held[place] = True
    sizes = held.sum(axis=0)
    return parts[:, sizes > 0], scores[:, sizes > 0], sizes[sizes > 0]


def _everything(values: Callable[[Units], Floats]) -> Callable[[Units, int | None], Influence]:
    return lambda units, _: mean_influence(values(units), np.ones(len(units.truth), bool), units.patient)


def _rate(metric: str) -> Callable[[Units, int | None], Influence]:
    return lambda units, number: mean_influence(*rate_members(metric, units, number), units.patient)


def _auc(units: Units, number: int | None) -> Influence:
    number = units.positive if number is None else number
    return mean_auc_influence(units) if number is None else auc_influence(units.against_rest(number))


def _balanced_accuracy(units: Units, _: int | None) -> Influence:
    recalls = [mean_influence(*rate_members("recall", units, k), units.patient) for k in np.unique(units.truth)]
    parts, scores = (np.hstack([getattr(one, name) for one in recalls]) / len(recalls) for name in ("parts", "scores"))
    sizes = np.concatenate([recall.sizes for recall in recalls])
    unknown = float((sizes < FEWEST).mean())
    return Influence(float(np.mean([recall.estimate for recall in recalls])), parts, scores, sizes, unknown)


def _f1(units: Units, number: int | None) -> Influence:
    number = units.positive if number is None else number
    influence = _f1_of(units, number, (units.truth == number).astype(np.int64))
    return replace(influence, unknown=float(influence.unknown > 0))  # of one class all depends on either


def _macro_f1(units: Units, _: int | None) -> Influence:
    return average([_f1_of(units, number, units.truth) for number in np.unique(units.truth)])


def _f1_of(units: Units, number: int | None, sample: Integers) -> Influence:
    """Twice the units rightly of the class over those that are, and those that are predicted to be, of it."""
    true, predicted = units.truth == number, units.predicted == number
    weights = true.astype(np.float64) + predicted
    everyone = np.ones(len(true), bool)
    return _ratio(2.0 * (true & predicted), weights, everyone, units.patient, sample, len(units.classes))


def _recognition_rate(units: Units, _: int | None) -> Influence:
    scores = patient_scores(units.right, units.patient)
    return mean_influence(scores, np.ones(len(scores), bool), np.arange(len(scores)))


def _squares(units: Units) -> Floats:
    return ((units.scores - np.eye(len(units.classes))[units.truth]) ** 2).sum(axis=1) / 2


def _losses(units: Units) -> Floats:
    return log_losses(units.scores[np.arange(len(units.truth)), units.truth])


RATES = ("accuracy", "sensitivity", "recall", "specificity", "precision", "npv")
METRICS: dict[str, Callable[[Units, int | None], Influence]] = {
    **{rate: _rate(rate) for rate in RATES},
    "recognition_rate": _recognition_rate,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "macro_f1": _macro_f1,
    "brier": _everything(_squares),
    "log_loss": _everything(_losses),
    "auc": _auc,
}
