"""Optimisers: a factor on the learning rate for each layer, clipping, decay."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from bycase.core.device import Gpu
from bycase.core.params import load_params
from bycase.core.params_training import ModelParams, TrainParams
from bycase.training import compile as compile_module
from bycase.training.compile import by_xla, learning_rate_factors, make_optimizer


def entry(**changes: Any) -> ModelParams:
    return load_params().zoo["resnet50v2"].model_copy(update=changes)


def training(**changes: Any) -> TrainParams:
    return load_params().train.model_copy(update=changes)


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    x = inputs
    for name in ("bottom", "middle", "top"):
        x = keras.layers.Dense(3, use_bias=False, name=name)(x)
    head_input = keras.Input((3,))
    head = keras.Model(head_input, keras.layers.Dense(1, use_bias=False)(head_input), name="head")
    return keras.Model(inputs, head(x))


def test_factors_fall_geometrically_from_the_head_to_the_lowest_layer() -> None:
    model = network()
    assert learning_rate_factors(model, 0.001) == pytest.approx([0.001, 0.01, 0.1, 1.0])
    model.get_layer("bottom").trainable = False
    assert learning_rate_factors(model, 0.01) == pytest.approx([0.01, 0.1, 1.0])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_each_variable_moves_by_its_own_learning_rate(optimizer: str) -> None:
    def moved(factors: list[float] | None) -> list[np.ndarray]:
        model = network()
        chosen = make_optimizer(entry(optimizer=optimizer, weight_decay=0.0), training(), 0.1, factors)
        chosen.build(model.trainable_variables)
        before = [np.asarray(v) for v in model.trainable_variables]
        chosen.apply([np.full(v.shape, 0.5, np.float32) for v in model.trainable_variables])
        return [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]

    plain, own = moved(None), moved([0.01, 0.1, 0.5, 1.0])
    for factor, a, b in zip([0.01, 0.1, 0.5, 1.0], plain, own, strict=True):
        assert np.abs(a).max() > 0
        np.testing.assert_allclose(b, factor * a, rtol=1e-3, atol=1e-7)


def test_clipping_bounds_the_norm_of_all_gradients_together() -> None:
    model = network()
    optimizer = make_optimizer(entry(optimizer="sgd", weight_decay=0.0), training(gradient_clip=1.0, momentum=0.0), 1.0)
    optimizer.build(model.trainable_variables)
    before = [np.asarray(v) for v in model.trainable_variables]
    optimizer.apply([np.full(v.shape, 100.0, np.float32) for v in model.trainable_variables])
    steps = [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]
    assert np.sqrt(sum((step**2).sum() for step in steps)) == pytest.approx(1.0, rel=1e-4)


def test_decay_is_decoupled_from_the_gradient() -> None:
    model = network()
    optimizer = make_optimizer(entry(optimizer="adamw", weight_decay=0.1), training(), 0.5)
    optimizer.build(model.trainable_variables)
    before = [np.asarray(v) for v in model.trainable_variables]
    optimizer.apply([np.zeros(v.shape, np.float32) for v in model.trainable_variables])
    for variable, old in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(np.asarray(variable), old * (1 - 0.5 * 0.1), rtol=1e-5)


def test_sgd_has_the_momentum_asked_for() -> None:
    assert make_optimizer(entry(optimizer="sgd"), training(momentum=0.7), 0.1).momentum == 0.7


@pytest.mark.parametrize(
    ("backend", "gpus", "compiled"),
    [("tensorflow", (), False), ("tensorflow", (Gpu("card", (9, 0)),), True), ("jax", (), True)],
)
def test_xla_compiles_where_it_pays(
    monkeypatch: pytest.MonkeyPatch, backend: str, gpus: tuple[Gpu, ...], compiled: bool
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(compile_module, "find_gpus", lambda: gpus)
    assert by_xla() is compiled


def test_xla_leaves_mirrored_steps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setattr(compile_module, "find_gpus", lambda: (Gpu("card", (9, 0)),) * 2)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: SimpleNamespace(num_replicas_in_sync=2))
    assert not by_xla()
