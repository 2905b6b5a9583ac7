"""What chance alone would show, where no sample of the null hypothesis can be drawn: patients multiplied at random.

Under a null hypothesis by which every patient's contribution to a statistic has a mean of 0, the contributions with
random signs are as likely as those that were seen, however alike the images of a patient are: the wild, or multiplier,
bootstrap of clusters (Cameron, A. C., Gelbach, J. B. and Miller, D. L., 2008, Bootstrap-Based Improvements for
Inference with Clustered Errors, Review of Economics and Statistics 90, 414-427; of scores: Kline, P. and Santos, A.,
2012, A Score Based Approach to Wild Bootstrap Inference, Journal of Econometric Methods 1, 23-41). Signs give the mean
that chance would show. A p-value is by normal multipliers, which do better where few patients contribute much, and
their sums are stretched as t is from a normal distribution, since with few patients the spread is itself uncertain.
"""

from collections.abc import Callable

import numpy as np

from bycase.statistics.bootstrap import CHUNK
from bycase.statistics.units import Floats

DRAWS = 2000  # of a test: p-values from 0.0005 up


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
        Of a multiplier for every patient.
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
    signed, drawn = [], []
    for start in range(0, draws, at_once):
        multipliers = random.normal(size=(min(at_once, draws - start), len(parts)))
        drawn.append(statistic(multipliers @ parts))
        signed.append(statistic(np.sign(multipliers) @ parts))
    expected = float(np.concatenate(signed).mean())
    if freedom <= 0:
        return expected, 1.0
    stretched = np.concatenate(drawn) * np.sqrt(freedom / random.chisquare(freedom, draws))
    observed = float(statistic(parts.sum(axis=0, keepdims=True))[0])
    return expected, (1 + int((stretched >= observed).sum())) / (1 + draws)
