"""One inner fold's network under changing settings, without tracing anew what has been traced.

Tracing a head's training step takes longer than an epoch on cached features. So a network is kept, and set back to
its first weights for the next trial of the same layers; dropout rate and weight decay, which are constants of an
ordinary traced step, are made adjustable.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.params import Params
from bycase.core.params_training import DropoutLayer
from bycase.core.rows import RowFile
from bycase.core.seeding import derive_seed
from bycase.networks.head import (
    Statistics,
    bound_amplification,
    build_head,
    feature_statistics,
    join,
    with_auxiliary_outputs,
)
from bycase.networks.registry import build_chosen_backbone, find_network
from bycase.studies.tune.context import Inner
from bycase.tables.features import Features
from bycase.training.checkpoint import state_variables
from bycase.training.distribute import make_strategy
from bycase.training.loop import Phase
from bycase.training.phases import END_TO_END, HEAD, PhasePlan
from bycase.training.prepare import TrainingContext, prepare_phase, supply_phase, unfreeze_chosen

if TYPE_CHECKING:
    import keras

Arrays = list[NDArray[Any]]


def adjustable_dropout() -> "type[keras.layers.Dropout]":
    """A kind of dropout layer whose rate, its ``adjustable``, may change after it has been traced."""
    import keras
    import tensorflow as tf

    class AdjustableDropout(keras.layers.Dropout):
        def __init__(self, rate: float, **options: Any) -> None:
            # Without any dropout, Keras would make no random generator.
            super().__init__(rate or 0.5, **options)
            self.adjustable = tf.Variable(rate, dtype=tf.float32, trainable=False)

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training:
                return inputs
            # Keras' own function asks whether the rate is 0 or 1, which a variable cannot say while it is traced.
            seed = tf.cast(self.seed_generator.next(), tf.int32)
            return tf.nn.experimental.stateless_dropout(inputs, tf.cast(self.adjustable, inputs.dtype), seed)

    return AdjustableDropout


@dataclass
class Built:
    """A network, its compiled models by phase, and the state that each began with.

    Attributes
    ----------
    network, head, trained : keras.Model
        See `bycase.training.prepare.TrainingContext`; of a head alone all three are the head.
    first : list of ndarray
        Weights, and states of random generators, before any training.
    rates : list of tf.Variable
        Of the head's dropout layers, from the input up.
    decay : tf.Variable
        The optimisers' weight decay.
    phases : dict
        Phase name to compiled phase and the first state of its model.
    """

    network: "keras.Model"
    head: "keras.Model"
    trained: "keras.Model"
    first: Arrays
    rates: list[Any]
    decay: Any
    phases: dict[str, tuple[Phase, Arrays]] = field(default_factory=dict)


class FoldNetwork:
    """The network of one inner fold.

    `seed` is that of the head's first weights and the order of batches. `pixels` gives the images of both subsets,
    training first; it runs where a phase needs images. `phase` is the present one.
    """

    phase: Phase
    _current: Built
    _context: TrainingContext

    def __init__(self, inner: Inner, seed: int, pixels: Callable[[], RowFile]) -> None:
        self.inner = inner
        self._seed = seed
        self._pixels = pixels
        self._built: dict[tuple[Any, ...], Built] = {}
        self._statistics: dict[str, Statistics] = {}

    def begin(self, params: Params, features: Features | None) -> None:
        """Take up a trial's settings, with first weights and the cached features of its augmentation strength."""
        built = self._find(params, features)
        _assign(built.trained.variables, built.first)
        self._current = built
        # What may change without other layers: rates, decay, batches.
        _assign(built.rates, [layer.dropout for layer in params.network.head_layers if isinstance(layer, DropoutLayer)])
        built.decay.assign(params.network.weight_decay)
        nowhere = np.zeros(0, np.intp)
        train, val = self.inner.train, self.inner.val
        self._context = TrainingContext(
            params.model_copy(update={"seed": self._seed}),
            train,
            val,
            len(params.data.classes),
            make_strategy("single"),
            built.network,
            built.head,
            built.trained,
            RowFile(features.path) if features else None,
            features.rows(train.images) if features else nowhere,
            features.rows(val.images) if features else nowhere,
            self._pixels,
        )

    def enter(self, plan: PhasePlan) -> Phase:
        """Begin a phase with the present weights and a new optimiser."""
        built, context = self._current, self._context
        if plan.name not in built.phases:
            phase = prepare_phase(plan, context)
            if context.params.network.optimizer != "adam":
                phase.model.optimizer.weight_decay = built.decay
            built.phases[plan.name] = phase, _values(phase.model.optimizer.variables)
        kept, first = built.phases[plan.name]
        if plan.layers:
            unfreeze_chosen(built.trained, plan, context.params)
        _assign(kept.model.optimizer.variables, first)
        self.phase = supply_phase(plan, context, kept.model)
        return self.phase

    def state(self) -> Arrays:
        """All that the phase goes on from: weights, random generators, optimiser."""
        return _values(state_variables(self.phase.model))

    def restore(self, arrays: Arrays) -> None:
        """Take up what `state` gave in the same phase of the same layers."""
        _assign(state_variables(self.phase.model), arrays)

    def weights(self) -> Arrays:
        """The whole network's weights; of cached features the head's alone."""
        return _values(self._current.trained.variables)

    def set_weights(self, arrays: Arrays) -> None:
        """Take up what `weights` gave."""
        _assign(self._current.trained.variables, arrays)

    def predictor(self) -> "keras.Model":
        """What predicts in the present phase: the head on features, or the network on images."""
        return self._current.head if self.phase.plan.name == HEAD else self._current.network

    def _find(self, params: Params, features: Features | None) -> Built:
        network = params.network
        key = (
            str(features.path) if features else "",
            tuple(type(layer).__name__ + str(getattr(layer, "dense", "")) for layer in network.head_layers),
            network.unfreeze.layers,
        )
        if key not in self._built:
            if needs_images(params):
                # Whole networks are large: only the last one is kept.
                self._built.clear()
            self._built[key] = self._build(params, features)
        return self._built[key]

    def _build(self, params: Params, features: Features | None) -> Built:
        import tensorflow as tf

        settings = params.network
        n_classes = len(params.data.classes)
        backbone = build_chosen_backbone(params) if needs_images(params) else None
        if backbone is not None:
            width = backbone.output_shape[-1]
        else:
            assert features is not None
            width = features.array.shape[-1]
        seed = derive_seed(self._seed, "head")
        statistics = self._feature_statistics(features) if features and settings.standardise else None
        if statistics and settings.unfreeze.layers:
            statistics = bound_amplification(statistics)
        head = build_head(width, settings.head_layers, n_classes, seed, statistics, adjustable_dropout())
        rates = [layer.adjustable for layer in head.layers if hasattr(layer, "adjustable")]
        network = trained = head if backbone is None else join(backbone, head)
        auxiliary = find_network(params.model).auxiliary
        if auxiliary and settings.mode == END_TO_END:
            trained = with_auxiliary_outputs(network, auxiliary(backbone, n_classes, derive_seed(seed, "auxiliary")))
        built = Built(
            network, head, trained, [], rates, tf.Variable(settings.weight_decay, dtype=tf.float32, trainable=False)
        )
        built.first = _values(built.trained.variables)
        return built

    def _feature_statistics(self, features: Features) -> Statistics:
        key = str(features.path)
        if key not in self._statistics:
            rows = features.rows(self.inner.train.images)
            self._statistics[key] = feature_statistics(RowFile(features.path), rows)
        return self._statistics[key]


def needs_images(params: Params) -> bool:
    """Whether a training with these settings reads images, not cached features alone."""
    return params.network.mode == END_TO_END or bool(params.network.unfreeze.layers)


def _values(variables: list[Any]) -> Arrays:
    import keras

    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
