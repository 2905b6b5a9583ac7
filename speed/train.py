"""`python -m speed.train`: training a head on cached features against system A's own way, in one run.

Run where `dvc repro preprocess` has run: the images are those of the project's `data/`. Both ways take the same images,
network, settings and epochs, each in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bycase.core.rows import RowFile
from bycase.core.seeding import make_deterministic
from bycase.images.pixels import read_pixels
from bycase.networks.engine import choose_engine, spread
from bycase.tables.features import Features
from bycase.tables.manifest import PREPROCESSED
from bycase.tables.partial_features import PartialFeatures, fill
from bycase.training.checkpoint import Checkpoint, Progress
from bycase.training.collapse import CollapseGuard
from bycase.training.distribute import make_strategy
from bycase.training.loop import EpochCallbacks, run_phase
from bycase.training.phases import plan_phases
from bycase.training.prepare import gather, prepare_phase
from bycase.training.subsets import Subset
from speed.training import BATCH, LEARNING_RATE, backbone_of, settings, subsets_of


def main() -> None:
    """Time both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="efficientnetlite")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--engine", default="keras", choices=["keras", "openvino"], help="of the features")
    parser.add_argument("--child", choices=["plain", "cached"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        way = train_plainly if arguments.child == "plain" else partial(train_cached, arguments.engine)
        sys.stdout.write(json.dumps(way(arguments.model, arguments.epochs)) + "\n")
        return
    plain, cached = (in_a_process(way, arguments) for way in ("plain", "cached"))
    sys.stdout.write(
        f"{arguments.model}, {cached['images']} images, {arguments.epochs} epochs of a frozen backbone's head, "
        f"features by {arguments.engine}\n"
        f"{'':<36}{'seconds':>8}{'without start':>15}{'validation AUC':>16}\n"
    )
    for name, measured in (("image_dataset_from_directory, fit", plain), ("cached features", cached)):
        sys.stdout.write(f"{name:<36}{measured['total']:8.1f}{measured['worked']:15.1f}{measured['auc']:16.3f}\n")
    ratios = [plain[key] / cached[key] for key in ("total", "worked")]
    sys.stdout.write(f"{'ratio':<36}{ratios[0]:8.1f}{ratios[1]:15.1f}\n")


def in_a_process(way: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What one way measures of itself, and ``total``: the seconds of its whole process."""
    command = [sys.executable, "-m", "speed.train", "--child", way, "--model", arguments.model]
    command += ["--epochs", str(arguments.epochs), "--engine", arguments.engine]
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return {"total": time.perf_counter() - started, **json.loads(done.stdout.splitlines()[-1])}


def train_cached(engine: str, model: str, epochs: int) -> dict[str, Any]:
    """The project's way: features once, then the head on them."""
    params = settings(model, epochs, "frozen")
    train, val, classes = subsets_of(params)
    make_deterministic(params.seed)
    backbone = backbone_of(params)
    images = [*train.images, *val.images]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        forward = choose_engine(
            backbone, engine, params.embed.batch_size, lambda: read_pixels(spread(images)), "features"
        ).forward
        unfinished = PartialFeatures(Path(work), (len(images), 1, backbone.output_shape[-1]), "speed")
        fill(
            unfinished,
            images,
            read_pixels,
            lambda pixels, _: iter([pixels.astype(np.float32)]),
            forward,
            params.embed.batch_size,
        )
        features = Features(images, unfinished.array, {}, unfinished.path)
        context = gather(params, (train, val), len(classes), make_strategy("single"), backbone, features, no_pixels)
        progress = Progress()
        guard = CollapseGuard(1.0, classes, 10_000)
        callbacks = EpochCallbacks(val.y, "auc", guard, True, Checkpoint(Path(work) / "c.npz", "speed"), lambda _: None)
        run_phase(prepare_phase(plan_phases(params.network)[0], context), progress, callbacks)
    worked = time.perf_counter() - began
    return {"images": len(images), "worked": worked, "auc": progress.history[-1]["val_auc"]}


def no_pixels() -> RowFile:
    """A head needs no pixels."""
    raise AssertionError


def train_plainly(model: str, epochs: int) -> dict[str, Any]:
    """System A's way: `image_dataset_from_directory` and `fit` on a frozen backbone."""
    params = settings(model, epochs, "frozen")
    train, val, classes = subsets_of(params)
    make_deterministic(params.seed)
    import keras

    side = (params.data.image_size, params.data.image_size)
    with tempfile.TemporaryDirectory(dir=PREPROCESSED.parent) as work:
        sets = {}
        for name, subset in (("train", train), ("val", val)):
            link_by_class(subset, classes, Path(work) / name)
            sets[name] = keras.utils.image_dataset_from_directory(
                Path(work) / name,
                label_mode="binary",
                class_names=classes,
                image_size=side,
                batch_size=BATCH,
                shuffle=name == "train",
                seed=params.seed,
                verbose=False,
            )
        backbone = backbone_of(params)
        backbone.trainable = False
        inputs = keras.Input((*side, 3))
        # Zeros, as in the project's heads: from Keras' random weights ten such epochs do not reach the same AUC.
        dense = keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")
        outputs = dense(backbone(inputs, training=False))
        network = keras.Model(inputs, outputs)
        auc = keras.metrics.AUC(2000, name="auc")
        network.compile(keras.optimizers.Adam(LEARNING_RATE), "binary_crossentropy", metrics=[auc])
        began = time.perf_counter()
        history = network.fit(sets["train"], validation_data=sets["val"], epochs=epochs, verbose=0).history
    worked = time.perf_counter() - began
    return {"images": len(train.y) + len(val.y), "worked": worked, "auc": float(history["val_auc"][-1])}


def link_by_class(subset: Subset, classes: list[str], folder: Path) -> None:
    """One folder a class, as `image_dataset_from_directory` wants them."""
    for image, label in zip(subset.images, subset.y, strict=True):
        target = folder / classes[label] / Path(image).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(PREPROCESSED / image)


if __name__ == "__main__":
    main()
