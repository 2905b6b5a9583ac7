"""Test-time augmentation: the same image turned and mirrored, which changes no diagnosis of tissue or skin."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bycase.networks.forward import Forward
from bycase.networks.predict import predict_images


def turn(images: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """One of the eight symmetries of the square.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB.
    number : int, in [0, 8)
        0 to 3: so many quarter turns; 4 to 7: the mirror images of these.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
    """
    turned = np.rot90(images, number % 4, axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if number >= 4 else turned)


def predict_views(
    forward: Forward, images: Sequence[str], plain: NDArray[np.float64], views: int, batch_size: int
) -> NDArray[np.float64]:
    """Predict every image in the first `views` symmetries, of which the first is the image as it is.

    Parameters
    ----------
    forward : callable
        The network's; see `bycase.networks.forward`.
    images : sequence of str
        Paths below ``data/preprocessed``.
    plain : ndarray of shape (n_images, n_classes), float64
        Predictions of the images as they are.
    views : int, in [2, 8]
        How many.
    batch_size : int
        Images in memory at a time.

    Returns
    -------
    ndarray of shape (views, n_images, n_classes), float64
        Rows of classes sum to 1.
    """

    def predict(number: int) -> NDArray[np.float64]:
        return predict_images(lambda batch: forward(turn(batch, number)), images, batch_size, f"view {number}")

    return np.stack([plain, *(predict(number) for number in range(1, views))])
