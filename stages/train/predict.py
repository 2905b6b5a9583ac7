"""Restructured images through a whole network, a batch at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.restructure.pixels import read_pixels
from stages.train.network import class_probabilities

if TYPE_CHECKING:
    import keras


def predict_images(
    network: "keras.Model", images: Sequence[str], batch_size: int, label: str = "predict"
) -> NDArray[np.float64]:
    """Predict class probabilities of restructured images.

    Parameters
    ----------
    network : keras.Model
        From float RGB in [0, 255] to sigmoid or softmax outputs.
    images : sequence of str
        Paths below ``data/restructured``.
    batch_size : int
        Images in memory at a time.
    label : str
        Said beside the progress bar, which is drawn on a terminal only.

    Returns
    -------
    ndarray of shape (n_images, n_classes), float64
        Rows sum to 1; columns in the order of the network's card.
    """
    outputs = []
    with tqdm(total=len(images), desc=label, unit="image", disable=None, leave=False) as bar:
        for start in range(0, len(images), batch_size):
            pixels = read_pixels(images[start : start + batch_size])
            outputs.append(np.asarray(network.predict_on_batch(pixels.astype(np.float32))))
            bar.update(len(pixels))
    return class_probabilities(np.concatenate(outputs))
