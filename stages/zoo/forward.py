"""Batches through a network for their outputs alone."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


def forward(network: "keras.Model", batch: NDArray[np.float32], batch_size: int) -> NDArray[np.float32]:
    """The network's outputs for a batch; a short one is filled up with zeros, whose outputs are left out.

    A batch of another length would make TensorFlow trace, and JAX compile, the whole network anew: seconds
    for a large one.

    Parameters
    ----------
    network : keras.Model
        Any, without batch statistics.
    batch : ndarray of shape (n, ...)
        At most `batch_size` inputs.
    batch_size : int
        Of every batch that goes through.

    Returns
    -------
    ndarray of shape (n, ...), float32
    """
    missing = batch_size - len(batch)
    whole = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)]) if missing else batch
    return np.asarray(network.predict_on_batch(whole), np.float32)[: len(batch)]
