"""Images or cached features through a network, a batch at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.core.parallel import map_in_threads
from bycase.images.pixels import read_pixels
from bycase.networks.forward import Forward

Read = Callable[[list[str]], NDArray[Any]]


def predict_images(
    forward: Forward, images: Sequence[str], batch_size: int, label: str = "predict", read: Read = read_pixels
) -> NDArray[np.float64]:
    """Predict class probabilities of restructured images.

    Parameters
    ----------
    forward : callable
        A network's, see `bycase.networks.forward`: from float RGB in [0, 255] to sigmoid or softmax outputs.
    images : sequence of str
        Paths below ``data/restructured``.
    batch_size : int
        Images in memory at a time.
    label : str
        Said beside the progress bar, which is drawn on a terminal only.
    read : callable
        Paths of images to the network's inputs, by default their pixels; see `bycase.networks.imported.input_reader`.

    Returns
    -------
    ndarray of shape (n_images, n_classes), float64
        Rows sum to 1; columns in the order of ``models/model.json``.
    """
    return class_probabilities(run_images(forward, images, batch_size, label, read))


def run_images(
    forward: Forward, images: Sequence[str], batch_size: int, label: str, read: Read = read_pixels
) -> NDArray[np.float32]:
    """The outputs of any network for images, (n_images, n_outputs); see `predict_images`."""
    rows = np.arange(len(images))
    return run_rows(forward, lambda chosen: read([images[row] for row in chosen]), rows, batch_size, label)


def predict_rows(
    forward: Forward,
    read: Callable[[NDArray[np.intp]], NDArray[Any]],
    rows: NDArray[np.intp],
    batch_size: int,
    label: str = "validate",
) -> NDArray[np.float64]:
    """Predict class probabilities of what `read` gives for `rows`; see `predict_images`."""
    return class_probabilities(run_rows(forward, read, rows, batch_size, label))


def run_rows(
    forward: Forward,
    read: Callable[[NDArray[np.intp]], NDArray[Any]],
    rows: NDArray[np.intp],
    batch_size: int,
    label: str,
) -> NDArray[np.float32]:
    """The outputs of any network for what `read` gives for `rows`, (n_rows, n_outputs).

    `read` runs in several threads at a time, ahead of the network.
    """

    def make(start: int) -> NDArray[np.float32]:
        return read(rows[start : start + batch_size]).astype(np.float32)

    outputs = []
    with tqdm(total=len(rows), desc=label, unit="image", disable=None, leave=False) as bar:
        for batch in map_in_threads(make, range(0, len(rows), batch_size)):
            outputs.append(forward(batch))
            bar.update(len(batch))
    return np.concatenate(outputs)


def class_probabilities(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """One column a class, negative class first, from outputs (n, 1) or (n, n_classes) in [0, 1]; rows sum to 1."""
    wide = outputs.astype(np.float64)
    return np.hstack([1.0 - wide, wide]) if wide.shape[1] == 1 else wide / wide.sum(axis=1, keepdims=True)
