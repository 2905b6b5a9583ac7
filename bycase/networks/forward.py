"""Batches through a network for their outputs alone."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

MOST_CONSTANTS = 8_000_000  # parameters; TensorFlow holds constants about 19 times, 1.8 GB of ResNet50V2's 24 million

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def forward(network: "keras.Model", batch: NDArray[np.float32], batch_size: int) -> NDArray[np.float32]:
    """The network's outputs for a batch; a short one is filled up with zeros, whose outputs are left out.

    A batch of another length would make TensorFlow trace, and JAX compile, the whole network anew: seconds
    for a large one.

    Parameters
    ----------
    network : keras.Model
        Any; its batch norm uses its moving averages.
    batch : ndarray of shape (n, ...)
        At most `batch_size` inputs.
    batch_size : int
        Of every batch that goes through.

    Returns
    -------
    ndarray of shape (n, ...), float32
    """
    return np.asarray(network.predict_on_batch(fill_up(batch, batch_size)), np.float32)[: len(batch)]


def frozen_forward(network: "keras.Model", batch_size: int) -> Forward:
    """As `forward`, of a network whose weights stay as they are now; with TensorFlow about 1.3 times as fast on a CPU.

    Beyond `MOST_CONSTANTS` parameters the weights stay variables: less memory, about 1.1 times as slow.

    Parameters
    ----------
    network : keras.Model
        Later changes of its weights are not seen, unless they stay variables.
    batch_size : int
        Of every batch that goes through.

    Returns
    -------
    callable
        From float32 (n, ...), n at most `batch_size`, to float32 (n, ...).
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return partial(forward, network, batch_size=batch_size)
    import tensorflow as tf

    from bycase.networks.graph import freeze, trace

    make = trace if network.count_params() > MOST_CONSTANTS else freeze
    graph = make(network, batch_size)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (outputs,) = tf.nest.flatten(graph(tf.constant(fill_up(batch, batch_size))))
        whole: NDArray[np.float32] = outputs.numpy()
        return whole[: len(batch)]

    return run


def fill_up(batch: NDArray[np.float32], batch_size: int) -> NDArray[np.float32]:
    """A batch with zeros after it, to the length of `batch_size`."""
    missing = batch_size - len(batch)
    return np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)]) if missing else batch
