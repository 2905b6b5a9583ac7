"""`python -m stages.train`: the phases that the chosen network's entry asks for, and its record."""

import logging
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.files import file_digest
from bycase.core.fingerprint import fingerprint
from bycase.core.memory import enough_memory
from bycase.core.params import Params, load_params
from bycase.core.seeding import make_deterministic
from bycase.networks.contract import refuse_breach
from bycase.networks.head import check_same_backbone
from bycase.networks.imported import feature_input
from bycase.networks.registry import build_chosen_backbone
from bycase.networks.weights import weights_digest
from bycase.tables.cost import read_times
from bycase.tables.features import FEATURES, read_features
from bycase.tables.manifest import MANIFEST, PREPROCESSED, read_manifest
from bycase.tables.models import order_classes
from bycase.tables.splits import SPLITS, read_splits
from bycase.training.batches import PIXELS, decode_once
from bycase.training.checkpoint import training_settings
from bycase.training.distribute import make_strategy, scope
from bycase.training.energy import ENERGY
from bycase.training.fitted import fit_training, take_features
from bycase.training.phases import END_TO_END
from bycase.training.prepare import gather
from bycase.training.record import write_record
from bycase.training.run import run_training
from bycase.training.subsets import take_subset

CHECKPOINT = Path("data/checkpoints/train.npz")


def main() -> None:
    """Train the chosen network and write ``models/``."""
    params = load_params()
    settings, size = params.network, params.data.image_size
    manifest, splits, features = read_manifest(), read_splits(), read_features()
    classes = order_classes(params.data.classes, params.data.positive)
    train, val = (
        take_subset(name, splits, manifest, classes, params.train.class_weight, params.train.sampling)
        for name in ("train", "val")
    )
    images = [*train.images, *val.images]

    make_deterministic(params.seed, params.train.precision)
    strategy = make_strategy(params.train.strategy)
    imported = params.is_imported
    with scope(strategy):
        backbone = feature_input(features) if imported else build_chosen_backbone(params)
    if not imported:
        refuse_breach(backbone, images, params)
    if not imported and settings.mode != END_TO_END:
        check_same_backbone(backbone, features)
    if settings.fitted_head:
        sets = take_features(params, (train, val), len(classes), features)
        with scope(strategy):
            network, training = fit_training(params, sets, backbone, _fingerprint(params))
    else:
        context = gather(
            params, (train, val), len(classes), strategy, backbone, features, lambda: decode_once(images, size)
        )
        with enough_memory(params, f"zoo.{params.model}.batch_size", settings.batch_size):
            network, training = context.network, run_training(context, classes, CHECKPOINT, _fingerprint(params))
    write_record(network, training, params, read_times(file_digest(features.path)))
    for path in (CHECKPOINT, ENERGY, PIXELS):
        path.unlink(missing_ok=True)
    logging.info(training.summary(params.train.monitor))


def _fingerprint(params: Params) -> str:
    """Digest all that a training depends on: a checkpoint of another one is not used."""
    import keras

    precision = keras.config.dtype_policy().name
    files = (FEATURES, MANIFEST, PREPROCESSED, SPLITS)
    return fingerprint(
        ["stages.train"], training_settings(params), precision, weights_digest(params.weights), files=files
    )


if __name__ == "__main__":
    run_stage("train", main)
