"""Which group goes to which part, so that every part looks like the whole.

A greedy assignment followed by single moves, on the counts of images by class and subtype and of groups by
class; scikit-learn's `StratifiedGroupKFold` follows the same idea for parts of equal size and without subtypes.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.core.seeding import generator

# Random orders tried, the most balanced result of which is kept: many where groups are few and balance is
# hard, one where they are thousands and it comes by itself.
ATTEMPTS = 40
GROUPS_TRIED = 8000

# How much a class' images and groups weigh against one subtype's images.
CLASS_WEIGHT = 4


def assign_groups(
    frame: pd.DataFrame, shares: dict[str, float], seed: int, key: str, named: str | None = None
) -> pd.Series:
    """Give every image a part; images of one group share it.

    Parameters
    ----------
    frame : DataFrame with the columns ``label``, ``subtype`` and `key`
        One row an image.
    shares : dict
        Subset to its wanted share of the images; the shares sum to 1.
    seed : int
        Decides among the many splits that are about as balanced.
    key : str
        The column of groups.
    named : str, optional
        What messages call a group; `key` where left out.

    Returns
    -------
    Series of str, with the index of `frame`
        Each image's part.

    Raises
    ------
    UserError
        If a class has fewer groups than there are parts, or no assignment gives every part every class.
    """
    named = named or key
    for label, groups in frame.groupby("label")[key].nunique().items():
        if groups < len(shares):
            raise UserError(
                f"class {label} has {groups} {named}s, fewer than the {len(shares)} parts {', '.join(shares)}: "
                "add data, widen split.magnifications, or choose a finer split.group"
            )
    groups_of, counts, of_class = _count(frame, key)
    wanted = np.array(list(shares.values()))
    best, best_cost = None, np.inf
    for attempt in range(ATTEMPTS):
        if best is not None and attempt * len(groups_of) >= GROUPS_TRIED:
            break
        part, cost = _assign(counts, wanted, generator(seed, "split", attempt))
        every_class = all((of_class[part == p].sum(axis=0) > 0).all() for p in range(len(wanted)))
        if every_class and cost < best_cost:
            best, best_cost = part, cost
    if best is not None:
        names = np.array(list(shares))
        return frame[key].map(dict(zip(groups_of, names[best], strict=True)))
    raise UserError(
        f"no split by {named} gives each of {', '.join(shares)} every class; "
        "change split.validation, split.test or split.group"
    )


def _count(frame: pd.DataFrame, key: str) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Groups, their share of every stratum (n_groups, n_strata), and of which classes they are."""
    by_subtype = pd.crosstab(frame[key], frame["label"] + "/" + frame["subtype"])
    by_class = pd.crosstab(frame[key], frame["label"])
    of_class = by_class.gt(0).to_numpy(float)
    strata = [by_subtype.to_numpy(float), *[by_class.to_numpy(float), of_class] * CLASS_WEIGHT]
    counts = np.hstack(strata)
    return by_subtype.index.tolist(), counts / counts.sum(axis=0), of_class


def _assign(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], random: np.random.Generator
) -> tuple[NDArray[np.int64], float]:
    """Assign groups in random order, each where it is missed most, then move single groups while that helps.

    Returns each group's part and the cost: the squared difference of every part's share of every
    stratum to the wanted one, in units of the wanted one, summed.
    """
    filled = np.zeros((len(wanted), counts.shape[1]))
    part = np.full(len(counts), -1)
    for group in random.permutation(len(counts)):
        part[group] = _cost_of_adding(filled, counts[group], wanted).argmin()
        filled[part[group]] += counts[group]
    moved = True
    while moved:
        moved = False
        for group in random.permutation(len(counts)):
            old = part[group]
            filled[old] -= counts[group]
            cost = _cost_of_adding(filled, counts[group], wanted)
            # The margin keeps rounding from moving a group to and fro for ever.
            new = int(cost.argmin()) if cost.min() < cost[old] - 1e-9 else old
            filled[new] += counts[group]
            part[group] = new
            moved |= bool(new != old)
    return part, float((((filled - wanted[:, None]) ** 2) / wanted[:, None]).sum())


def _cost_of_adding(
    filled: NDArray[np.float64], count: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much the cost grows if a group with `count` (n_strata,) is added to each part; (n_parts,)."""
    lacking = wanted[:, None] - filled
    growth: NDArray[np.float64] = (count * (count - 2 * lacking)).sum(axis=1) / wanted
    return growth
