"""`python -m speed.predict`: images a second of every export against `keras.Model.predict`, and one image's latency.

Needs no data: the images are noise, which takes as long as tissue, and the head's weights are random. Runtimes take
turns in one process; a ratio is the median over turns, each against Keras in the same turn. The difference is that
between probabilities; what int8's answers are worth shows on a trained network only, in the report that `bycase export`
writes beside it.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bycase.apps.classifier.network import with_features
from bycase.apps.export.convert import convert_litert, convert_onnx, convert_openvino
from bycase.apps.export.quantise import quantise
from bycase.apps.runtimes import FILES, load_runtime
from bycase.core.errors import UserError
from bycase.core.files import replace_folder
from bycase.core.machine import core_count
from bycase.core.seeding import make_deterministic
from bycase.networks.forward import frozen_forward
from bycase.networks.graph import save_graph
from bycase.networks.head import build_head, join
from bycase.networks.registry import build_backbone

if TYPE_CHECKING:
    import keras

BATCH = 16
TURNS = 5
SINGLE = 100
CONVERTERS = {
    "tf": save_graph,
    "litert": convert_litert,
    "onnx": convert_onnx,
    "openvino": convert_openvino,
}
Images = NDArray[np.float32]
Run = Callable[[Images], object]


def main() -> None:
    """Convert, time in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="efficientnetlite")
    parser.add_argument("--size", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--images", type=int, default=64, help=f"a turn, a multiple of {BATCH}")
    parser.add_argument("--formats", nargs="+", default=["onnx", "openvino", "int8"], choices=list(FILES))
    arguments = parser.parse_args()
    make_deterministic(7)
    random = np.random.default_rng(7)
    images = random.uniform(0, 255, (arguments.images, arguments.size, arguments.size, 3)).astype(np.float32)
    images *= random.uniform(0.1, 1, (arguments.images, 1, 1, 3)).astype(np.float32)
    network = make_network(arguments.model, arguments.size, images[:BATCH])
    with tempfile.TemporaryDirectory() as work:
        places = {kind: convert(kind, network, Path(work), images) for kind in arguments.formats}
        many: dict[str, Run] = {"keras.predict": lambda batch: network.predict(batch, batch_size=BATCH, verbose=0)}
        many["keras, constants"] = in_batches(frozen_forward(network, BATCH))
        one: dict[str, Run] = {"keras.predict": lambda batch: network.predict(batch, verbose=0)}
        one["keras, constants"] = frozen_forward(network, 1)
        for kind, path in places.items():
            many[kind] = in_batches(load_runtime(path, kind, BATCH))
            one[kind] = load_runtime(path, kind, 1)
        report(arguments.model, arguments.size, images, many, one)


def make_network(model: str, size: int, images: Images) -> "keras.Model":
    """The backbone with a head that standardises, as in the pipeline, its features beside its probability."""
    backbone = build_backbone(model, size, "imagenet" if model == "efficientnetlite" else "random", "avg", 7)
    features = backbone.predict(images, verbose=0)
    statistics = features.mean(axis=0, dtype=np.float64), features.var(axis=0, dtype=np.float64) + 1e-6
    head = build_head(features.shape[1], [], 2, 7, statistics)
    width = features.shape[1]
    weights = np.random.default_rng(8).normal(0, 1 / np.sqrt(width), (width, 1))
    head.layers[-1].set_weights([weights, np.zeros(1)])
    return with_features(join(backbone, head))


def convert(kind: str, network: "keras.Model", work: Path, images: Images) -> Path:
    """The network's file in one format, without a gate."""
    with replace_folder(work / kind) as folder:
        if kind == "int8":
            rows = [str(row) for row in range(len(images))]
            quantise(network, folder / FILES[kind], rows, lambda rows: images[[int(row) for row in rows]])
        else:
            CONVERTERS[kind](network, folder / FILES[kind])
    return work / kind / FILES[kind]


def in_batches(forward: Callable[[Images], Images]) -> Run:
    """All of the images through a runtime."""
    return lambda images: np.concatenate(
        [forward(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    )


def report(model: str, size: int, images: Images, many: dict[str, Run], one: dict[str, Run]) -> None:
    """Print images a second, ratios, latencies and the largest difference between probabilities."""
    load = os.getloadavg()[0]
    expected = np.asarray(many["keras.predict"](images))[:, -1]
    differences = {name: float(np.abs(np.asarray(run(images))[:, -1] - expected).max()) for name, run in many.items()}
    for run in one.values():
        run(images[:1])
    rates: dict[str, list[float]] = {name: [] for name in many}
    waits: dict[str, list[float]] = {name: [] for name in one}
    for _ in range(TURNS):
        for name, run in many.items():
            rates[name].append(len(images) / seconds(run, images))
        for name, run in one.items():
            waits[name] += [seconds(run, images[:1]) for _ in range(SINGLE // TURNS)]
    keras_rates = np.array(rates["keras.predict"])
    sys.stdout.write(
        f"{model}, {size} pixels, batches of {BATCH}, {core_count()} cores, "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after\n"
        f"{'':<18}{'images/s':>9}{'ratio':>7}{'p50 ms':>8}{'p99 ms':>8}{'difference':>12}\n"
    )
    for name, rate in rates.items():
        ratio = float(np.median(np.array(rate) / keras_rates))
        half, most = np.percentile(np.array(waits[name]) * 1000, [50, 99])
        sys.stdout.write(
            f"{name:<18}{np.median(rate):9.1f}{ratio:7.2f}{half:8.1f}{most:8.1f}"
            f"{'' if name == 'int8' else format(differences[name], '.1e'):>12}\n"
        )


def seconds(run: Run, images: Images) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    run(images)
    return time.perf_counter() - started


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
