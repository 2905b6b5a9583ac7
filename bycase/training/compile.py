"""Loss, optimiser and metrics of a phase, as the parameters ask for them; a learning rate of its own for each layer."""

from typing import TYPE_CHECKING, Any

from bycase.core.device import find_gpus
from bycase.core.params_training import ModelParams, TrainParams
from bycase.training.losses import accuracy, main_loss, make_loss, with_auxiliary
from bycase.training.phases import PhasePlan

if TYPE_CHECKING:
    import keras


def make_optimizer(
    settings: ModelParams, params: TrainParams, learning_rate: float, factors: list[float] | None = None
) -> "keras.optimizers.Optimizer":
    """Build the optimiser that a zoo entry names.

    Parameters
    ----------
    settings : ModelParams
        ``optimizer`` and ``weight_decay``, which is decoupled (Loshchilov and Hutter 2019, arXiv:1711.05101)
        for adamw and sgd; adam has none.
    params : TrainParams
        ``momentum`` of sgd, ``gradient_clip`` (largest norm of all gradients together; 0: off) and ``ema``
        (momentum of averaged weights; 0: off).
    learning_rate : float
        At the start.
    factors : list of float, optional
        On the learning rate of each trainable variable, in the model's order; see `learning_rate_factors`.
    """
    from keras import optimizers

    classes: dict[str, Any] = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "sgd": optimizers.SGD}
    own: dict[str, dict[str, Any]] = {
        "adam": {},
        "adamw": {"weight_decay": settings.weight_decay},
        "sgd": {"momentum": params.momentum, "weight_decay": settings.weight_decay or None},
    }
    chosen = classes[settings.optimizer]
    optimizer: keras.optimizers.Optimizer = (_discriminative(chosen, factors) if factors else chosen)(
        learning_rate,
        global_clipnorm=params.gradient_clip or None,
        use_ema=params.ema > 0,
        ema_momentum=params.ema or 0.99,
        **own[settings.optimizer],
    )
    return optimizer


def _discriminative(optimizer: Any, factors: list[float]) -> Any:
    """A kind of `optimizer` whose learning rate is multiplied by each variable's own factor."""

    class Discriminative(optimizer):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate * factors[self._get_variable_index(variable)])

    return Discriminative


def learning_rate_factors(network: "keras.Model", lowest: float) -> list[float]:
    """Factors from the head's 1 to `lowest` at the lowest trainable layer, one a trainable variable in model's order.

    They fall geometrically: layers near the input hold the most general features and should change least (Howard and
    Ruder 2018, Universal language model fine-tuning for text classification, arXiv:1801.06146, section 3.2).
    """
    body = [layer for layer in network.layers if layer.name != "head" and layer.trainable_variables]
    depth = {layer.name: len(body) - position for position, layer in enumerate(body)}
    by_variable = {
        id(variable): lowest ** (depth.get(layer.name, 0) / max(len(body), 1))
        for layer in network.layers
        for variable in layer.trainable_variables
    }
    return [by_variable[id(variable)] for variable in network.trainable_variables]


def compile_network(
    network: "keras.Model", settings: ModelParams, params: TrainParams, plan: PhasePlan, n_classes: int
) -> None:
    """Compile a network for one phase.

    Parameters
    ----------
    network : keras.Model
        What is trainable in it is settled; its output may have auxiliary outputs beside its own.
    settings, params : ModelParams, TrainParams
        The zoo entry, and what all networks share.
    plan : PhasePlan
        The phase.
    n_classes : int
        Number of classes.
    """
    width = 1 if n_classes == 2 else n_classes
    loss = make_loss(params, n_classes)
    auxiliary = network.output_shape[-1] > width
    discriminative = plan.layers and settings.unfreeze.lowest_rate < 1
    factors = learning_rate_factors(network, settings.unfreeze.lowest_rate) if discriminative else None
    network.compile(
        optimizer=make_optimizer(settings, params, plan.learning_rate, factors),
        loss=with_auxiliary(loss, width) if auxiliary else loss,
        metrics=[accuracy(width)],
        weighted_metrics=[main_loss(loss, width)] if auxiliary else None,
        jit_compile=by_xla(),
    )
    _make_variables(network, width)


def by_xla() -> bool:
    """Whether XLA compiles the training step that is compiled in the present scope.

    JAX is nothing without it. TensorFlow gains by it on a GPU, unless the step is mirrored on several; on a CPU its
    compilation takes minutes, and what comes of it is no faster.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    return bool(find_gpus()) and tf.distribute.get_strategy().num_replicas_in_sync == 1


def _make_variables(network: "keras.Model", width: int) -> None:
    """Make the variables of optimiser and metrics.

    Those made in the first step would have TensorFlow trace it twice, which is half of what starting costs;
    under a strategy they would be on one replica only.
    """
    import keras

    network.optimizer.build(network.trainable_variables)
    targets, outputs = keras.ops.zeros((1, width)), keras.ops.zeros((1, network.output_shape[-1]))
    one = keras.ops.ones((1,))
    network.compute_loss(y=targets, y_pred=outputs, sample_weight=one)
    network.compute_metrics(None, targets, outputs, sample_weight=one)
    network.reset_metrics()
