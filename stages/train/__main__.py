"""`python -m stages.train`: the head on cached features, then fine-tuning where `unfreeze` asks for it."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.common.command import run_stage
from stages.common.files import file_digest
from stages.common.manifest import MANIFEST, read_manifest
from stages.common.params import Params, load_params
from stages.common.seeding import derive_seed, make_tensorflow_deterministic
from stages.embed.table import Features, read_features
from stages.split.table import SPLITS, read_splits
from stages.train.batches import feature_batches, image_batches
from stages.train.checkpoint import Checkpoint, Progress
from stages.train.collapse import CollapseGuard
from stages.train.labels import order_classes, prior_entropy
from stages.train.live import live_log
from stages.train.loop import Phase, run_phase
from stages.train.network import (
    build_head,
    check_same_backbone,
    class_probabilities,
    compile_network,
    join,
    unfreeze_top,
)
from stages.train.parts import Part, take_part
from stages.train.predict import predict_images
from stages.train.record import write_record
from stages.zoo.features import fingerprint
from stages.zoo.registry import build_backbone
from stages.zoo.weights import weights_digest

if TYPE_CHECKING:
    import keras

CHECKPOINT = Path("data/checkpoints/train.npz")


def main() -> None:
    """Train the chosen network and write ``models/``."""
    params = load_params()
    manifest, splits, features = read_manifest(), read_splits(), read_features()
    classes = order_classes(params.data.classes, params.data.positive)
    train, val = (
        take_part(part, splits, manifest, features, classes, params.train.class_weight) for part in ("train", "val")
    )
    make_tensorflow_deterministic(params.seed)
    backbone = build_backbone(params.model, params.data.image_size, params.weights, params.network.pooling, params.seed)
    check_same_backbone(backbone, features)
    views = features.array[train.rows].reshape(-1, features.array.shape[-1])
    head = build_head(views, params.network.head, len(classes), derive_seed(params.seed, "head"))
    network = join(backbone, head)

    guard = CollapseGuard(prior_entropy(train.y, train.weights), classes, params.train.collapse_patience)
    inputs = (
        params.model_dump_json(exclude={"evaluate"}),
        weights_digest(params.weights),
        file_digest(MANIFEST),
        file_digest(SPLITS),
    )
    checkpoint = Checkpoint(CHECKPOINT, fingerprint(*inputs))
    progress = checkpoint.read_progress() or Progress()
    if progress.history:
        logging.info("continuing after epoch %d", len(progress.history))
    stop = params.train.collapse_action == "stop"
    with live_log(progress.history) as report:
        if progress.phase == "head":
            phase = head_phase(head, features, train, val, params, len(classes))
            run_phase(phase, progress, val.y, guard, stop, checkpoint, report)
        if params.network.unfreeze.layers:
            phase = fine_tuning_phase(network, train, val, params, len(classes))
            run_phase(phase, progress, val.y, guard, stop, checkpoint, report)
    write_record(network, progress, params, features.made_by["seconds"])
    checkpoint.remove()
    logging.info(
        "best validation AUC %.3f in epoch %d of %d (%s)",
        progress.best_score,
        progress.best_epoch,
        len(progress.history),
        progress.best_phase,
    )


def head_phase(
    head: "keras.Model", features: Features, train: Part, val: Part, params: Params, n_classes: int
) -> Phase:
    """The head alone, on cached features."""
    settings = params.network
    compile_network(head, settings, settings.learning_rate, n_classes)
    x_val = np.asarray(features.array[val.rows, 0])
    batches = partial(
        feature_batches, features.array, train.rows, train.y, train.weights, settings.batch_size, params.seed
    )
    return Phase(
        name="head",
        model=head,
        batches=batches,
        predict=lambda: class_probabilities(head.predict_on_batch(x_val)),
        steps=-(-len(train.y) // settings.batch_size),
        epochs=settings.epochs,
        patience=settings.patience,
    )


def fine_tuning_phase(network: "keras.Model", train: Part, val: Part, params: Params, n_classes: int) -> Phase:
    """The backbone's top and the head, end to end, on augmented images."""
    settings = params.network
    unfreeze_top(network, settings.unfreeze.layers)
    compile_network(network, settings, settings.unfreeze.learning_rate, n_classes)
    batches = partial(
        image_batches, train.images, train.y, train.weights, params.embed.augment, settings.batch_size, params.seed
    )
    return Phase(
        name="fine_tune",
        model=network,
        batches=batches,
        predict=lambda: predict_images(network, val.images.tolist(), settings.batch_size),
        steps=-(-len(train.y) // settings.batch_size),
        epochs=settings.unfreeze.epochs,
        patience=settings.unfreeze.patience,
    )


if __name__ == "__main__":
    run_stage("train", main)
