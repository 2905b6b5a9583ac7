"""The verdict of a comparison: better, worse, equivalent, or not resolvable with these patients."""

import math
from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
from scipy.stats import norm

Verdict = Literal["better", "worse", "equivalent", "not resolvable"]

POWER = 0.8
REVERSED: dict[str, Verdict] = {"better": "worse", "worse": "better"}  # seen from the other network


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that none of a family is below alpha by chance, with probability 1 - alpha.

    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.
    """
    raw = np.asarray(p_values, np.float64)
    order, n = np.argsort(raw, kind="stable"), len(raw)
    adjusted = np.empty(n)
    # statsmodels' multipletests gives the same, but clears the garbage of the whole process at each call.
    adjusted[order] = np.minimum(np.maximum.accumulate((n - np.arange(n)) * raw[order]), 1)
    return [float(p) for p in adjusted]


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


def patients_needed(
    se: float, n_patients: int, margin: float, alpha: float, pairs: int, fewest: int | None = None
) -> dict[str, int]:
    """How many patients like these would settle a comparison, with a power of 80 %.

    From the observed standard error, which falls with the square root of the number of patients; unlike in
    `bycase.statistics.power`, nothing is assumed about the networks. Of networks whose difference does not vary between
    patients it says nothing; there a test counts how many patients all speak for the same difference
    (`bycase.statistics.comparison.differences.p_at_most`), and its bound is solved for their number. Alpha is divided
    by the number of pairs, Holm's strictest level. Equivalence is by two one-sided tests (Chow, Shao and Wang, 2008,
    "Sample Size Calculations in Clinical Research", section 3.2).

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
    fewest : int, optional
        Where the difference does not vary: how many of the patients are of the rarest class that it rests on.

    Returns
    -------
    dict
        ``difference``: patients by whom a true difference of `margin` would be found; ``equivalence``: by whom one of 0
        would be shown to be smaller than `margin`. Rounded up.
    """
    level = alpha / pairs
    if fewest is not None:
        levels = {"difference": level / 2, "equivalence": level}
        wanted = {name: math.ceil(math.log(p) / math.log(1 - margin)) for name, p in levels.items()}
        return {name: math.ceil(n_patients * number / fewest) for name, number in wanted.items()}
    spreads = {
        "difference": norm.isf(level / 2) + norm.isf(1 - POWER),
        "equivalence": norm.isf(level) + norm.isf((1 - POWER) / 2),
    }
    return {name: math.ceil(n_patients * (se * float(spread) / margin) ** 2) for name, spread in spreads.items()}


def indistinguishable_groups(models: Sequence[str], different: Collection[frozenset[str]]) -> list[list[str]]:
    """The largest groups without a significant difference, each network in at least one.

    Not being told apart is not transitive: two networks may each be in a group with a third, but not with each other.

    Parameters
    ----------
    models : sequence of str
        All networks, best first.
    different : collection of frozenset of two str
        The pairs that differ significantly.

    Returns
    -------
    list of list of str
        In the order of `models`; no group is part of another.
    """
    groups: list[list[str]] = [[]]
    for model in models:
        extended = [
            [*(other for other in group if frozenset((model, other)) not in different), model] for group in groups
        ]
        groups = _largest([*groups, *extended])
    return sorted(groups, key=lambda group: [models.index(model) for model in group])


def _largest(groups: list[list[str]]) -> list[list[str]]:
    """Each group once, without those that are part of another."""
    distinct = {frozenset(group): group for group in groups}
    return [group for members, group in distinct.items() if not any(members < other for other in distinct)]
