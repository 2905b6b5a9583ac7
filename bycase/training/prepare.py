"""Builds model and data of each phase: what is trainable, the optimiser, the batches and the validation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bycase.core.params import Params
from bycase.core.rows import RowFile
from bycase.core.seeding import derive_seed
from bycase.networks.forward import forward
from bycase.networks.head import (
    bound_amplification,
    build_head,
    feature_statistics,
    join,
    unfreeze_all,
    unfreeze_top,
    with_auxiliary_outputs,
)
from bycase.networks.predict import predict_rows
from bycase.networks.registry import find_network
from bycase.tables.features import Features
from bycase.training.batches import Batch, feature_batches, image_batches, steps_per_epoch
from bycase.training.compile import compile_network
from bycase.training.distribute import Strategy, scope
from bycase.training.loop import Phase
from bycase.training.phases import END_TO_END, HEAD, PhasePlan, Schedule, batch_norm_momentum
from bycase.training.subsets import Subset

if TYPE_CHECKING:
    import keras

Rows = NDArray[np.intp]

# Validation features at a time.
HEAD_BATCH = 1024


@dataclass(frozen=True)
class TrainingContext:
    """What all phases of a training share.

    Attributes
    ----------
    params : Params
        The whole of `params.yaml`.
    train, val : Subset
        Their images.
    n_classes : int
        Number of classes.
    strategy : Strategy
        Where networks are built and trained.
    network, head : keras.Model
        The whole network that is saved in the end, and its head.
    trained : keras.Model
        The network as it is trained on images: with auxiliary outputs, if it has any.
    features : RowFile or None
        The cached features of all images; None where every layer is trained.
    train_rows, val_rows : ndarray
        Rows of their images in `features`.
    pixels : callable
        Decodes the images of both at its first call, training first.
    """

    params: Params
    train: Subset
    val: Subset
    n_classes: int
    strategy: Strategy
    network: "keras.Model"
    head: "keras.Model"
    trained: "keras.Model"
    features: RowFile | None
    train_rows: Rows
    val_rows: Rows
    pixels: Callable[[], RowFile]


def gather(
    params: Params,
    subsets: tuple[Subset, Subset],
    n_classes: int,
    strategy: Strategy,
    backbone: "keras.Model",
    features: Features,
    pixels: Callable[[], RowFile],
) -> TrainingContext:
    """Build the network and collect what its phases need.

    Parameters
    ----------
    subsets : tuple of Subset
        Train and val.
    backbone : keras.Model
        Of `bycase.networks.registry.build_backbone`, built in the strategy's scope.
    features : Features
        Empty in mode end_to_end.
    """
    train, val = subsets
    settings = params.network
    nowhere = np.zeros(0, np.intp)
    frozen = settings.mode != END_TO_END
    cached = RowFile(features.path) if frozen else None
    train_rows, val_rows = (features.rows(subset.images) for subset in subsets) if frozen else (nowhere, nowhere)
    statistics = feature_statistics(cached, train_rows) if cached and settings.standardise else None
    if statistics and settings.unfreeze.layers:
        statistics = bound_amplification(statistics)
    with scope(strategy):
        seed = derive_seed(params.seed, "head")
        head = build_head(backbone.output_shape[-1], settings.head_layers, n_classes, seed, statistics)
        network = trained = join(backbone, head)
        auxiliary = None if frozen else find_network(params.model).auxiliary
        if auxiliary:
            trained = with_auxiliary_outputs(network, auxiliary(backbone, n_classes, derive_seed(seed, "auxiliary")))
    return TrainingContext(
        params, train, val, n_classes, strategy, network, head, trained, cached, train_rows, val_rows, pixels
    )


class Source(NamedTuple):
    """Where a phase's batches and its validation come from.

    Batches an epoch; ``batches(epoch)`` of the training images; rows to what the network takes, features
    (n, n_features) or pixels (n, size, size, 3); rows of the validation images; and how many of these at a time.
    """

    steps: int
    batches: Callable[[int], Iterator[Batch]]
    read: Callable[[Rows], NDArray[Any]]
    val_rows: Rows
    batch_size: int


def prepare_phase(plan: PhasePlan, context: TrainingContext) -> Phase:
    """Build one phase of a training."""
    import keras

    params = context.params
    whole = context.head if plan.name == HEAD else context.trained
    if plan.name == END_TO_END:
        unfreeze_all(whole, params.train.batch_norm_momentum)
    elif plan.name != HEAD:
        unfreeze_chosen(whole, plan, params)
    with scope(context.strategy):
        # Another model of the same layers: what is saved in the end shall know nothing of losses and optimisers.
        model = keras.Model(whole.input, whole.output, name=whole.name)
        compile_network(model, params.network, params.train, plan, context.n_classes)
    return supply_phase(plan, context, model)


def unfreeze_chosen(network: "keras.Model", plan: PhasePlan, params: Params) -> None:
    """Make the layers trainable that a phase of fine-tuning trains."""
    unfreeze_top(network, plan.layers, plan.part, batch_norm_momentum(params.network, params.train))


def supply_phase(plan: PhasePlan, context: TrainingContext, model: "keras.Model") -> Phase:
    """The phase of a model that is compiled for it: learning rate, batches and validation."""
    network = context.head if plan.name == HEAD else context.network
    source = feature_source(context) if plan.name == HEAD else image_source(context)
    predict = partial(
        predict_rows,
        partial(forward, network, batch_size=source.batch_size),
        source.read,
        source.val_rows,
        source.batch_size,
    )
    schedule = Schedule(context.params.train, plan.learning_rate, source.steps, plan.epochs)
    return Phase(plan, model, schedule, source.batches, predict, context.strategy)


def feature_source(context: TrainingContext) -> Source:
    """Cached features, of which validation takes those of the unchanged images."""
    params, features, train = context.params, context.features, context.train
    batch_size, sampling = params.network.batch_size, params.train.sampling
    assert features is not None
    return Source(
        steps=-(-len(train.y) // batch_size),
        batches=partial(
            feature_batches, features, context.train_rows, train, batch_size, params.seed, sampling=sampling
        ),
        read=lambda rows: features.read(rows)[:, 0],
        val_rows=context.val_rows,
        batch_size=min(HEAD_BATCH, len(context.val_rows)),
    )


def image_source(context: TrainingContext) -> Source:
    """Images, augmented for training."""
    params, n_training = context.params, len(context.train.y)
    batch_size, pixels = params.network.batch_size, context.pixels()
    val_rows = np.arange(n_training, pixels.shape[0])
    return Source(
        steps=steps_per_epoch(n_training, batch_size),
        batches=partial(
            image_batches,
            pixels,
            context.train,
            params.augment,
            batch_size,
            params.seed,
            sampling=params.train.sampling,
        ),
        read=pixels.read,
        val_rows=val_rows,
        batch_size=min(batch_size, len(val_rows)),
    )
