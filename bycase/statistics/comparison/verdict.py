"""What a comparison says: better, worse, equivalent, or not resolvable with these patients."""

import math
from collections.abc import Sequence
from typing import Literal

from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

Verdict = Literal["better", "worse", "equivalent", "not resolvable"]

POWER = 0.8


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that none of a family is below alpha by chance, with probability 1 - alpha.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.
    """
    if not p_values:
        return []
    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def judge(difference: float, p: float, p_equivalence: float, alpha: float, lower_is_better: bool) -> Verdict:
    """The verdict on the first of two networks.

    A difference may be significant and within the margin: the word is then that of the difference.

    Parameters
    ----------
    difference : float
        The metric of the first network minus that of the second.
    p, p_equivalence : float
        P-values of no difference, and of one of the margin or more, each adjusted over all pairs: neither a false
        difference nor a false equivalence is claimed anywhere with more than probability `alpha`.
    alpha : float
        Below it a p-value counts.
    lower_is_better : bool
        Whether the metric is an error.
    """
    if p < alpha and difference != 0:
        return "better" if (difference < 0) == lower_is_better else "worse"
    return "equivalent" if p_equivalence < alpha else "not resolvable"


def patients_needed(se: float, n_patients: int, margin: float, alpha: float, pairs: int) -> dict[str, int]:
    """How many patients like these would settle a comparison, with a power of 80 %.

    From the observed standard error, which falls with the square root of the number of patients; so nothing is assumed
    of the networks, unlike in `stages.power`. Alpha is divided by the number of pairs, the strictest that Holm's
    procedure asks. Equivalence is by two one-sided tests (Chow, Shao and Wang, 2008, "Sample Size Calculations in
    Clinical Research", section 3.2).

    Parameters
    ----------
    se : float
        Of the difference, on `n_patients` patients.
    n_patients : int
        Patients at hand.
    margin : float
        The difference that matters.
    alpha : float
        Of the whole family of pairs.
    pairs : int
        Pairs that are compared.

    Returns
    -------
    dict
        ``difference``: patients by whom a true difference of `margin` would be found; ``equivalence``: by whom one of 0
        would be shown to be smaller than `margin`. Rounded up.
    """
    level = alpha / pairs
    spreads = {
        "difference": norm.isf(level / 2) + norm.isf(1 - POWER),
        "equivalence": norm.isf(level) + norm.isf((1 - POWER) / 2),
    }
    return {name: math.ceil(n_patients * (se * float(spread) / margin) ** 2) for name, spread in spreads.items()}
