"""Training on one device, or on every GPU of this machine with the same weights on each."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from bycase.core.errors import UserError
from bycase.training.batches import Batch

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class OneDevice:
    """Stands for a strategy where there is nothing to divide, whichever the backend."""

    num_replicas_in_sync = 1
    scope = nullcontext


Strategy = Union[OneDevice, "tf.distribute.Strategy"]


def make_strategy(name: str) -> Strategy:
    """The strategy in whose scope a network is built and trained: 'single' or 'mirrored'.

    Mirrored: each of this machine's GPUs takes an equal share of every batch, and gradients are summed. It needs
    TensorFlow, and is refused where Keras has another backend.
    """
    import keras

    if name == "single":
        return OneDevice()
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"train.strategy: mirrored needs TensorFlow, and KERAS_BACKEND is {keras.backend.backend()}; "
            "unset KERAS_BACKEND or set train.strategy to single"
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
    replicas = strategy.num_replicas_in_sync
    if isinstance(strategy, OneDevice) or replicas == 1 or len(batch[1]) < replicas:
        x, targets, weights = batch
        logs: dict[str, float] = model.train_on_batch(x, targets, sample_weight=weights, return_dict=True)
        return logs
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
