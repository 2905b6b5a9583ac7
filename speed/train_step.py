"""`python -m speed.train_step`: the training loop against a bare `train_on_batch`, and what starting up costs.

Run where `dvc repro preprocess` has run. End-to-end training with augmentation, against the same step on one batch that
is in memory, in turns within one process.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bycase.core.seeding import make_deterministic
from bycase.tables.features import Features
from bycase.training.batches import decode_once
from bycase.training.checkpoint import Progress
from bycase.training.distribute import make_strategy
from bycase.training.loop import Phase, train_epoch
from bycase.training.phases import plan_phases
from bycase.training.prepare import gather, prepare_phase
from bycase.training.subsets import Subset
from speed.training import BATCH, backbone_of, settings, subsets_of

STEPS = 6
ROUNDS = 5


def main() -> None:
    """Time both in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="efficientnetv2", help="with random weights")
    model = parser.parse_args().model
    marks = [time.perf_counter()]

    def mark() -> float:
        marks.append(time.perf_counter())
        return marks[-1] - marks[-2]

    params = settings(model, 1, "end_to_end")
    train, _, classes = subsets_of(params)
    make_deterministic(params.seed)
    imported = mark()
    backbone = backbone_of(params)
    built = mark()
    with tempfile.TemporaryDirectory() as work:
        some = first_images(train, STEPS * BATCH)
        nothing = Features([], np.zeros((0, 1, 0), np.float32), {})
        pixels = decode_once(some.images.tolist(), params.data.image_size, Path(work) / "pixels.npy")
        decoded = mark()
        strategy = make_strategy("single")
        material = gather(params, (some, some), len(classes), strategy, backbone, nothing, lambda: pixels)
        phase = prepare_phase(plan_phases(params.network)[0], material)
        x, targets, weights = next(phase.batches(0))
        compiled = mark()
        phase.model.train_on_batch(x, targets, sample_weight=weights)
        first = mark()
        bare, looped = time_in_turns(phase)
    sys.stdout.write(
        f"{model}, end to end, {BATCH} images of {params.data.image_size} pixels a step\n"
        f"bare train_on_batch  {bare:7.3f} s a step\n"
        f"the training loop    {looped:7.3f} s a step, ratio {looped / bare:.3f}\n"
        f"start-up: import {imported:.1f} s, backbone {built:.1f} s, decoding {len(some.y)} images {decoded:.1f} s, "
        f"optimiser and first batch {compiled:.1f} s, first step (tracing) {first - bare:.1f} s over a later one\n"
    )


def first_images(subset: Subset, n: int) -> Subset:
    """The first `n` images of a subset."""
    return Subset(subset.images[:n], subset.y[:n], subset.targets[:n], subset.weights[:n], subset.unit[:n])


def time_in_turns(phase: Phase) -> tuple[float, float]:
    """Median seconds a step: bare, on one batch in memory; and in the loop, which reads and augments."""
    x, targets, weights = next(phase.batches(0))
    bare, looped = [], []
    for turn in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(STEPS):
            phase.model.train_on_batch(x, targets, sample_weight=weights, return_dict=True)
        bare.append((time.perf_counter() - started) / STEPS)
        started = time.perf_counter()
        train_epoch(phase, Progress(epoch=turn))
        looped.append((time.perf_counter() - started) / STEPS)
    return float(np.median(bare)), float(np.median(looped))


if __name__ == "__main__":
    main()
