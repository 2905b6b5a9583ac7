"""`python -m speed.gpu [--csv FILE]`: training images a second on this machine's GPU, beside timm's.

Needs no data and little of the project: Python 3.12, JAX (with ``KERAS_BACKEND=jax``) or TensorFlow, and what `WHEELS`
lists, which a machine without a network is given as files: ``python -m speed.gpu --pack wheels`` fetches them here,
``pip install --no-index --no-deps wheels/*.whl`` installs them there.

Each network in a process of its own, in the precision that ``train.precision: auto`` chooses and with deterministic
kernels, as the pipeline trains: a step on a batch that is on the device already; the training loop, which reads,
augments and sends each batch; and the forward pass on images in memory. Then, where torch and timm are installed,
a bare step of timm's model of the same kind in mixed precision, channels last.
"""

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHEELS = (
    "keras",
    "namex",
    "optree",
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-inspection",
    "ruamel.yaml",
)
ROUNDS = 5


@dataclass(frozen=True)
class Case:
    """A network: its name here and in timm, and images a second that timm published.

    Training on an RTX 3090 in mixed precision, channels last (timm's results,
    benchmark-train-amp-nhwc-pt112-cu113-rtx3090.csv), at `published_size` pixels.
    """

    timm: str
    published: int
    published_size: int = 224


CASES = {
    "efficientnetv2": Case("tf_efficientnetv2_b0", 3428, 192),
    "resnet50v2": Case("resnetv2_50", 1289),
    "efficientnet": Case("efficientnet_b0", 1752),
    "mobilenetv3": Case("mobilenetv3_large_100", 2732),
}


