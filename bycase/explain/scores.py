"""Everything that is measured of the maps of one network, and its means in `metrics/explain.json`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.params_training import ExplainParams
from bycase.explain.deletion import CENTRE, RANDOM, SCORES, area, centre_maps, random_maps, rank_pixels, score_orders
from bycase.explain.grad_cam import GRAD_CAM, GRAD_CAM_PLUS_PLUS, Floats32
from bycase.explain.layers import halve
from bycase.explain.maps import make_every_map
from bycase.explain.sanity import ALIKE, RANKS, SIMILARITIES, compare_cascade, compare_others, find_empty
from bycase.networks.forward import frozen_forward
from bycase.statistics.comparison.differences import confidence_interval, influence_difference
from bycase.statistics.influence import mean_influence
from bycase.statistics.intervals import mean_interval
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
    part : DataFrame of n rows with the columns ``image``, ``predicted``
        The scored images; see `bycase.explain.examples.predict_classes`.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    patient : ndarray of shape (n,), int64
        Whose each image is.
    settings : ExplainParams
        How much of each.
    batch_size : int
        Images at a time.
    """
    explained = part["predicted"].to_numpy(np.int64)
    heatmaps = make_every_map(network, batch_size)(images, explained)
    size = images.shape[1], images.shape[2]
    rows, columns = halve(network).body.output_shape[1:3]
    by_chance = random_maps(part["image"].tolist(), (rows, columns), size, seed)
    ordered = {**heatmaps, RANDOM: by_chance, CENTRE: centre_maps(len(images), size)}
    ranks = [rank_pixels(heatmap, by_chance) for heatmap in ordered.values()]
    forward = frozen_forward(network, batch_size)
    curves = score_orders(forward, images, explained, ranks, settings.steps, batch_size)
    similarities, cascades = compare_cascade(
        network, images, explained, SHOWN, settings.randomisations, batch_size, seed
    )
    others = {method: compare_others(maps, patient) for method, maps in heatmaps.items()}
    empty = {method: find_empty(maps) for method, maps in heatmaps.items()}
    return Scores(list(ordered), curves, similarities, others, empty, cascades)


def summarise(scores: Scores, patient: Integers) -> dict[str, Any]:
    """Average over images, with 95 % intervals by patient.

    Parameters
    ----------
    scores : Scores
        What is measured, by image.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.

    Returns
    -------
    dict
        ``scores``: by order the mean areas under the curves, ``deletion`` (low is good) and ``insertion`` (high is
        good). ``difference``: the same of pairs, ``<one>_minus_<other>``, on the same images. ``sanity``: by method
        ``rank_correlation`` and ``ssim`` with the maps of random networks; ``other_images``, the rank correlation with
        other patients' maps; ``empty``, the share of maps in which nothing speaks for the class; and ``passed``: 1
        where the rank correlation's upper limit is below 0.5. ``n`` (images), ``n_patients``. All leaves are numbers;
        ``ci`` are intervals.
    """
    areas = dict(zip(scores.orders, area(scores.curves), strict=True))
    methods = [order for order in scores.orders if order not in (RANDOM, CENTRE)]
    pairs = [(method, baseline) for method in methods for baseline in (RANDOM, CENTRE)]
    pairs += [(GRAD_CAM_PLUS_PLUS, GRAD_CAM)]
    sanity = {
        method: np.column_stack([steps[:, -1], scores.others[method]]) for method, steps in scores.similarities.items()
    }
    content: dict[str, Any] = {
        "scores": {order: _describe(SCORES, values, patient, mean_interval) for order, values in areas.items()},
        "difference": {
            f"{one}_minus_{other}": _describe(SCORES, areas[one] - areas[other], patient, _difference_interval)
            for one, other in pairs
        },
        "sanity": {
            method: _describe((*SIMILARITIES, "other_images"), values, patient, correlation_interval)
            for method, values in sanity.items()
        },
    }
    for method, result in content["sanity"].items():
        result["empty"] = float(scores.empty[method].mean())
        result["passed"] = int(result["ci"][RANKS]["high"] < ALIKE)
    return {**content, "n": len(patient), "n_patients": int(patient.max()) + 1}


def correlation_interval(values: Floats, patient: Integers) -> dict[str, float]:
    """The 95 % interval of a mean over images, from -1 to 1."""
    return mean_interval(values, patient, (-1.0, 1.0))


def _difference_interval(values: Floats, patient: Integers) -> dict[str, float]:
    influence = mean_influence(values, np.ones(len(values), bool), patient)
    return confidence_interval(influence_difference(influence))


def _describe(
    names: Sequence[str],
    values: Floats,
    patient: Integers,
    find_interval: Callable[[Floats, Integers], dict[str, float]],
) -> dict[str, Any]:
    means = dict(zip(names, values.mean(axis=0).tolist(), strict=True))
    return {**means, "ci": {name: find_interval(values[:, k], patient) for k, name in enumerate(means)}}
