"""Power of two paired tests: of two models' accuracies, and of their AUCs, on the same images.

Accuracies by McNemar's test: Connor, R. J. (1987). Sample size for testing differences in proportions for the
paired-sample design. Biometrics 43(1), 207-211. No library at hand computes it: statsmodels has McNemar's test, but its
power functions are for independent samples.

AUCs: Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic
(ROC) curve. Radiology 143, 29-36: the variance, and the sample size from the variances under both hypotheses. The same
(1983). A method of comparing the areas under receiver operating characteristic curves derived from the same cases.
Radiology 148, 839-843: the covariance of two AUCs. Obuchowski, N. A. (1998). Sample size calculations in studies of
test accuracy. Statistical Methods in Medical Research 7, 371-392: clustered images enter with the number of independent
ones they are worth.
"""

import math

from scipy.optimize import brentq
from scipy.stats import norm

SMALLEST = 1e-6  # difference that is looked for


def discordance(first: float, second: float, correlation: float) -> float:
    """Share of images on which exactly one of two models is right.

    Parameters
    ----------
    first, second : float, in [0, 1]
        The models' accuracies.
    correlation : float
        Phi coefficient of being right; one that such accuracies do not admit is replaced by the nearest
        that they do.

    Returns
    -------
    float, in [abs(second - first), 1]
    """
    both = first * second + correlation * math.sqrt(first * (1 - first) * second * (1 - second))
    both = min(max(both, first + second - 1, 0.0), first, second)
    return first + second - 2 * both


def pairs_needed(first: float, second: float, correlation: float, alpha: float, power: float) -> float:
    """Independent images, not rounded, on which a two-sided test at `alpha` finds a difference with that `power`.

    `first`, `second` and `correlation` are those of `discordance`; `alpha` and `power` are in (0, 1).
    """
    discordant = discordance(first, second, correlation)
    difference = second - first
    critical, wanted = norm.isf(alpha / 2), norm.isf(1 - power)
    spread = critical * math.sqrt(discordant) + wanted * math.sqrt(max(discordant - difference**2, 0.0))
    return float((spread / difference) ** 2)


def detectable_accuracy(images: float, accuracy: float, correlation: float, alpha: float, power: float) -> float | None:
    """The smallest gain in accuracy that so many independent images resolve; None where even a perfect model is not.

    `accuracy`, in (0, 1), is that of the worse model; for the others see `pairs_needed`.
    """

    def shortfall(gain: float) -> float:
        return pairs_needed(accuracy, accuracy + gain, correlation, alpha, power) - images

    return None if shortfall(1 - accuracy) > 0 else float(brentq(shortfall, SMALLEST, 1 - accuracy))


def auc_variance(auc: float, positive: float, negative: float) -> float:
    """Variance of an estimated AUC, in (0, 1], by independent images of either class (1982, equation 1)."""
    square = auc**2
    two_positive = auc / (2 - auc)  # probability that two positives both outrank a negative
    two_negative = 2 * square / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (two_positive - square) + (negative - 1) * (two_negative - square)
    return spread / (positive * negative)


def required_difference(
    auc: float, better: float, positive: float, negative: float, correlation: float, alpha: float, power: float
) -> float:
    """How far apart the AUCs would have to be for a two-sided test at `alpha` to have that `power`.

    Parameters
    ----------
    auc, better : float, in (0, 1]
        The models' AUCs, from which the variances follow: that of the null hypothesis from `auc` for both.
    positive, negative : float, from 1 up
        Independent images of either class.
    correlation : float, in [0, 1)
        Between the two estimated AUCs (Hanley and McNeil, 1983).
    alpha, power : float, in (0, 1)
        Of the test.
    """
    first, second = (auc_variance(each, positive, negative) for each in (auc, better))
    under_null = 2 * first * (1 - correlation)
    under_alternative = first + second - 2 * correlation * math.sqrt(first * second)
    return float(norm.isf(alpha / 2) * math.sqrt(under_null) + norm.isf(1 - power) * math.sqrt(under_alternative))


def detectable_auc(
    positive: float, negative: float, auc: float, correlation: float, alpha: float, power: float
) -> float | None:
    """The smallest gain in AUC that so many independent images resolve; None where even a perfect one is not.

    Parameters are those of `required_difference`.
    """

    def shortfall(gain: float) -> float:
        return required_difference(auc, auc + gain, positive, negative, correlation, alpha, power) - gain

    return None if shortfall(1 - auc) > 0 else float(brentq(shortfall, SMALLEST, 1 - auc))


def enlargement_needed(
    gain: float, positive: float, negative: float, auc: float, correlation: float, alpha: float, power: float
) -> float:
    """The factor by which both classes must grow, or may shrink, for `gain` to be resolved.

    Parameters are those of `required_difference`; ``auc + gain`` is at most 1.
    """

    def shortfall(logarithm: float) -> float:
        factor = math.exp(logarithm)
        return (
            required_difference(auc, auc + gain, factor * positive, factor * negative, correlation, alpha, power) - gain
        )

    fewest = math.log(1 / min(positive, negative))  # one image of the smaller class
    return math.exp(float(brentq(shortfall, fewest, 60.0))) if shortfall(fewest) > 0 else math.exp(fewest)
