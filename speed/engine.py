"""`python -m speed.engine [--csv FILE]`: images a second forward, by Keras and by OpenVINO, and what the start costs.

Needs no data: the images are noise, which takes as long as tissue. Engines and networks take turns in one process, so
that what else runs on the machine slows all of them alike; a ratio is the median over turns, each against Keras in the
same turn, by the clock and, as `work`, by the processor's seconds, which other programs hardly change. The start is
everything before the first batch is there, in processor seconds: of OpenVINO, conversion and the parity gate as well.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.files import write_csv
from bycase.core.machine import describe_machine
from bycase.core.seeding import make_deterministic
from bycase.networks.engine import KERAS, OPENVINO, choose_engine
from bycase.networks.registry import build_backbone

if TYPE_CHECKING:
    import keras

NETWORKS = ("efficientnetlite/16", "efficientnetlite", "resnet50v2", "mobilenetv2")
IMAGENET = "efficientnetlite"  # whose weights are a package; the others' are random
Images = NDArray[np.float32]


def main(words: list[str] | None = None) -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="a name, and after a slash the stride")
    parser.add_argument("--size", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--batch", type=int, default=16, help="images in a batch")
    parser.add_argument("--batches", type=int, default=2, help="a turn")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    arguments = parser.parse_args(words)
    make_deterministic(7)
    random = np.random.default_rng(7)
    images = random.uniform(0, 255, (arguments.batch, arguments.size, arguments.size, 3)).astype(np.float32)
    engines = {name: prepare(name, arguments.size, images) for name in arguments.networks}
    runs = {(name, engine): run for name, by_engine in engines.items() for engine, (run, *_) in by_engine.items()}
    seconds = measure(runs, images, arguments.batches, arguments.turns)
    table = summarise(engines, seconds, len(images) * arguments.batches)
    sys.stdout.write(f"{describe_machine()}; {arguments.size} pixels, batches of {arguments.batch}\n")
    sys.stdout.write(table.to_string(index=False) + "\n")
    if arguments.csv:
        write_csv(arguments.csv, table)


Prepared = tuple[Callable[[Images], Images], float, float]  # forward, seconds of its start, difference to Keras


def prepare(name: str, size: int, images: Images) -> dict[str, Prepared]:
    """A backbone in both engines, which have computed a batch."""
    backbone = build(name, size)
    prepared: dict[str, Prepared] = {}
    for wanted in (KERAS, OPENVINO):
        began = time.process_time()
        engine = choose_engine(backbone, wanted, len(images), lambda: images, "features")
        engine.forward(images)
        spent = time.process_time() - began
        prepared[wanted] = engine.forward, spent, engine.made_by.get("largest_difference", 0.0)
    return prepared


def build(name: str, size: int) -> "keras.Model":
    """The backbone of a name such as ``efficientnetlite/16``."""
    family, _, stride = name.partition("/")
    weights = "imagenet" if family == IMAGENET else "random"
    return build_backbone(family, size, weights, "avg", 7, stride=int(stride) if stride else None)


def measure(
    runs: dict[tuple[str, str], Callable[[Images], Images]], images: Images, batches: int, turns: int
) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Seconds of each turn, by the clock and of the processor, of every network in every engine."""
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {key: [] for key in runs}
    for _ in range(turns):
        for key, run in runs.items():
            began = time.perf_counter(), time.process_time()
            for _ in range(batches):
                run(images)
            seconds[key].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return seconds


def summarise(
    engines: dict[str, dict[str, Prepared]], seconds: dict[tuple[str, str], list[tuple[float, float]]], images: int
) -> pd.DataFrame:
    """A row a network: images a second (medians), their ratio with its range over turns, starts, and difference."""
    rows = []
    for name, prepared in engines.items():
        (keras, keras_work), (openvino, openvino_work) = (np.transpose(seconds[name, key]) for key in (KERAS, OPENVINO))
        ratios = keras / openvino
        rows.append(
            {
                "network": name,
                "keras": round(images / float(np.median(keras)), 1),
                "openvino": round(images / float(np.median(openvino)), 1),
                "ratio": round(float(np.median(ratios)), 2),
                "lowest": round(float(ratios.min()), 2),
                "highest": round(float(ratios.max()), 2),
                "work": round(float(np.median(keras_work / openvino_work)), 2),
                "start_keras": round(prepared[KERAS][1], 1),
                "start_openvino": round(prepared[OPENVINO][1], 1),
                "difference": float(f"{prepared[OPENVINO][2]:.1e}"),
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
