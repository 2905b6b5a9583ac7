from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.core.params_training import DenseLayer, DropoutLayer
from bycase.core.rows import RowFile
from bycase.networks.head import (
    bound_amplification,
    build_head,
    check_same_backbone,
    feature_statistics,
    join,
    unfreeze_all,
    unfreeze_top,
    with_auxiliary_outputs,
)
from bycase.networks.predict import class_probabilities
from bycase.networks.registry import build_backbone
from bycase.tables.features import Features
from bycase.training.compile import compile_network
from bycase.training.phases import PhasePlan

FEATURES = np.random.default_rng(0).normal(3, 5, (40, 1280)).astype(np.float32)
STATISTICS = (FEATURES.mean(axis=0, dtype=float), FEATURES.var(axis=0, dtype=float))


@pytest.fixture
def network() -> keras.Model:
    backbone = build_backbone("efficientnetlite", 32, "imagenet", "avg", 1)
    return join(backbone, build_head(1280, [DenseLayer(dense=4)], 2, seed=1))


def test_head_follows_the_layer_list_of_system_d() -> None:
    layers = [DropoutLayer(dropout=0.4), DenseLayer(dense=384), DropoutLayer(dropout=0.3), DenseLayer(dense=64)]
    head = build_head(1280, layers, 2, 1, STATISTICS)
    kinds = [type(layer).__name__ for layer in head.layers]
    assert kinds == ["InputLayer", "Normalization", "Dropout", "Dense", "Dropout", "Dense", "Dense"]
    assert [layer.units for layer in head.layers if isinstance(layer, keras.layers.Dense)] == [384, 64, 1]


def test_head_standardises_by_the_training_features() -> None:
    head = build_head(1280, [], 2, 1, STATISTICS)
    standardised = np.asarray(head.get_layer("standardise")(FEATURES))
    np.testing.assert_allclose(standardised, (FEATURES - FEATURES.mean(0)) / FEATURES.std(0), atol=1e-4)


def test_a_head_may_leave_the_features_as_they_are() -> None:
    assert [type(layer).__name__ for layer in build_head(8, [], 2, seed=1).layers] == ["InputLayer", "Dense"]


def test_statistics_are_of_all_views_of_the_chosen_images(tmp_path: Path) -> None:
    array = np.random.default_rng(3).normal(1000, 0.1, (700, 3, 4)).astype(np.float32)
    np.save(tmp_path / "f.npy", array)
    rows = np.arange(0, 700, 2)
    mean, variance = feature_statistics(RowFile(tmp_path / "f.npy"), rows)
    chosen = array[rows].astype(np.float64)
    np.testing.assert_allclose(mean, chosen.mean(axis=(0, 1)), rtol=1e-10)
    np.testing.assert_allclose(variance, chosen.var(axis=(0, 1)), rtol=1e-8)


def test_a_feature_that_never_fires_is_not_amplified_where_it_may_begin_to() -> None:
    mean, variance = np.array([1.0, 0.0, 2.0]), np.array([4.0, 0.0, 2.0])
    bounded = bound_amplification((mean, variance))
    assert bounded[0].tolist() == mean.tolist()
    assert bounded[1].tolist() == pytest.approx([4.0, 0.02, 2.0])
    head = build_head(3, [], 2, 1, bounded)
    standardised = np.asarray(head.get_layer("standardise")(np.array([[1.0, 0.1, 2.0]], np.float32)))
    assert np.abs(standardised).max() < 1


def test_end_to_end_training_reaches_every_layer_with_its_own_momentum(network: keras.Model) -> None:
    unfreeze_all(network, 0.8)
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} == {0.8}
    assert all(layer.trainable for layer in network.layers)


def test_auxiliary_outputs_stand_beside_the_networks_own() -> None:
    inputs = keras.Input((4,))
    main = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    other = keras.layers.Dense(3, activation="softmax")(inputs)
    whole = with_auxiliary_outputs(main, [other])
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(whole.predict(x, verbose=0)[:, :3], main.predict(x, verbose=0))
    assert whole.output_shape == (None, 6)
    assert with_auxiliary_outputs(main, []) is main


def test_more_than_two_classes_give_a_softmax() -> None:
    outputs = build_head(1280, [], 7, seed=1).predict(FEATURES, verbose=0)
    assert outputs.shape == (40, 7)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-5)


def test_the_whole_network_equals_backbone_then_head(network: keras.Model) -> None:
    images = np.random.default_rng(1).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)
    backbone = build_backbone("efficientnetlite", 32, "imagenet", "avg", 1)
    expected = network.get_layer("head").predict(backbone.predict(images, verbose=0), verbose=0)
    np.testing.assert_allclose(network.predict(images, verbose=0), expected, atol=1e-6)


