"""Mirrored training on two logical CPUs gives what one device gives; another backend is refused."""

import subprocess
import sys

import pytest

TWO_DEVICES = """
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from bycase.core.params import load_params
from bycase.training.compile import compile_network
from bycase.training.distribute import make_strategy, scope, train_step
from bycase.networks.head import build_head
from bycase.training.phases import PhasePlan
params = load_params()
random = np.random.default_rng(0)
batch = (random.normal(size=(16, 5)).astype("float32"), random.integers(0, 2, (16, 1)).astype("float32"),
         random.uniform(0.5, 2, 16).astype("float32"))
results = []
for name in ("single", "mirrored"):
    strategy = make_strategy(name)
    with scope(strategy):
        head = build_head(5, [], 2, 1)
        entry = params.zoo["resnet50v2"].model_copy(update={"optimizer": "sgd"})
        compile_network(head, entry, params.train, PhasePlan("head", 0, 0.1, 1, 1), 2)
    losses = [train_step(head, strategy, batch)["loss"] for _ in range(5)]
    results.append((losses, head.get_weights()))
    print(name, strategy.num_replicas_in_sync, losses)
assert strategy.num_replicas_in_sync == 2
np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
for one, two in zip(results[0][1], results[1][1]):
    np.testing.assert_allclose(one, two, atol=1e-6)
"""


def test_mirrored_training_is_training_on_one_device() -> None:
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mirrored_with_jax_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from bycase.core.errors import UserError
    from bycase.training.distribute import make_strategy

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match="train.strategy: mirrored needs TensorFlow"):
        make_strategy("mirrored")
