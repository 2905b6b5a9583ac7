"""`python -m stages.train`: the phases that the chosen network's entry asks for, and its record."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.fingerprint import fingerprint
from bycase.core.params import Params, load_params
from bycase.core.seeding import make_tensorflow_deterministic
from bycase.networks.head import check_same_backbone
from bycase.networks.pixel_contract import refuse_breach
from bycase.networks.registry import build_backbone
from bycase.networks.weights import weights_digest
from bycase.tables.features import FEATURES, read_features
from bycase.tables.manifest import MANIFEST, PREPROCESSED, read_manifest
from bycase.tables.splits import SPLITS, read_splits
from bycase.training.checkpoint import Checkpoint, Progress, training_settings
from bycase.training.collapse import CollapseGuard
from bycase.training.cost import after_each, energy_log
from bycase.training.distribute import make_strategy, scope
from bycase.training.labels import class_shares, order_classes
from bycase.training.live import live_log
from bycase.training.loop import EpochCallbacks, run_phase
from bycase.training.losses import make_loss, prior_loss
from bycase.training.phases import END_TO_END, plan_phases
from bycase.training.prepare import gather, prepare_phase
from bycase.training.record import write_record
from bycase.training.resident import PIXELS, decode_once
from bycase.training.subsets import take_subset

CHECKPOINT = Path("data/checkpoints/train.npz")


def main() -> None:
    """Train the chosen network and write ``models/``."""
    params = load_params()
    settings, size = params.network, params.data.image_size
    manifest, splits, features = read_manifest(), read_splits(), read_features()
    classes = order_classes(params.data.classes, params.data.positive)
    train, val = (take_subset(part, splits, manifest, classes, params.train.class_weight) for part in ("train", "val"))
    images = [*train.images, *val.images]

    make_tensorflow_deterministic(params.seed, params.train.precision)
    strategy = make_strategy(params.train.strategy)
    with scope(strategy):
        backbone = build_backbone(
            params.model, size, params.weights, settings.pooling, params.seed, settings.variant, settings.rescale
        )
    refuse_breach(backbone, images, params)
    if settings.mode != END_TO_END:
        check_same_backbone(backbone, features, params.train.precision)
    context = gather(
        params, (train, val), len(classes), strategy, backbone, features, lambda: decode_once(images, size)
    )

    constant = prior_loss(make_loss(params.train, len(classes)), class_shares(train.y, train.weights, len(classes)))
    identity = _fingerprint(params)
    checkpoint = Checkpoint(CHECKPOINT, identity)
    progress = checkpoint.read_progress() or Progress()
    if progress.history:
        logging.info("continuing after epoch %d", len(progress.history))
    plans = plan_phases(settings)
    done = [plan.name for plan in plans].index(progress.phase) if progress.history else 0
    with live_log(progress.history) as report, energy_log(identity, len(progress.history)) as energy:
        callbacks = EpochCallbacks(
            val.y,
            params.train.monitor,
            CollapseGuard(constant, classes, params.train.collapse_patience),
            params.train.collapse_action == "stop",
            checkpoint,
            after_each(report, energy),
        )
        for plan in plans[done:]:
            run_phase(prepare_phase(plan, context), progress, callbacks)
    write_record(context.network, progress, params, constant, features.made_by["seconds"], energy.total())
    checkpoint.remove()
    energy.remove()
    PIXELS.unlink(missing_ok=True)
    best = progress.history[progress.best_epoch - 1]
    logging.info(
        "best validation %s %.3f in epoch %d of %d (%s); loss %.3f, of a constant prediction %.3f",
        params.train.monitor,
        best[f"val_{params.train.monitor}"],
        progress.best_epoch,
        len(progress.history),
        progress.best_phase,
        best["loss"],
        constant,
    )


def _fingerprint(params: Params) -> str:
    """Digest all that a training depends on: a checkpoint of another one is not used."""
    files = (FEATURES, MANIFEST, PREPROCESSED, SPLITS)
    return fingerprint(["stages.train"], training_settings(params), weights_digest(params.weights), files=files)


if __name__ == "__main__":
    run_stage("train", main)
