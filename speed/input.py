"""`python -m speed.input [--csv FILE]`: how many training images a second are made, and how many a step takes.

Needs no data: the images are noise, which takes as long as tissue. Every augmentation alone, all of `params.yaml`
together, and none, by 1, 2, ... workers; then bare training steps on one batch in memory. All take turns in one
process, so that what else runs on the machine slows all of them alike; a number is the median of the turns.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bycase.core.files import write_csv
from bycase.core.machine import core_count, describe_machine
from bycase.core.params import load_params
from bycase.core.params_training import AugmentParams
from bycase.core.rows import RowFile
from bycase.core.seeding import make_deterministic
from bycase.networks.head import build_head, join, unfreeze_all
from bycase.training.batches import Batch, image_batches
from bycase.training.compile import compile_network
from bycase.training.phases import plan_phases
from bycase.training.subsets import Subset, make_targets
from speed.training import backbone_of, settings

if TYPE_CHECKING:
    import keras

NOTHING = AugmentParams(
    flip="none",
    rotation=0,
    zoom=0,
    crop=1,
    brightness=0,
    contrast=0,
    stain_jitter=0,
    rand_augment=0,
    mixup=0,
    cutmix=0,
)
ALONE: dict[str, dict[str, Any]] = {
    "none": {},
    "geometry": {"flip": "both", "rotation": 0.25, "zoom": 0.1, "crop": 0.8},
    "brightness": {"brightness": 0.1},
    "contrast": {"contrast": 0.1},
    "stain_jitter": {"stain_jitter": 0.1},
    "rand_augment": {"rand_augment": 0.3},
    "mixup": {"mixup": 0.2},
    "cutmix": {"cutmix": 1.0},
}
PARAMS = "params.yaml"
STEP = "training step"
BATCHES_A_WORKER = 4
STEPS = 2


def main(words: list[str] | None = None) -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--batch", type=int, default=32, help="images in a batch")
    parser.add_argument("--workers", type=int, nargs="+", help="left out: 1, 2, 4, ... and all cores")
    parser.add_argument("--augmentations", nargs="+", choices=[*ALONE, PARAMS], default=[*ALONE, PARAMS])
    parser.add_argument("--model", default="efficientnetv2", help="of the step, with random weights; 'none': no step")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    arguments = parser.parse_args(words)
    if arguments.model != "none":
        make_deterministic(7)
    workers = arguments.workers or doubling(core_count())
    with tempfile.TemporaryDirectory() as work:
        pixels = write_noise(Path(work), max(workers) * BATCHES_A_WORKER * arguments.batch, arguments.size)
        makers = {
            (number, name): maker(pixels, changes_of(name), arguments.batch, number)
            for name in arguments.augmentations
            for number in workers
        }
        if arguments.model != "none":
            makers[0, STEP] = trainer(arguments.model, arguments.size, arguments.batch)
        table = rates(makers, arguments.turns)
    sys.stdout.write(f"{describe_machine()}; {arguments.batch} images of {arguments.size} pixels a batch\n")
    sys.stdout.write(table.to_string(index=False, na_rep="") + "\n")
    if arguments.csv:
        write_csv(arguments.csv, table)


def doubling(most: int) -> list[int]:
    """1, 2, 4, ... below `most`, and `most` itself."""
    return [*(2**power for power in range(most.bit_length()) if 2**power < most), most]


def changes_of(name: str) -> AugmentParams:
    """One augmentation alone, or those of `params.yaml`."""
    return load_params().augment if name == PARAMS else NOTHING.model_copy(update=ALONE[name])


def write_noise(folder: Path, n: int, size: int) -> RowFile:
    """A file of `n` images of noise."""
    random = np.random.default_rng(7)
    np.save(folder / "pixels.npy", random.integers(0, 256, (n, size, size, 3), dtype=np.uint8))
    return RowFile(folder / "pixels.npy")


def noise_subset(n: int) -> Subset:
    """So many images of two classes."""
    y = np.arange(n, dtype=np.int64) % 2
    return Subset(pd.Series([""] * n), y, make_targets(y, 2), np.ones(n, np.float32), np.arange(n))


def maker(pixels: RowFile, params: AugmentParams, batch_size: int, workers: int) -> Callable[[int], int]:
    """What makes an epoch's batches and says how many images they were."""
    n = workers * BATCHES_A_WORKER * batch_size

    def make(epoch: int) -> int:
        batches = image_batches(pixels, noise_subset(n), params, batch_size, 7, epoch, workers=workers)
        return sum(len(images) for images, _, _ in batches)

    return make


def trainer(model: str, size: int, batch_size: int) -> Callable[[int], int]:
    """What takes `STEPS` training steps of every layer, traced already, and says how many images they were."""
    network = trainable_network(model, size)
    images, targets, weights = noise_batch(batch_size, size)

    def step(_: int) -> int:
        for _ in range(STEPS):
            network.train_on_batch(images, targets, sample_weight=weights)
        return STEPS * batch_size

    step(0)
    return step


def trainable_network(model: str, size: int) -> "keras.Model":
    """A network of random weights for two classes, compiled for training every layer."""
    params = settings(model, 1, "end_to_end")
    dataset = params.data.model_copy(update={"image_size": size})
    params = params.model_copy(update={"datasets": params.datasets | {params.dataset: dataset}})
    backbone = backbone_of(params)
    network = join(backbone, build_head(backbone.output_shape[-1], [], 2, params.seed))
    unfreeze_all(network, params.train.batch_norm_momentum)
    compile_network(network, params.network, params.train, plan_phases(params.network)[0], 2)
    return network


def noise_batch(n: int, size: int) -> Batch:
    """A batch in memory."""
    subset = noise_subset(n)
    images = np.random.default_rng(7).uniform(0, 255, (n, size, size, 3)).astype(np.float32)
    return images, subset.targets, subset.weights


def rates(makers: dict[tuple[int, str], Callable[[int], int]], turns: int) -> pd.DataFrame:
    """Median images a second of each; columns ``workers`` (none of a step), ``augmentation``, ``images_per_second``."""
    measured: dict[tuple[int, str], list[float]] = {key: [] for key in makers}
    for make in makers.values():  # the first batch loads what an augmentation needs
        make(0)
    for turn in range(1, turns + 1):
        for key, make in makers.items():
            started = time.perf_counter()
            images = make(turn)
            measured[key].append(images / (time.perf_counter() - started))
    return pd.DataFrame(
        {
            "workers": pd.array([number or None for number, _ in measured], "Int64"),
            "augmentation": [name for _, name in measured],
            "images_per_second": [round(float(np.median(values)), 1) for values in measured.values()],
        }
    )


if __name__ == "__main__":
    main()
