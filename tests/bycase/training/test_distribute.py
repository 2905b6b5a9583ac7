"""Mirrored training on two logical CPUs gives what one device gives; a backend that cannot is refused."""

import importlib.util
import os
import subprocess
import sys

import pytest

TWO_DEVICES = """
import keras, numpy as np
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from bycase.core.params import load_params
from bycase.training.compile import compile_network
from bycase.training.distribute import make_strategy, scope, train_step
from bycase.networks.head import build_head
from bycase.training.phases import PhasePlan
params = load_params()
random = np.random.default_rng(0)
def make_batch(n):
    return (random.normal(size=(n, 5)).astype("float32"), random.integers(0, 2, (n, 1)).astype("float32"),
            random.uniform(0.5, 2, n).astype("float32"))
batches = [make_batch(16)] * 5 + ([make_batch(7)] if keras.backend.backend() == "jax" else [])
results = []
for name in ("single", "mirrored"):
    strategy = make_strategy(name)
    with scope(strategy):
        head = build_head(5, [], 2, 1)
        entry = params.zoo["resnet50v2"].model_copy(update={"optimizer": "sgd"})
        compile_network(head, entry, params.train, PhasePlan("head", 0, 0.1, 1, 1), 2)
    losses = [train_step(head, strategy, batch)["loss"] for batch in batches]
    results.append((losses, head.get_weights()))
    print(name, strategy.num_replicas_in_sync, losses)
assert strategy.num_replicas_in_sync == 2
np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
for one, two in zip(results[0][1], results[1][1]):
    np.testing.assert_allclose(one, two, atol=1e-6)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_mirrored_training_is_training_on_one_device(backend: str) -> None:
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    two = {"KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], env=os.environ | two, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mirrored_with_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from bycase.core.errors import UserError
    from bycase.training.distribute import make_strategy

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(UserError, match="train.strategy: mirrored needs TensorFlow or JAX"):
        make_strategy("mirrored")
