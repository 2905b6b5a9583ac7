"""The correlations that a power calculation assumes, measured on predictions, and what these patients resolve.

Two networks' difference in accuracy is a mean over images, and that in AUC is one of what each image adds to it
(DeLong, DeLong and Clarke-Pearson, 1988, Biometrics 44, 837-845). Taken image by image its variance is that of
independent images; added up by patient first, that of clusters (Cochran, 1977, "Sampling Techniques", section 6.3;
Obuchowski, 1997, Biometrics 53, 567-578). From the first comes the correlation between the models. The correlation
between images of one patient is the one at which the formulas of `bycase.statistics.power.detectable`, at these models'
accuracies or AUCs, give the second: what a calculation would have had to assume. Where Hanley and McNeil's variance is
too small for the networks' scores it makes up for that as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bycase.statistics.comparison.paired import Paired
from bycase.statistics.influence import outranking
from bycase.statistics.power.clusters import design_effect, effective_images
from bycase.statistics.power.detectable import auc_variance, quantiles
from bycase.statistics.power.resolution import FEWEST, METRICS, SCENARIOS
from bycase.statistics.units import Bools, Floats, Integers

NO_VARIANCE = 1e-20


@dataclass(frozen=True)
class Measured:
    """What two networks' predictions say of the difference between them.

    Attributes
    ----------
    model_correlation : float, in [-1, 1]
        Between the networks: phi coefficient of being right on an image, or of the AUCs if images were independent.
    patient_correlation : float, in [0, 1]
        Between images of one patient, of the difference.
    se : float
        Standard error of the difference, by patients.
    points : float
        The smallest difference that is found with the power asked for, in points.
    """

    model_correlation: float
    patient_correlation: float
    se: float
    points: float


def measure_resolution(paired: Paired, alpha: float, power: float) -> dict[str, Any]:
    """Measure every pair of networks, and sum up the pairs as the scenarios of a power calculation.

    Parameters
    ----------
    paired : Paired
        The networks, at image level; of several repeats the mean.
    alpha, power : float, in (0, 1)
        Of a two-sided test of one pair.

    Returns
    -------
    dict
        ``alpha``, ``power``; ``accuracy`` and ``auc``: medians over the networks; ``pairs``: a list, each with
        ``first``, ``second`` and, where the difference varies between patients, ``accuracy`` and ``auc``, see
        `Measured`; ``scenarios``, by metric and scenario: the pair with the smallest standard error, medians over the
        pairs, and the pair with the largest.
    """
    repeats = [paired.of_repeat(int(repeat)) for repeat in paired.repeats]
    target = _target(paired)
    aucs = np.mean([[_auc(one, number, target)[0] for number in range(len(paired.models))] for one in repeats], axis=0)
    pairs: list[dict[str, Any]] = []
    for i, j in combinations(range(len(paired.models)), 2):
        found = {"accuracy": _mean([_accuracy(one, i, j, alpha, power) for one in repeats])}
        found["auc"] = _mean([_aucs(one, i, j, target, alpha, power) for one in repeats])
        pairs.append(
            {"first": paired.models[i], "second": paired.models[j]}
            | {metric: asdict(measured) for metric, measured in found.items() if measured is not None}
        )
    return {
        "alpha": alpha,
        "power": power,
        "accuracy": float(np.median(paired.right.mean(axis=1))),
        "auc": float(np.median(aucs)),
        "pairs": pairs,
        "scenarios": {metric: _scenarios([pair[metric] for pair in pairs if metric in pair]) for metric in METRICS},
    }


def _target(paired: Paired) -> int:
    """The class of the AUC: the positive one, or the one with the fewest patients."""
    if paired.positive is not None:
        return paired.positive
    patients = paired.units(0).classes_of_patients.sum(axis=0)
    return int(np.where(patients > 0, patients, np.iinfo(np.int64).max).argmin())


def _mean(measured: Sequence[Measured | None]) -> Measured | None:
    """Over repeats, of each number; None where some repeat has none."""
    whole = [asdict(one) for one in measured if one is not None]
    if len(whole) < len(measured):
        return None
    return Measured(**{key: float(np.mean([one[key] for one in whole])) for key in whole[0]})


def _scenarios(pairs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    if not pairs:
        return {}
    ranked = sorted(pairs, key=lambda pair: pair["se"])
    middle = {key: float(np.median([pair[key] for pair in pairs])) for key in pairs[0]}
    return dict(zip(SCENARIOS, (dict(ranked[0]), middle, dict(ranked[-1])), strict=True))


def _accuracy(paired: Paired, i: int, j: int, alpha: float, power: float) -> Measured | None:
    """Of the networks' accuracies: the variance of a mean, and the ratio estimator of clusters."""
    difference = paired.right[i].astype(np.float64) - paired.right[j]
    everyone = np.ones(len(difference), bool)
    alone, clustered, sizes = _variances(difference / len(difference), everyone, paired.patient)
    if len(sizes) < FEWEST or not alone > NO_VARIANCE:
        return None
    several = alone * (design_effect(sizes, 1.0) - 1)  # what a correlation of 1 adds to the variance
    between = min(max((clustered - alone) / several, 0.0), 1.0) if several > 0 else 0.0
    se = math.sqrt(clustered)
    points = 100 * se * sum(quantiles(alpha, power, len(sizes) - 1))
    return Measured(_correlation(paired.right[i], paired.right[j]), between, se, points)


