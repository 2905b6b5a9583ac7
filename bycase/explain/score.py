"""Everything that is measured of the maps of one network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.params_training import ExplainParams
from bycase.explain.deletion import CENTRE, RANDOM, centre_maps, random_maps, rank_pixels, score_orders
from bycase.explain.every_map import make_every_map
from bycase.explain.grad_cam import Floats32
from bycase.explain.layers import halve
from bycase.explain.sanity import compare_cascade, compare_others, find_empty
from bycase.networks.forward import frozen_forward
from bycase.statistics.units import Floats, Integers

if TYPE_CHECKING:
    import keras

SHOWN = 3  # images in the figure of the sanity check


@dataclass(frozen=True)
class Scores:
    """What is measured, by image.

    Attributes
    ----------
    orders : list of str
        Methods, then 'random' and 'centre'.
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        See `bycase.explain.deletion.score_orders`.
    similarities : dict of str to ndarray of shape (n_images, n_steps, 2), float64
        See `bycase.explain.sanity.compare_cascade`.
    others : dict of str to ndarray of shape (n_images,), float64
        See `bycase.explain.sanity.compare_others`.
    empty : dict of str to ndarray of shape (n_images,), float64
        1 where nothing speaks for the class.
    cascades : dict of str to ndarray of shape (n_steps, n_shown, height, width), float32
        Maps of the first images as weights become random.
    """

    orders: list[str]
    curves: Floats
    similarities: dict[str, Floats]
    others: dict[str, Floats]
    empty: dict[str, Floats]
    cascades: dict[str, Floats32]


def score_maps(
    network: "keras.Model",
    part: pd.DataFrame,
    images: NDArray[np.uint8],
    patient: Integers,
    settings: ExplainParams,
    batch_size: int,
    seed: int,
) -> Scores:
    """Delete and insert pixels in the order of every map, and make the weights random.

    Parameters
    ----------
    network : keras.Model
        Of ``models/model.keras``.
    part : DataFrame of n rows with the columns ``image``, ``called``
        The scored images; see `bycase.explain.subset.call_classes`.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    patient : ndarray of shape (n,), int64
        Whose each image is.
    settings : ExplainParams
        How much of each.
    batch_size : int
        Images at a time.
    seed : int
        The pipeline's seed.
    """
    explained = part["called"].to_numpy(np.int64)
    heatmaps = make_every_map(network, batch_size)(images, explained)
    size = images.shape[1], images.shape[2]
    rows, columns = halve(network).body.output_shape[1:3]
    by_chance = random_maps(part["image"].tolist(), (rows, columns), size, seed)
    ordered = {**heatmaps, RANDOM: by_chance, CENTRE: centre_maps(len(images), size)}
    ranks = [rank_pixels(of, by_chance) for of in ordered.values()]
    forward = frozen_forward(network, batch_size)
    curves = score_orders(forward, images, explained, ranks, settings.steps, batch_size)
    similarities, cascades = compare_cascade(
        network, images, explained, SHOWN, settings.randomisations, batch_size, seed
    )
    others = {method: compare_others(of, patient) for method, of in heatmaps.items()}
    empty = {method: find_empty(of) for method, of in heatmaps.items()}
    return Scores(list(ordered), curves, similarities, others, empty, cascades)
