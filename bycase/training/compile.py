"""Loss, optimiser and training metrics, as the parameters ask for them."""

from typing import TYPE_CHECKING

from bycase.core.params_training import ModelParams, TrainParams
from bycase.training.losses import accuracy, main_loss, make_loss, with_auxiliary
from bycase.training.optimizers import learning_rate_factors, make_optimizer
from bycase.training.phases import PhasePlan

if TYPE_CHECKING:
    import keras


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
    import keras

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
        # TensorFlow trains sooner without XLA, whose compilation takes minutes on a CPU; JAX is nothing without it.
        jit_compile=keras.backend.backend() != "tensorflow",
    )
    _make_variables(network, width)


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