def main(words: list[str] | None = None) -> None:
    """Measure every network and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--size", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--batch", type=int, default=128, help="images in a batch")
    parser.add_argument("--steps", type=int, default=20, help=f"in each of {ROUNDS} rounds, of which the median counts")
    parser.add_argument("--csv", type=Path, help="write the table to this file as well")
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="only fetch the wheels, for Python 3.12 on Linux")
    parser.add_argument("--child", nargs=2, metavar=("FRAMEWORK", "NETWORK"), help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.pack:
        pack(options.pack)
        return
    if options.child:
        framework, name = options.child
        measure = measure_timm if framework == "timm" else measure_keras
        sys.stdout.write(json.dumps(measure(name, options.size, options.batch, options.steps)) + "\n")
        return
    frameworks = ["keras"]
    if importlib.util.find_spec("torch") and importlib.util.find_spec("timm"):
        frameworks.append("timm")
    else:
        sys.stderr.write("torch or timm is not installed: no step of timm's is measured\n")
    rows = []
    for name in options.networks:
        for framework in frameworks:
            rows.append(in_a_process(framework, name, options))
            sys.stdout.write(line_of(rows[-1]) + "\n")
            sys.stdout.flush()
    if options.csv:
        import pandas as pd

        pd.DataFrame(rows).to_csv(options.csv, index=False)


def pack(folder: Path) -> None:
    """Fetch the wheels of `WHEELS` and say how large they are."""
    target = [
        "--dest",
        str(folder),
        "--python-version",
        "3.12",
        "--platform",
        "manylinux2014_x86_64",
        "--only-binary",
        ":all:",
    ]
    download = [sys.executable, "-m", "pip", "download", "--quiet", *target]
    # Each pydantic goes with one pydantic-core; what else the others need is large, and there with JAX.
    subprocess.run([*download, "pydantic"], check=True)
    subprocess.run([*download, "--no-deps", *(name for name in WHEELS if not name.startswith("pydantic"))], check=True)
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    sys.stdout.write(f"{megabytes:.1f} MB in {folder}\n")


def in_a_process(framework: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a process of its own measures, beside what was published; ``error`` where it fails."""
    words = [sys.executable, "-m", "speed.gpu", "--child", framework, name]
    for key in ("size", "batch", "steps"):
        words += [f"--{key}", str(getattr(options, key))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    case = CASES[name]
    row = {"network": name if framework == "keras" else case.timm, "framework": framework}
    row |= {"size": options.size, "batch": options.batch}
    published = {"published_rtx3090": case.published, "published_size": case.published_size}
    if done.returncode:
        return {**row, "error": (done.stderr.strip().splitlines() or ["ended by the system"])[-1][:200], **published}
    return {**row, **json.loads(done.stdout.splitlines()[-1]), **published}


def line_of(row: dict[str, Any]) -> str:
    """A row of the table in words."""
    start = f"{row['network']:<22} {row['size']} px, batches of {row['batch']}: "
    if "error" in row:
        return start + row["error"]
    loop = f"loop {row['loop']:.0f} ({row['loop'] / row['step']:.2f} of it), " if "loop" in row else ""
    forward = f"forward {row['forward']:.0f}, " if "forward" in row else ""
    return (
        f"{start}step {row['step']:.0f} images/s, {loop}{forward}{row['peak_mb']:.0f} MB; {row['device']}, "
        f"{row['precision']}, start {row['start_seconds']:.0f} s; published {row['published_rtx3090']} at "
        f"{row['published_size']} px (RTX 3090)"
    )


def rate(run: Callable[[], object], images: int) -> float:
    """Median images a second of `ROUNDS` rounds; `run` goes through `images` of them, and has run once before."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return images / sorted(seconds)[ROUNDS // 2]


def measure_keras(name: str, size: int, batch: int, steps: int) -> dict[str, Any]:
    """Step, loop and forward pass of the project's network.

    Returns
    -------
    dict
        ``step``, ``loop`` and ``forward`` in images a second, ``peak_mb``, ``start_seconds`` until the first step is
        done, ``device`` and ``precision``.
    """
    started = time.perf_counter()
    from bycase.core.device import AUTO, find_gpus
    from bycase.core.params import load_params
    from bycase.core.seeding import make_deterministic
    from bycase.networks.forward import frozen_forward
    from bycase.training.batches import image_batches
    from speed.input import noise_batch, noise_subset, trainable_network, write_noise

    make_deterministic(7, AUTO)
    import keras

    network = trainable_network(name, size)
    images, targets, weights = noise_batch(batch, size)
    resident = [keras.ops.convert_to_tensor(array) for array in (images, targets, weights)]

    def step() -> None:
        for _ in range(steps):
            network.train_on_batch(resident[0], resident[1], sample_weight=resident[2])

    network.train_on_batch(resident[0], resident[1], sample_weight=resident[2])
    start_seconds = time.perf_counter() - started
    bare = rate(step, steps * batch)
    with tempfile.TemporaryDirectory() as work:
        pixels, augment = write_noise(Path(work), steps * batch, size), load_params().augment

        def loop() -> None:
            for x, y, w in image_batches(pixels, noise_subset(steps * batch), augment, batch, 7, 0):
                network.train_on_batch(x, y, sample_weight=w)

        looped = rate(loop, steps * batch)
    run = frozen_forward(network, batch)
    run(images)
    forward = rate(lambda: [run(images) for _ in range(steps)], steps * batch)
    return {
        "step": round(bare, 1),
        "loop": round(looped, 1),
        "forward": round(forward, 1),
        "peak_mb": round(peak_memory(), 1),
        "start_seconds": round(start_seconds, 1),
        "device": ", ".join(gpu.name for gpu in find_gpus()) or "no GPU",
        "precision": keras.config.dtype_policy().name,
        "backend": keras.backend.backend(),
    }


def peak_memory() -> float:
    """Largest memory that was in use, in MB: of the first GPU, or of this process where there is none."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        statistics = jax.local_devices()[0].memory_stats() or {}
        if "peak_bytes_in_use" in statistics:
            return float(statistics["peak_bytes_in_use"]) / 1e6
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            return float(tf.config.experimental.get_memory_info("GPU:0")["peak"]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure_timm(name: str, size: int, batch: int, steps: int) -> dict[str, Any]:
    """A bare training step of timm's network; keys as in `measure_keras`, without loop and forward pass."""
    started = time.perf_counter()
    import timm
    import torch

    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    half = torch.bfloat16 if cuda and torch.cuda.is_bf16_supported() else torch.float16
    torch.backends.cudnn.benchmark = True
    model = timm.create_model(CASES[name].timm, num_classes=1).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    scaler = torch.amp.GradScaler(enabled=cuda and half == torch.float16)
    images = torch.rand(batch, 3, size, size, device=device).to(memory_format=torch.channels_last)
    targets = torch.rand(batch, 1, device=device).round()

    def step(count: int = steps) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            with torch.autocast(device.type, dtype=half, enabled=cuda):
                outputs = model(images)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs.float(), targets)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        if cuda:
            torch.cuda.synchronize()

    step(3)
    start_seconds = time.perf_counter() - started
    bare = rate(step, steps * batch)
    peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "step": round(bare, 1),
        "peak_mb": round(peak / 1e6, 1),
        "start_seconds": round(start_seconds, 1),
        "device": torch.cuda.get_device_name() if cuda else "no GPU",
        "precision": str(half).removeprefix("torch.") if cuda else "float32",
        "backend": "torch",
    }


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