def _aucs(paired: Paired, i: int, j: int, target: int, alpha: float, power: float) -> Measured | None:
    """Of the networks' AUCs: DeLong's variance by class, without clusters and with."""
    truth = paired.truth == target
    if min(len(np.unique(paired.patient[members])) for members in (truth, ~truth)) < FEWEST:
        return None
    (first, one), (second, other) = (_auc(paired, number, target) for number in (i, j))
    alone, clustered, sizes = zip(
        *(_variances(one - other, members, paired.patient) for members in (truth, ~truth)), strict=True
    )
    if not sum(alone) > NO_VARIANCE:
        return None
    correlation = _correlation(one, other)
    se = math.sqrt(_clustered(one - other, truth, paired.patient))

    def excess(patients: float) -> float:
        worth = [effective_images(each, patients) for each in sizes]
        spread = [auc_variance(auc, *worth) for auc in (first, second)]
        return sum(spread) - 2 * correlation * math.sqrt(math.prod(spread)) - se**2

    between = 0.0 if excess(0.0) >= 0 else 1.0 if excess(1.0) <= 0 else float(brentq(excess, 0.0, 1.0))
    freedom = sum(clustered) ** 2 / sum(part**2 / (len(n) - 1) for part, n in zip(clustered, sizes, strict=True))
    return Measured(correlation, between, se, 100 * se * sum(quantiles(alpha, power, freedom)))


def _variances(terms: Floats, members: Bools, patient: Integers) -> tuple[float, float, Integers]:
    """Variance of the sum of the members' terms, as independent ones and by patient, and the patients' images."""
    values = terms[members] - terms[members].mean()
    sizes = np.bincount(patient[members])
    sums = np.bincount(patient[members], values)[sizes > 0]
    sizes = sizes[sizes > 0]
    alone, clustered = (float((each**2).sum()) * len(each) / max(len(each) - 1, 1) for each in (values, sums))
    return alone, clustered, sizes


def _clustered(errors: Floats, truth: Bools, patient: Integers) -> float:
    """Obuchowski's variance of an AUC, or of a difference of two: a patient may have images of both classes."""
    total = np.zeros(int(patient.max()) + 1)
    for members in (truth, ~truth):
        n = len(np.unique(patient[members]))
        np.add.at(total, patient[members], errors[members] * math.sqrt(n / (n - 1)))
    return float((total**2).sum())


def _correlation(one: Floats | Bools, other: Floats | Bools) -> float:
    """Pearson's; 0 where one of the two does not vary."""
    first, second = one - np.mean(one), other - np.mean(other)
    scale = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > NO_VARIANCE else 0.0


def _auc(paired: Paired, number: int, target: int) -> tuple[float, Floats]:
    """The AUC of a class, pairs compared within folds, and what each image adds to its error."""
    truth, scores = paired.truth == target, paired.scores[number, :, target]
    outranked, opponents = outranking(truth, scores, paired.fold)
    pairs = max(opponents[truth].sum(), 1)
    auc = float(outranked[truth].sum() / pairs)
    return auc, (outranked - opponents * auc) / pairs