def test_unfreezing_leaves_batch_norm_and_the_bottom_frozen(network: keras.Model) -> None:
    unfreeze_top(network, 20)
    backbone = [layer for layer in network.layers if layer.name != "head"]
    assert not any(layer.trainable for layer in backbone[:-20])
    assert not any(layer.trainable for layer in backbone if isinstance(layer, keras.layers.BatchNormalization))
    assert any(layer.trainable_weights for layer in backbone[-20:])
    assert network.get_layer("head").trainable


def test_a_fine_tuning_step_changes_only_what_is_unfrozen(network: keras.Model) -> None:
    unfreeze_top(network, 20)
    params = load_params()
    compile_network(network, params.zoo["efficientnetlite"], params.train, PhasePlan("fine_tune", 20, 0.01, 1, 1), 2)
    trainable = {id(v) for v in network.trainable_variables}
    before = {v.path: np.asarray(v) for v in network.weights}
    images = np.random.default_rng(1).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    network.train_on_batch(images, np.array([[0], [1], [0], [1]], np.float32))
    changed = {v.path for v in network.weights if np.abs(np.asarray(v) - before[v.path]).max() > 0}
    assert changed
    assert changed <= {v.path for v in network.weights if id(v) in trainable}
    assert not any("-_bn" in path or "_bn" in path.split("/")[0] for path in changed)


def test_all_layers_are_those_of_a_number_that_exceeds_them_and_steps_share_what_there_is(network: keras.Model) -> None:
    def trainable(layers: int | str, part: Fraction = Fraction(1)) -> list[bool]:
        unfreeze_top(network, layers, part)
        return [layer.trainable for layer in network.layers if layer.name != "head"]

    everything = trainable("all")
    norms = [isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers if layer.name != "head"]
    assert everything == [not norm for norm in norms]
    assert trainable(100_000) == everything
    half = len(everything) // 2
    for layers in ("all", 100_000):
        assert trainable(layers, Fraction(1, 2)) == [False] * (len(everything) - half) + everything[-half:]


def test_trained_batch_norm_follows_the_images_and_a_frozen_one_does_not(network: keras.Model) -> None:
    params = load_params()
    images = np.random.default_rng(1).uniform(0, 255, (8, 32, 32, 3)).astype(np.float32)
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for momentum in (None, 0.75):
        unfreeze_top(network, 20, batch_norm_momentum=momentum)
        plan = PhasePlan("fine_tune", 20, 0.001, 1, 1)
        compile_network(network, params.zoo["efficientnetlite"], params.train, plan, 2)
        before = [np.asarray(layer.moving_mean) for layer in norms]
        network.train_on_batch(images, np.array([[0], [1]] * 4, np.float32))
        moved = [bool((np.asarray(layer.moving_mean) != mean).any()) for layer, mean in zip(norms, before, strict=True)]
        assert moved == [momentum is not None and layer.trainable for layer in norms]
        assert any(moved) == (momentum is not None)
    assert {layer.momentum for layer in norms if layer.trainable} == {0.75}


def test_batch_norm_without_statistics_is_not_trained() -> None:
    image = keras.Input((8, 8, 3))
    features = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization(name="folded")(image))
    network = join(keras.Model(image, features), build_head(3, [], 2, seed=1))
    unfreeze_top(network, "all")
    with pytest.raises(UserError, match=r"unfreeze.batch_norm: layer folded holds no statistics .* set it to frozen"):
        unfreeze_top(network, "all", batch_norm_momentum=0.9)


def test_the_saved_network_loads_in_safe_mode(network: keras.Model, tmp_path: Path) -> None:
    network.save(tmp_path / "n.keras")
    loaded = keras.saving.load_model(tmp_path / "n.keras", compile=False, safe_mode=True)
    images = np.full((2, 32, 32, 3), 100, np.float32)
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), network.predict(images, verbose=0))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [([[0.25]], [[0.75, 0.25]]), ([[0.2, 0.3, 0.5]], [[0.2, 0.3, 0.5]])],
)
def test_class_probabilities(outputs: list[list[float]], expected: list[list[float]]) -> None:
    np.testing.assert_allclose(class_probabilities(np.array(outputs, np.float32)), expected, atol=1e-6)


def test_features_of_another_backbone_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    monkeypatch.setattr("bycase.networks.head.read_pixels", lambda images: pixels)
    backbone = build_backbone("efficientnetlite", 32, "imagenet", "avg", 1)
    array = backbone.predict(pixels.astype(np.float32), verbose=0)[:, None]
    made_by = {"model": "efficientnetlite", "weights": "imagenet"}
    check_same_backbone(backbone, Features(["a", "b"], array, made_by))
    with pytest.raises(UserError, match="of another backbone"):
        check_same_backbone(backbone, Features(["a", "b"], array * 1.01, made_by))
