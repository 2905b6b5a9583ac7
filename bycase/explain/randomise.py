"""Networks whose weights become random from the top down.

Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018), Sanity checks for saliency maps, NeurIPS, arXiv:1810.03292:
cascading randomisation. The layers of the backbone go in a few groups, since some networks have hundreds.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bycase.core.seeding import generator
from bycase.networks.repeated import HEAD

if TYPE_CHECKING:
    import keras

GROUPS = 5
STEP_WORDS = ("trained", "head", *(f"top {100 * number // GROUPS} %" for number in range(1, GROUPS)), "all layers")


def group_layers(network: "keras.Model") -> list[list["keras.layers.Layer"]]:
    """The layers with learned weights: the head's, then the backbone's in `GROUPS` groups from the top down.

    Parameters
    ----------
    network : keras.Model
        Of `bycase.networks.head.join`.

    Returns
    -------
    list of 1 + GROUPS lists of keras.layers.Layer
        What only holds the mean and variance of the input is in none.
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
    input as it is.

    Parameters
    ----------
    layers : sequence of keras.layers.Layer
        Of `group_layers`.
    seed : int
        The pipeline's seed.
    draw : int
        Which of several networks.
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
