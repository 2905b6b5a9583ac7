"""Training on one device, or on every GPU of this machine with the same weights on each."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from bycase.core.device import find_gpus
from bycase.core.errors import UserError
from bycase.training.batches import Batch

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class OneDevice:
    """Stands for a strategy where there is nothing to divide, whichever the backend."""

    num_replicas_in_sync = 1
    scope = nullcontext


class DataParallel:
    """JAX's counterpart of TensorFlow's mirrored strategy, by `keras.distribution`."""

    def __init__(self) -> None:
        import keras

        devices = keras.distribution.list_devices("gpu" if find_gpus() else "cpu")
        self.scope = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False).scope
        self.num_replicas_in_sync = len(devices)


Strategy = Union[OneDevice, DataParallel, "tf.distribute.Strategy"]


def make_strategy(name: str) -> Strategy:
    """The strategy in whose scope a network is built and trained: 'single' or 'mirrored'.

    Mirrored: each of this machine's GPUs takes an equal share of every batch, and gradients are summed. It is refused
    where Keras' backend is neither TensorFlow nor JAX.
    """
    import keras

    backend = keras.backend.backend()
    if name == "single":
        return OneDevice()
    if backend == "jax":
        return DataParallel()
    if backend != "tensorflow":
        raise UserError(
            f"train.strategy: mirrored needs TensorFlow or JAX, and KERAS_BACKEND is {backend}; "
            "set KERAS_BACKEND to one of them or train.strategy to single"
        )
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def scope(strategy: Strategy) -> AbstractContextManager[Any]:
    """The context in which variables are made."""
    context: AbstractContextManager[Any] = strategy.scope()
    return context


def train_step(model: "keras.Model", strategy: Strategy, batch: Batch) -> dict[str, float]:
    """Train on one batch; the means of loss and metrics over it.

    `model` is compiled in the scope of `strategy`; inputs, targets and weights are divided among its replicas.
    """
    targets = batch[1]
    replicas = strategy.num_replicas_in_sync
    # JAX divides into equal shares only; the last batch of an epoch goes whole to every device otherwise.
    if isinstance(strategy, DataParallel) and len(targets) % replicas == 0:
        with scope(strategy):
            return _train_on_batch(model, batch)
    if isinstance(strategy, OneDevice | DataParallel) or replicas == 1 or len(targets) < replicas:
        return _train_on_batch(model, batch)
    import tensorflow as tf

    def share(array: Any) -> Any:
        shares = np.array_split(array, replicas)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(shares[context.replica_id_in_sync_group])
        )

    # train_on_batch would give every replica the whole batch.
    model.make_train_function()
    model.reset_metrics()
    logs = model.train_function(iter([tuple(share(array) for array in batch)]))
    return {name: float(value) for name, value in logs.items()}


def _train_on_batch(model: "keras.Model", batch: Batch) -> dict[str, float]:
    x, targets, weights = batch
    logs: dict[str, float] = model.train_on_batch(x, targets, sample_weight=weights, return_dict=True)
    return logs
