"""`data/explain/`: each image's curves of deletion and insertion, and its similarities in the sanity check."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bycase.explain.deletion import SCORES
from bycase.explain.randomise import STEP_WORDS
from bycase.explain.sanity import SIMILARITIES
from bycase.statistics.units import Floats

RESULTS = Path("metrics/explain.json")
FOLDER = Path("data/explain")
DELETION, SANITY = "deletion.csv", "sanity.csv"

IMAGE = ("image", "group", "label", "explained")  # `explained`: the class called, whose maps these are


def tabulate_curves(part: pd.DataFrame, orders: Sequence[str], curves: Floats) -> pd.DataFrame:
    """One row an image, order and share of pixels.

    Parameters
    ----------
    part : DataFrame with the columns `IMAGE`
        The scored images.
    orders : sequence of str
        Methods and baselines.
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        Of `bycase.explain.deletion.score_orders`.

    Returns
    -------
    DataFrame with the columns `IMAGE`, ``order``, ``share`` and `SCORES`
    """
    shares = np.linspace(0, 1, curves.shape[-1])
    keys = _cross(part, "order", orders).merge(pd.DataFrame({"share": shares}), how="cross")
    flat = np.moveaxis(curves, 2, -1).reshape(-1, len(SCORES))
    return keys.assign(**dict(zip(SCORES, flat.T, strict=True)))


def tabulate_similarities(part: pd.DataFrame, similarities: Mapping[str, Floats]) -> pd.DataFrame:
    """One row an image, method and step of the cascade.

    Parameters
    ----------
    part : DataFrame with the columns `IMAGE`
        The scored images.
    similarities : mapping of str to ndarray of shape (n_images, n_steps, 2), float64
        Of `bycase.explain.sanity.compare_cascade`.

    Returns
    -------
    DataFrame with the columns `IMAGE`, ``method``, ``step``, ``layers`` and `SIMILARITIES`
        ``layers``: those that are random.
    """
    steps = pd.DataFrame({"step": range(len(STEP_WORDS)), "layers": STEP_WORDS})
    keys = _cross(part, "method", list(similarities)).merge(steps, how="cross")
    flat = np.concatenate([of.reshape(-1, len(SIMILARITIES)) for of in similarities.values()])
    return keys.assign(**dict(zip(SIMILARITIES, flat.T, strict=True)))


def mean_curves(orders: Sequence[str], curves: Floats) -> pd.DataFrame:
    """The table of ``plots/model/deletion.csv``: means over images by share of pixels.

    Parameters
    ----------
    orders, curves
        See `tabulate_curves`.

    Returns
    -------
    DataFrame with the columns ``share``, ``deletion_<order>`` and ``insertion_<order>``
    """
    means = curves.mean(axis=1)
    columns = {f"{score}_{order}": means[k, j] for j, score in enumerate(SCORES) for k, order in enumerate(orders)}
    return pd.DataFrame({"share": np.linspace(0, 1, curves.shape[-1]), **columns})


def _cross(part: pd.DataFrame, name: str, values: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: list(values)}).merge(part[list(IMAGE)], how="cross")[[*IMAGE, name]]
