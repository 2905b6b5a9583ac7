"""What chance alone would show, where no sample of the null hypothesis can be drawn: patients' signs at random.

Under a null hypothesis by which every patient's contribution to a statistic has a mean of 0, the contributions with
random signs are as likely as those that were seen, however alike the images of a patient are: the wild, or multiplier,
bootstrap of clusters (Cameron, A. C., Gelbach, J. B. and Miller, D. L., 2008, Bootstrap-Based Improvements for
Inference with Clustered Errors, Review of Economics and Statistics 90, 414-427; of scores: Kline, P. and Santos, A.,
2012, A Score Based Approach to Wild Bootstrap Inference, Journal of Econometric Methods 1, 23-41). With few patients
their spread is itself uncertain, so that a p-value compares with sums that are stretched as t is from a normal
distribution.
"""

from collections.abc import Callable

import numpy as np

from bycase.statistics.bootstrap import CHUNK
from bycase.statistics.units import Floats


def multiplier_test(
    parts: Floats, statistic: Callable[[Floats], Floats], freedom: float, draws: int, random: np.random.Generator
) -> tuple[float, float]:
    """Test whether patients' contributions add up to more than chance.

    Parameters
    ----------
    parts : ndarray of shape (n_patients, n), float64
        What each patient adds to each of `n` sums, with a mean of 0 under the null hypothesis.
    statistic : callable
        From sums (n_draws, n) to what is tested, (n_draws,), from 0 up; it doubles where the sums do.
    freedom : float
        Degrees of freedom of the contributions' spread.
    draws : int
        Of all patients' signs.
    random : Generator
        Draws them.

    Returns
    -------
    expected : float
        The statistic's mean under the null hypothesis.
    p : float, in (0, 1]
        How often it is as large as observed; 1 without any freedom.
    """
    at_once = max(1, CHUNK // len(parts))
    drawn = np.concatenate(
        [
            statistic((2.0 * random.integers(2, size=(min(at_once, draws - start), len(parts))) - 1) @ parts)
            for start in range(0, draws, at_once)
        ]
    )
    if freedom <= 0:
        return float(drawn.mean()), 1.0
    stretched = drawn * np.sqrt(freedom / random.chisquare(freedom, draws))
    observed = float(statistic(parts.sum(axis=0, keepdims=True))[0])
    # Sums of equal size in another order may differ in the last bit.
    reached = int((stretched >= observed * (1 - 1e-12)).sum())
    return float(drawn.mean()), (1 + reached) / (1 + draws)
