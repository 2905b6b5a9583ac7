"""Models, losses and training on JAX instead of TensorFlow."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import numpy as np
from pathlib import Path
from functools import partial
from bycase.core.params import load_params
from bycase.core.seeding import make_deterministic
make_deterministic(1)
import keras
assert keras.backend.backend() == "jax"
import pandas as pd
from bycase.core.rows import RowFile
from bycase.training.batches import image_batches
from bycase.training.checkpoint import Checkpoint, Progress
from bycase.training.collapse import CollapseGuard
from bycase.training.compile import compile_network
from bycase.training.distribute import make_strategy
from bycase.training.subsets import make_targets
from bycase.training.loop import Phase, EpochCallbacks, run_phase
from bycase.networks.head import build_head, join, unfreeze_all
from bycase.training.subsets import Subset
from bycase.training.phases import PhasePlan
from bycase.networks.predict import predict_rows
from bycase.training.phases import Schedule
from bycase.networks.forward import forward

params = load_params()
inputs = keras.Input((32, 32, 3))
x = keras.layers.Rescaling(1 / 127.5, -1.0)(inputs)
x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(x)
x = keras.layers.BatchNormalization()(x)
x = keras.layers.GlobalAveragePooling2D()(x)
network = join(keras.Model(inputs, x), build_head(8, [], 3, 1))
unfreeze_all(network, 0.8)
random = np.random.default_rng(0)
y = np.arange(48) % 3
pixels = np.clip(random.normal(60 + 60 * y[:, None, None, None], 30, (48, 32, 32, 3)), 0, 255).astype(np.uint8)
np.save("pixels.npy", pixels)
rows = RowFile(Path("pixels.npy"))
part = Subset(pd.Series([""] * 36), y[:36], make_targets(y[:36], 3), np.ones(36, np.float32), np.arange(36))
train = params.train.model_copy(update={"ema": 0.5, "schedule": "cosine", "loss": "focal", "gradient_clip": 1.0})
augment = params.augment.model_copy(update={"mixup": 0.2})
plan = PhasePlan("end_to_end", 0, 0.02, 8, 8)
compile_network(network, params.zoo["alexnet"], train, plan, 3)
run = partial(forward, network, batch_size=12)
phase = Phase(plan, network, Schedule(train, 0.02, 3, 8), partial(image_batches, rows, part, augment, 12, 1),
              partial(predict_rows, run, rows.read, np.arange(36, 48), 12), make_strategy("single"))
progress = Progress()
guard = CollapseGuard(9.0, list("abc"), 99)
callbacks = EpochCallbacks(y[36:], "auc", guard, True, Checkpoint(Path("c.npz"), "x"), lambda row: None)
run_phase(phase, progress, callbacks)
print(progress.best_score)
assert progress.best_score > 0.8
network.save("network.keras")
"""


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed")
def test_a_small_network_trains_on_jax_and_is_read_by_tensorflow(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    (tmp_path / "params.yaml").write_bytes((root / "params.yaml").read_bytes())

    def run(code: str, backend: str) -> None:
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(TRAIN, "jax")
    read = "import keras; assert keras.saving.load_model('network.keras', compile=False).output_shape == (None, 3)"
    run(read, "tensorflow")
