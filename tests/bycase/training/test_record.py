import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from bycase.networks.registry import build_backbone
from bycase.tables.cost import read_times
from bycase.tables.models import MODEL_INFO
from bycase.training.checkpoint import Progress
from bycase.training.record import count_flops, write_record
from bycase.training.run import Training


def test_flops_of_a_small_network_are_those_of_a_hand_calculation() -> None:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = keras.layers.Flatten()(x)
    network = keras.Model(inputs, keras.layers.Dense(5, use_bias=False)(x))
    convolution, depthwise, dense = 4 * 4 * 4 * (3 * 3 * 3), 4 * 4 * 4 * (3 * 3), 4 * 4 * 4 * 5
    assert count_flops(network) == {"flops": 2 * (convolution + depthwise + dense)}


@pytest.mark.parametrize(
    ("name", "published"),  # multiply-adds of 224 pixels
    [
        ("mobilenetv2", 300e6),  # Sandler et al. (2018), table 4
        pytest.param("resnet50", 3.8e9, marks=pytest.mark.slow),  # He et al. (2016), table 1
        pytest.param("vgg16", 15.3e9, marks=pytest.mark.slow),  # He et al. (2016): 15.3 of its convolutions and head
    ],
)
def test_flops_are_twice_the_published_multiply_adds(name: str, published: float) -> None:
    network = build_backbone(name, 224, "random", "avg", seed=1)
    assert count_flops(network)["flops"] == pytest.approx(2 * published, rel=0.04)


def test_another_backend_has_no_flops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert count_flops(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])) == {}


def test_the_record_holds_size_and_operations_and_energy_only_where_known(
    project: Path, make_params: Callable[..., Any]
) -> None:
    network = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    progress = Progress(history=[{"epoch": 1, "loss": 0.5, "val_auc": 0.75}], seconds=2.0)
    write_record(network, Training(progress, 0.69, {}), make_params({}), {"embed_seconds": 1.0})
    written = json.loads(MODEL_INFO.read_text())
    assert written["model_bytes"] == Path("models/model.keras").stat().st_size
    assert written["flops"] >= 2 * 48
    headlines = json.loads(Path("metrics/headlines/train.json").read_text())
    assert headlines["flops"] == written["flops"]
    assert headlines["last_epoch"] == {"loss": 0.5, "val_auc": 0.75}
    times = read_times(written["network_sha256"])
    assert (times["embed_seconds"], times["training_seconds"]) == (1.0, 2.0)
    assert not [key for key in times if key.startswith("energy")]
    assert not [key for key in written if "seconds" in key]
    write_record(network, Training(progress, 0.69, {"energy_joules": 3.0}), make_params({}), {"embed_seconds": 1.0})
    assert read_times(written["network_sha256"])["energy_joules"] == 3.0
