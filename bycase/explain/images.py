"""Images in, heatmaps out."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bycase.explain.grad_cam import GRAD_CAM, METHODS, ClassIndex, Floats32, check_method, class_maps, score_gradients
from bycase.explain.layers import halve
from bycase.networks.forward import forward

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 16

Explain = Callable[[NDArray[Any], ClassIndex], Floats32]
ExplainAll = Callable[[NDArray[Any], ClassIndex], dict[str, Floats32]]


def explain_images(
    network: "keras.Model",
    images: NDArray[Any],
    class_index: ClassIndex = None,
    method: str = GRAD_CAM,
    batch_size: int = BATCH_SIZE,
) -> Floats32:
    """Say of every pixel how much it speaks for a class; for many calls `make_explainer` is faster.

    Parameters
    ----------
    network : keras.Model
        Of ``models/model.keras``.
    images : ndarray of shape (n, height, width, 3)
        RGB in [0, 255], of the network's size.
    class_index : int, ndarray of shape (n,) or None
        Of all images or of each, in the order of the network's card; None: each image's most probable class.
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
    """`explain_images` of one network and method, to be called with images and class indices again and again."""
    check_method(method)
    of_all = make_explainers(network, (method,), batch_size)

    def explain(images: NDArray[Any], class_index: ClassIndex = None) -> Floats32:
        return of_all(images, class_index)[method]

    return explain


def make_explainers(
    network: "keras.Model", methods: tuple[str, ...] = METHODS, batch_size: int = BATCH_SIZE
) -> ExplainAll:
    """The same by several methods at the price of one; a dict by method. Later changes of the weights are followed."""
    halves = halve(network)

    def explain(images: NDArray[Any], class_index: ClassIndex = None) -> dict[str, Floats32]:
        found = {method: [np.zeros((0, *images.shape[1:3]), np.float32)] for method in methods}
        for rows, batch in each_batch(images, batch_size):
            chosen = class_index[rows] if isinstance(class_index, np.ndarray) else class_index
            maps = forward(halves.body, batch, batch_size)
            gradients = score_gradients(halves, maps, chosen)
            for method in methods:
                found[method].append(to_heatmaps(class_maps(maps, gradients, method), images.shape[1:3]))
        return {method: np.concatenate(of) for method, of in found.items()}

    return explain


def each_batch(images: NDArray[Any], batch_size: int) -> Iterator[tuple[slice, Floats32]]:
    """Yield where each batch of images is, and the batch, float32."""
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        yield rows, images[rows].astype(np.float32)


def to_heatmaps(maps: Floats32, size: tuple[int, ...]) -> Floats32:
    """Bring maps to the size of the images and their highest value to 1.

    Parameters
    ----------
    maps : ndarray of shape (n, rows, columns), float32
        0 or more.
    size : tuple of int
        Height and width.

    Returns
    -------
    ndarray of shape (n, height, width), float32, in [0, 1]
        Bilinear in between; all 0 where a map is.
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
