"""Whether maps change when the network forgets what it has learned.

Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018), Sanity checks for saliency maps, NeurIPS, arXiv:1810.03292:
cascading randomisation, weights from the top down. The layers of the backbone go in a few groups, since some networks
have hundreds.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bycase.core.seeding import generator
from bycase.core.wording import hundredths, interval
from bycase.explain.grad_cam import Floats32
from bycase.explain.maps import make_every_map
from bycase.networks.repeated import HEAD
from bycase.statistics.units import Floats, Integers

if TYPE_CHECKING:
    import keras

GROUPS = 5
WINDOW = 11  # pixels, of the structural similarity
STEP_WORDS = ("trained", "head", *(f"top {100 * number // GROUPS} %" for number in range(1, GROUPS)), "all layers")
RANKS, SSIM = "rank_correlation", "ssim"
SIMILARITIES = (RANKS, SSIM)
# From here up, at the end of the cascade, maps are taken to stay as they were.
ALIKE = 0.5


def group_layers(network: "keras.Model") -> list[list["keras.layers.Layer"]]:
    """List the layers with learned weights: the head's, then the backbone's in `GROUPS` groups from the top down.

    Of a network of `bycase.networks.head.join`; what only holds the mean and variance of the input is in no group.
    """
    backbone = [layer for layer in network.layers if layer.name != HEAD and _learns(layer)]
    edges = np.linspace(0, len(backbone), GROUPS + 1).round().astype(int)
    from_top = backbone[::-1]
    head = [layer for layer in network.get_layer(HEAD).layers if _learns(layer)]
    return [head, *(from_top[start:end] for start, end in pairwise(edges))]


def _learns(layer: "keras.layers.Layer") -> bool:
    import keras

    return bool(layer.weights) and not isinstance(layer, keras.layers.Normalization)


def randomise(layers: Sequence["keras.layers.Layer"], seed: int, draw: int) -> None:
    """Give layers the weights with which training from scratch would begin; in place.

    Kernels are drawn as He, Zhang, Ren, Sun (2015, arXiv:1502.01852) propose, biases are 0, and batch norm leaves its
    input as it is; `draw` is the number of the random network.
    """
    for layer in layers:
        random = generator(seed, "explain", "randomise", draw, layer.name)
        layer.set_weights([_start(layer, weight, random) for weight in layer.weights])


def _start(layer: "keras.layers.Layer", weight: Any, random: np.random.Generator) -> np.ndarray:
    import keras

    if weight.name == "kernel":
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        inputs = math.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
        return random.normal(0, math.sqrt(2 / inputs), weight.shape)
    return np.full(weight.shape, weight.name in ("gamma", "moving_variance"), np.float32)


def compare_cascade(
    network: "keras.Model",
    images: NDArray[np.uint8],
    explained: Integers,
    shown: int,
    randomisations: int,
    batch_size: int,
    seed: int,
) -> tuple[dict[str, Floats], dict[str, Floats32]]:
    """Compare each image's maps with those of networks whose weights become random from the top down.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`; left as it is.
    images : ndarray of shape (n, height, width, 3), uint8
        RGB.
    explained : ndarray of shape (n,), int64
        The class that maps are of.
    shown : int
        Images whose maps are returned: the first ones.
    randomisations : int
        Random networks that similarities are averaged over.
    batch_size : int
        Images at a time.

    Returns
    -------
    similarities : dict of str to ndarray of shape (n, n_steps, 2), float64
        By method; steps as in `STEP_WORDS`, the first 1, then `SIMILARITIES`.
    maps : dict of str to ndarray of shape (n_steps, shown, height, width), float32
        By method, of the first random network.
    """
    import keras

    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    explain, groups = make_every_map(copy, batch_size), group_layers(copy)
    trained = explain(images, explained)
    shape = len(images), len(STEP_WORDS), len(SIMILARITIES)
    similarities: dict[str, Floats] = {method: np.zeros(shape) for method in trained}
    kept = {method: [heatmaps[:shown]] for method, heatmaps in trained.items()}
    for draw in range(randomisations):
        copy.set_weights(network.get_weights())
        for step, layers in enumerate(groups, 1):
            randomise(layers, seed, draw)
            for method, heatmaps in explain(images, explained).items():
                similarities[method][:, step] += compare_maps(trained[method], heatmaps) / randomisations
                if draw == 0:
                    kept[method].append(heatmaps[:shown])
    for values in similarities.values():
        values[:, 0] = 1
    return similarities, {method: np.stack(steps) for method, steps in kept.items()}


def compare_maps(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """Similarities of the heatmaps of the same images.

    Parameters
    ----------
    one, other : ndarray of shape (n, height, width), in [0, 1]
        Of 11 pixels or more either way; `one` by the trained network.

    Returns
    -------
    ndarray of shape (n, 2), float64, in [-1, 1]
        By `SIMILARITIES`: Spearman's rank correlation over pixels, and the structural similarity of Wang, Bovik,
        Sheikh, Simoncelli (2004, IEEE Transactions on Image Processing 13(4)). A map of the trained network that is
        the same everywhere has no ranks and shows nothing: its correlation counts as 1, that it might not pass for
        one that changes. If only the other is so, it is 0.
    """
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (one, other)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    flat = (a == 0).all(axis=1).astype(np.float64)
    correlation = np.divide((a * b).sum(axis=1), norms, out=flat, where=norms > 0)
    structure = [structural_similarity(*pair) for pair in zip(one, other, strict=True)]
    return np.column_stack([correlation, structure])


def structural_similarity(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Mean structural similarity of two maps (height, width) in [0, 1], with the constants and window of the paper.

    A Gaussian of 11 pixels and a standard deviation of 1.5, only where it lies inside the maps.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    edge = WINDOW // 2

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.GaussianBlur(values, (WINDOW, WINDOW), 1.5)[edge:-edge, edge:-edge].astype(np.float64)

    mean_a, mean_b = mean(a), mean(b)
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * product + 0.01**2) / (squares + 0.01**2)
    rest = (2 * (mean(a * b) - product) + 0.03**2) / (mean(a**2 + b**2) - squares + 0.03**2)
    return float((luminance * rest).mean())


def compare_others(maps: NDArray[Any], patient: Integers) -> Floats:
    """The rank correlation (n,) of each map (n, height, width) with that of another patient's image, if there is one.

    It shows how alike maps are whatever is in the image, such as by their common centre; `patient` is (n,), int64.
    """
    n = len(maps)
    partner = np.array(
        [next((k % n for k in range(i + 1, i + n) if patient[k % n] != patient[i]), i) for i in range(n)]
    )
    return compare_maps(maps, maps[partner])[:, SIMILARITIES.index(RANKS)]


def find_empty(maps: NDArray[Any]) -> Floats:
    """1 where a heatmap (n, height, width) is 0 everywhere, else 0."""
    return np.array([not heatmap.any() for heatmap in maps], np.float64)


def judge(result: Mapping[str, Any]) -> str:
    """What a method's entry of ``sanity`` in ``metrics/explain.json`` says about its maps, in words."""
    number = f"rank correlation {result[RANKS]:.2f}, 95 % CI {interval(result['ci'][RANKS], hundredths)}"
    if result["passed"]:
        return f"passed: maps change when the network forgets what it learned ({number})"
    if result[RANKS] < ALIKE:
        return f"not settled: maps change when the network forgets what it learned, but perhaps too little ({number})"
    return f"FAILED: maps do NOT change when the network forgets what it learned ({number})"
