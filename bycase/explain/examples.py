"""Which test images are scored, and which are shown; drawn at random, never by their maps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.core.seeding import generator
from bycase.statistics.units import Integers

OUTCOMES = (("true positive", 1, 1), ("false negative", 1, 0), ("false positive", 0, 1), ("true negative", 0, 0))


def in_random_order(patient: Integers, seed: int, purpose: str) -> Integers:
    """Positions of all images in random order, each patient's first before any patient's second.

    Parameters
    ----------
    patient : ndarray of shape (n_images,), int64
        Whose each image is.
    seed : int
        The pipeline's seed.
    purpose : str
        What for, so that two purposes do not draw the same.
    """
    order = generator(seed, "explain", purpose).permutation(len(patient))
    turn = pd.Series(patient[order]).groupby(patient[order]).cumcount()
    return order[np.argsort(turn.to_numpy(), kind="stable")]


def choose_scored(patient: Integers, images: int, seed: int) -> Integers:
    """Positions of `images` test images, or of all if there are fewer, from as many patients as possible; ascending."""
    return np.sort(in_random_order(patient, seed, "scored")[:images])


def choose_shown(
    test: pd.DataFrame, classes: Sequence[str], positive: str | None, each: int, seed: int
) -> dict[str, Integers]:
    """Positions of the images of each row of the figure, from as many patients as possible.

    Parameters
    ----------
    test : DataFrame with the columns ``truth``, ``called``, ``patient``
        See `bycase.explain.subset.call_classes`.
    classes : sequence of str
        Of two, the positive one last.
    positive : str or None
        Of two classes, the one that is looked for: rows are then the four outcomes, else the classes.
    each : int
        Images of each row; of a class up to a third of them wrong ones, as far as there are enough right ones.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict of str to ndarray of int64
        By the row's heading, which says how many images it was drawn from.
    """
    truth, called, patient = (test[column].to_numpy(np.int64) for column in ("truth", "called", "patient"))
    rows = {}
    if positive is not None:
        for name, true, said in OUTCOMES:
            of = np.flatnonzero((truth == true) & (called == said))
            drawn = of[in_random_order(patient[of], seed, name)[:each]]
            rows[f"{name}: {len(drawn)} of {len(of)} images"] = drawn
        return rows
    for number, name in enumerate(classes):
        of = np.flatnonzero(truth == number)
        of = of[in_random_order(patient[of], seed, name)]
        right, wrong = of[called[of] == number], of[called[of] != number]
        n_wrong = min(len(wrong), max(-(-each // 3), each - len(right)))
        heading = f"truly {name.replace('_', ' ')}: {len(right)} of {len(of)} images right"
        rows[heading] = np.concatenate([right[: each - n_wrong], wrong[:n_wrong]])
    return rows
