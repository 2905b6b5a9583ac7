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

With few patients their variance is itself uncertain, so that quantiles are those of t instead of the normal
distribution, with the patients' degrees of freedom.
"""

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.stats import t

SMALLEST = 1e-6  # difference that is looked for
LARGEST = 1e12  # times as many patients

# The difference that a test has its power for, if so large a gain is true, on so many times as many patients.
Required = Callable[[float, float], float]
Quantiles = tuple[float, float]  # of the two-sided test's level, and of its power


def quantiles(alpha: float, power: float, freedom: float = math.inf) -> Quantiles:
    """Upper quantiles of a two-sided test at `alpha`, and of `power`, both in (0, 1); normal at infinite `freedom`."""
    return float(t.isf(alpha / 2, freedom)), float(t.isf(1 - power, freedom))


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


def required_accuracy(first: float, second: float, images: float, correlation: float, test: Quantiles) -> float:
    """How far apart the accuracies would have to be for a two-sided test to have its power.

    Parameters
    ----------
    first, second, correlation : float
        See `discordance`.
    images : float, above 0
        Independent ones.
    test : tuple of float
        See `quantiles`.
    """
    discordant = discordance(first, second, correlation)
    spread = max(discordant - (second - first) ** 2, 0.0)
    return (test[0] * math.sqrt(discordant) + test[1] * math.sqrt(spread)) / math.sqrt(images)


def auc_variance(auc: float, positive: float, negative: float) -> float:
    """Variance of an estimated AUC, in (0, 1], by independent images of either class (1982, equation 1)."""
    of_positive, of_negative = auc_variance_by_class(auc)
    spread = auc * (1 - auc) + (positive - 1) * of_negative + (negative - 1) * of_positive
    return spread / (positive * negative)


def auc_variance_by_class(auc: float) -> tuple[float, float]:
    """What a positive, and a negative, image adds to the variance of an AUC, times their number."""
    square = auc**2
    # Probabilities that two positives both outrank a negative, and that a positive outranks two negatives.
    two_positive, two_negative = auc / (2 - auc), 2 * square / (1 + auc)
    return two_negative - square, two_positive - square


def required_auc(
    first: float, second: float, positive: float, negative: float, correlation: float, test: Quantiles
) -> float:
    """How far apart the AUCs would have to be for a two-sided test to have its power.

    Parameters
    ----------
    first, second : float, in (0, 1]
        The models' AUCs, from which the variances follow: that of the null hypothesis from `first` for both.
    positive, negative : float, above 0
        Independent images of either class.
    correlation : float, in [0, 1)
        Between the two estimated AUCs (Hanley and McNeil, 1983).
    test : tuple of float
        See `quantiles`.
    """
    one, other = (auc_variance(auc, positive, negative) for auc in (first, second))
    under_null = 2 * one * (1 - correlation)
    under_alternative = one + other - 2 * correlation * math.sqrt(one * other)
    return test[0] * math.sqrt(under_null) + test[1] * math.sqrt(under_alternative)


def auc_freedom(auc: float, positive: tuple[float, float], negative: tuple[float, float]) -> float:
    """Degrees of freedom of the variance of an AUC, whose two parts are each estimated from one class's patients.

    Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are
    involved. Biometrika 34, 28-35.

    Parameters
    ----------
    auc : float, in (0, 1)
        The AUC.
    positive, negative : tuple of two float
        Of the class its independent images, and its patients, more than 1.
    """
    parts = [
        (variance / images, patients - 1)
        for variance, (images, patients) in zip(auc_variance_by_class(auc), (positive, negative), strict=True)
    ]
    return sum(part for part, _ in parts) ** 2 / sum(part**2 / freedom for part, freedom in parts)


def smallest_gain(required: Required, largest: float, times: float = 1.0) -> float | None:
    """The smallest gain found on so many times the patients; None where not even `largest` is."""

    def shortfall(gain: float) -> float:
        return required(gain, times) - gain

    return None if shortfall(largest) > 0 else float(brentq(shortfall, SMALLEST, largest))


def enlargement(required: Required, gain: float, smallest: float) -> float:
    """The factor by which the patients must grow, or may shrink to `smallest`, for `gain` to be found."""

    def shortfall(logarithm: float) -> float:
        return required(gain, math.exp(logarithm)) - gain

    low = math.log(smallest)
    return math.exp(float(brentq(shortfall, low, math.log(LARGEST)))) if shortfall(low) > 0 else smallest
