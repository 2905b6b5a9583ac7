"""Power of McNemar's test: two models' accuracies on the same images.

Connor, R. J. (1987). Sample size for testing differences in proportions for the paired-sample design.
Biometrics 43(1), 207-211. No library at hand computes it: statsmodels has McNemar's test, but its power
functions are for independent samples.
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
    """Independent images on which a two-sided test at `alpha` finds the difference with probability `power`.

    Parameters
    ----------
    first, second : float, in [0, 1]
        The models' accuracies, which differ.
    correlation : float
        See `discordance`.
    alpha, power : float, in (0, 1)
        Of the test.

    Returns
    -------
    float
        Not rounded.
    """
    discordant = discordance(first, second, correlation)
    difference = second - first
    critical, wanted = norm.isf(alpha / 2), norm.isf(1 - power)
    spread = critical * math.sqrt(discordant) + wanted * math.sqrt(max(discordant - difference**2, 0.0))
    return float((spread / difference) ** 2)


def detectable_accuracy(images: float, accuracy: float, correlation: float, alpha: float, power: float) -> float | None:
    """The smallest gain in accuracy that so many independent images resolve.

    Parameters
    ----------
    images : float
        Independent images.
    accuracy : float, in (0, 1)
        Of the worse model.
    correlation, alpha, power : float
        See `pairs_needed`.

    Returns
    -------
    float or None
        None where even a perfect model could not be told apart.
    """
    if pairs_needed(accuracy, 1.0, correlation, alpha, power) > images:
        return None
    return float(
        brentq(
            lambda gain: pairs_needed(accuracy, accuracy + gain, correlation, alpha, power) - images,
            SMALLEST,
            1 - accuracy,
        )
    )
