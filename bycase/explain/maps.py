"""Images in, heatmaps out: Grad-CAM and Grad-CAM++ of a class, and the attention of `mresnet`, of no class.

Attention is what the squeeze-and-excitation gates let through, wherever it is: the feature map of the last block, its
channels weighed by the gates (Hu, Shen, Sun 2017, Squeeze-and-excitation networks, CVPR 2018, arXiv:1709.01507),
summed over channels as absolute values (Zagoruyko, Komodakis 2017, Paying more attention to attention, ICLR,
arXiv:1612.03928, F_sum).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.explain.grad_cam import (
    GRAD_CAM,
    METHOD_WORDS,
    METHODS,
    ClassIndex,
    Floats32,
    check_method,
    class_maps,
    score_gradients,
)
from bycase.explain.layers import halve
from bycase.networks.forward import forward

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 16
ATTENTION = "attention"
MAP_WORDS = {**METHOD_WORDS, ATTENTION: "attention"}
GATE = "_se_gate"  # the layer of a gate ends so; what it weighs is the output of the same name without "_gate"

Explain = Callable[[NDArray[Any], ClassIndex], Floats32]
ExplainAll = Callable[[NDArray[Any], ClassIndex], dict[str, Floats32]]


def explain_images(
    network: "keras.Model",
    images: NDArray[Any],
    class_index: ClassIndex = None,
    method: str = GRAD_CAM,
    batch_size: int = BATCH_SIZE,
) -> Floats32:
    """Map how much every pixel speaks for a class; for many calls `make_explainer` is faster.

    Parameters
    ----------
    network : keras.Model
        Of ``models/model.keras``.
    images : ndarray of shape (n, height, width, 3)
        RGB in [0, 255], of the network's size.
    class_index : int, ndarray of shape (n,) or None
        Of all images or of each, in the order of ``models/model.json``; None: each image's most probable class.
    method : {'grad_cam', 'grad_cam_plus_plus'}
        See `bycase.explain.grad_cam`.
    batch_size : int
        Images at a time.

    Returns
    -------
    ndarray of shape (n, height, width), float32, in [0, 1]
        1 at each image's strongest place; all 0 where no place speaks for the class.

    Raises
    ------
    UserError
        If there is no such method or class, or the network has no map to look at.
    """
    return make_explainer(network, method, batch_size)(images, class_index)


def make_explainer(network: "keras.Model", method: str = GRAD_CAM, batch_size: int = BATCH_SIZE) -> Explain:
    """`explain_images` of one network and method, a function of images and class indices."""
    check_method(method)
    explain_all = make_explainers(network, (method,), batch_size)

    def explain(images: NDArray[Any], class_index: ClassIndex = None) -> Floats32:
        return explain_all(images, class_index)[method]

    return explain


def make_explainers(
    network: "keras.Model", methods: tuple[str, ...] = METHODS, batch_size: int = BATCH_SIZE
) -> ExplainAll:
    """`make_explainer` of several methods at the price of one; a dict by method. Changes of weights are followed."""
    halves = halve(network)

    def explain(images: NDArray[Any], class_index: ClassIndex = None) -> dict[str, Floats32]:
        batches = {method: [np.zeros((0, *images.shape[1:3]), np.float32)] for method in methods}
        for rows, batch in each_batch(images, batch_size):
            chosen = class_index[rows] if isinstance(class_index, np.ndarray) else class_index
            maps = forward(halves.body, batch, batch_size)
            gradients = score_gradients(halves, maps, chosen)
            for method in methods:
                batches[method].append(to_heatmaps(class_maps(maps, gradients, method), images.shape[1:3]))
        return {method: np.concatenate(heatmaps) for method, heatmaps in batches.items()}

    return explain


def find_gates(network: "keras.Model") -> list[str]:
    """The names of the gates' layers from the input up; empty where the network has none."""
    return [layer.name for layer in network.layers if layer.name.endswith(GATE)]


def make_attention(network: "keras.Model", batch_size: int = BATCH_SIZE) -> Callable[[NDArray[Any]], Floats32]:
    """A function from images to what the gates of the last block let through; it follows later changes of weights.

    Returns
    -------
    callable
        From RGB (n, height, width, 3) in [0, 255] to (n, height, width), float32, from the least (0) to the most (1) of
        each image.

    Raises
    ------
    UserError
        If the network has no gates, see `find_gates`.
    """
    import keras

    gates = find_gates(network)
    if not gates:
        raise UserError(f"network {network.name} has no squeeze-and-excitation gates to show; mresnet has")
    body = keras.Model(network.input, network.get_layer(gates[-1].removesuffix("_gate")).output)

    def attend(images: NDArray[Any]) -> Floats32:
        heatmaps = [np.zeros((0, *images.shape[1:3]), np.float32)]
        for _, batch in each_batch(images, batch_size):
            let_through = np.abs(forward(body, batch, batch_size)).sum(axis=-1)
            wide = to_heatmaps(let_through, images.shape[1:3])
            heatmaps.append(highest_to_1(wide - wide.min(axis=(1, 2), keepdims=True)))
        return np.concatenate(heatmaps)

    return attend


def make_every_map(network: "keras.Model", batch_size: int) -> ExplainAll:
    """`make_explainers` of Grad-CAM and Grad-CAM++, and the attention of a network that has gates."""
    explain = make_explainers(network, METHODS, batch_size)
    if not find_gates(network):
        return explain
    attend = make_attention(network, batch_size)
    return lambda images, explained: {**explain(images, explained), ATTENTION: attend(images)}


def each_batch(images: NDArray[Any], batch_size: int) -> Iterator[tuple[slice, Floats32]]:
    """Yield where each batch of images is, and the batch, float32."""
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        yield rows, images[rows].astype(np.float32)


def to_heatmaps(maps: Floats32, size: tuple[int, ...]) -> Floats32:
    """Bring maps of 0 or more, (n, rows, columns), to the images' height and width and their highest value to 1.

    Gives (n, height, width), float32, in [0, 1]: bilinear in between, all 0 where a map is.
    """
    height, width = size
    wide = np.zeros((len(maps), height, width), np.float32)
    for number, each in enumerate(highest_to_1(maps)):
        wide[number] = cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(highest_to_1(wide), 0, 1)


def highest_to_1(maps: Floats32) -> Floats32:
    """Divide each of n maps of 0 or more, (n, rows, columns), by its highest value; those of 0 alone stay."""
    highest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)
