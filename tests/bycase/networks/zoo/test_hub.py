"""Networks of the extra `hub`, in small configurations with random weights."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.explain.layers import last_map
from bycase.networks.contract import contract_breach
from bycase.networks.registry import NETWORKS, build_backbone, find_variant, input_range
from bycase.networks.saved import load_network, save_network
from bycase.networks.zoo import hub
from bycase.networks.zoo.hub import FAMILIES, HUB, Preset

# Side of the images, side of the map, features of the map, and the preset.
SMALL = {
    "vit": (32, 4, 48, Preset(32, 48, 0, hub._vit(32, 8, 2, 2, 24, 0).config)),
    "swin": (32, 4, 64, Preset(32, 64, 0, {"embed_dim": 32, "depths": (2, 2), "num_heads": (1, 2), "window_size": 4})),
    "dinov2": (42, 3, 48, Preset(42, 48, 0, hub._dinov2(2, 2, 24, 0, registers=True).config)),
}
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# What the published weights expect: the papers' own code, of Google Research and of Meta.
REFERENCE = {
    "vit": lambda pixels: (pixels / 255 - 0.5) / 0.5,
    "swin": lambda pixels: (pixels / 255 - MEAN) / DEVIATION,
    "dinov2": lambda pixels: (pixels / 255 - MEAN) / DEVIATION,
}


@pytest.fixture
def keras_hub() -> Any:
    return pytest.importorskip("keras_hub", reason="keras-hub is not installed: pip install -r requirements-hub.txt")


@pytest.fixture(params=SMALL)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, keras_hub: Any) -> str:
    """A family that has one small preset, 'small'."""
    family = next(family for family in FAMILIES if family.name == request.param)
    small = family._replace(presets={"small": SMALL[request.param][3]})
    monkeypatch.setitem(NETWORKS, request.param, small.network())
    return str(request.param)


def build(name: str, weights: str = "random", pooling: str = "avg") -> keras.Model:
    return build_backbone(name, SMALL[name][0], weights, pooling, seed=1)


def pixels(name: str) -> np.ndarray:
    size = SMALL[name][0]
    return np.random.default_rng(0).uniform(0, 255, (3, size, size, 3)).astype(np.float32)


def own_backbone(name: str, keras_hub: Any) -> keras.Model:
    """KerasHub's, as it is."""
    size, _, _, preset = SMALL[name]
    family = next(family for family in FAMILIES if family.name == name)
    keras.utils.set_random_seed(3)
    return getattr(keras_hub.models, family.backbone)(**preset.config, **family.overrides, image_shape=(size, size, 3))


def expected_features(name: str, backbone: keras.Model, prepared: np.ndarray) -> np.ndarray:
    """The mean of the patches, then the class token."""
    given = {"images": prepared} if isinstance(backbone.input, dict) else prepared
    sequence = np.asarray(backbone(given, training=False))
    before = {"vit": 1, "swin": 0, "dinov2": 5}[name]
    mean = sequence[:, before:].mean(axis=1)
    return np.concatenate([mean, sequence[:, 0]], axis=1) if before else mean


def test_features_are_the_mean_patch_and_the_class_token_of_keras_hubs_own(
    name: str, keras_hub: Any, tmp_path: Path
) -> None:
    backbone, images = own_backbone(name, keras_hub), pixels(name)
    path = tmp_path / "model.weights.h5"
    backbone.save_weights(path)
    ours = build(name, str(path))
    expected = expected_features(name, backbone, REFERENCE[name](images).astype(np.float32))
    np.testing.assert_allclose(np.asarray(ours(images, training=False)), expected, atol=1e-4)
    assert find_variant(name)[1].features == expected.shape[1]
    assert np.ptp(expected, axis=0).max() > 1e-3


def test_its_map_has_a_place_for_each_patch(name: str) -> None:
    model = build(name)
    assert [layer.name for layer in model.layers[:2]] == ["image", "preprocess"]
    _, side, features, _ = SMALL[name]
    place = last_map(model)
    assert place.shape == (None, side, side, features)
    maps = np.asarray(keras.Model(model.input, place)(pixels(name), training=False))
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), np.asarray(model(pixels(name), training=False)), atol=1e-5)
    highest = build(name, pooling="max")
    np.testing.assert_allclose(maps.max(axis=(1, 2)), np.asarray(highest(pixels(name), training=False)), atol=1e-5)


def test_black_and_white_arrive_as_registered_and_a_doubled_rescale_is_told(name: str) -> None:
    model, images = build(name), pixels(name)
    assert contract_breach(model, images, name) is None
    assert "divided by 255 before" in (contract_breach(model, images / 255, name) or "")
    doubled = build_backbone(name, SMALL[name][0], "random", "avg", 1, rescale=1 / 255)
    assert f"zoo.{name}.rescale below 1" in (contract_breach(doubled, images, name) or "")
    ends = REFERENCE[name](np.array([[0.0] * 3, [255.0] * 3]))
    expected = (ends.min(), ends.max(), np.ptp(ends, axis=0).mean())
    assert tuple(input_range(name)) == pytest.approx(expected, abs=2e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name: str) -> None:
    first, again = build(name), build(name)
    other = build_backbone(name, SMALL[name][0], "random", "avg", seed=2)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first.get_weights(), other.get_weights(), strict=True))


def test_every_layer_can_be_trained(name: str) -> None:
    backbone = build(name)
    model = keras.Sequential([backbone, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    before = [np.copy(weight) for weight in backbone.get_weights()]
    losses = model.fit(pixels(name), np.array([0, 1, 1]), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    moved = [not np.array_equal(a, b) for a, b in zip(before, backbone.get_weights(), strict=True)]
    assert np.mean(moved) > 0.8


LOAD = """
import sys
from pathlib import Path
import numpy as np
from bycase.networks.saved import load_network

folder = Path(sys.argv[1])
assert "keras_hub" not in sys.modules
np.save(folder / "features.npy", np.asarray(load_network(folder / "model.keras")(np.load(folder / "pixels.npy"))))
"""


def test_a_saved_network_answers_the_same_in_a_fresh_process(name: str, tmp_path: Path) -> None:
    model = build(name)
    save_network(model, tmp_path / "model.keras")
    np.save(tmp_path / "pixels.npy", pixels(name))
    subprocess.run([sys.executable, "-c", LOAD, str(tmp_path)], check=True)
    expected = np.asarray(model(pixels(name), training=False))
    np.testing.assert_allclose(np.load(tmp_path / "features.npy"), expected, atol=1e-5)


def test_a_saved_network_of_a_package_that_is_not_installed_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"module": "keras_hub.src.models.vit.vit_backbone"}')
    with pytest.raises(UserError, match=r"model.keras needs the package keras_hub, .*requirements-hub\.txt"):
        load_network(path)


@pytest.fixture
def published(
    name: str, keras_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[keras.Model, Path]]:
    """KerasHub's backbone, saved as a preset that is found under the name 'small'."""
    from keras_hub.src.utils import preset_utils

    backbone, folder = own_backbone(name, keras_hub), tmp_path / "preset"
    backbone.save_to_preset(str(folder))
    monkeypatch.setitem(preset_utils.BUILTIN_PRESETS, "small", {"kaggle_handle": str(folder)})
    return backbone, folder


def save_converter(name: str, keras_hub: Any, folder: Path, scale: Any, offset: Any) -> None:
    family = next(family for family in FAMILIES if family.name == name)
    kind = family.backbone.replace("Backbone", "ImageConverter")
    size = SMALL[name][0]
    getattr(keras_hub.layers, kind)(image_size=(size, size), scale=scale, offset=offset).save_to_preset(str(folder))


def test_a_preset_brings_weights_and_scaling(name: str, keras_hub: Any, published: tuple[keras.Model, Path]) -> None:
    backbone, folder = published
    scale, offset = (1 / 127.5, -1.0) if name == "vit" else (list(1 / 255 / DEVIATION), list(-MEAN / DEVIATION))
    save_converter(name, keras_hub, folder, scale, offset)
    model, images = build(name, "imagenet"), pixels(name)
    expected = expected_features(name, backbone, REFERENCE[name](images).astype(np.float32))
    np.testing.assert_allclose(np.asarray(model(images, training=False)), expected, atol=1e-4)
    assert contract_breach(model, images, name) is None


def test_a_preset_whose_scaling_is_not_its_papers_breaks_the_contract(
    name: str, keras_hub: Any, published: tuple[keras.Model, Path]
) -> None:
    save_converter(name, keras_hub, published[1], 1 / 255, None)
    breach = contract_breach(build(name, "imagenet"), pixels(name), name)
    assert "black and white arrive as [0, 1] instead of" in (breach or "")


def test_without_a_network_the_downloads_own_error_is_one_line_with_three_ways_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_hub.src.utils import preset_utils

    def unreachable(*_: object) -> None:
        raise ConnectionError("HTTPSConnectionPool(host='example.invalid', port=443): Max retries exceeded\nwith url")

    monkeypatch.setattr(preset_utils, "get_file", unreachable)
    with pytest.raises(UserError) as caught:
        build(name, "imagenet")
    message = str(caught.value)
    assert "\n" not in message
    assert "preset small cannot be had from Kaggle (HTTPSConnectionPool" in message
    for way in ("connect to the network", f"zoo.{name}.weights to random", "model.weights.h5"):
        assert way in message


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_presets_are_keras_hubs(family: hub.Family, keras_hub: Any) -> None:
    theirs = getattr(keras_hub.models, family.backbone).presets
    assert set(family.presets) <= set(theirs)
    for name, preset in family.presets.items():
        assert preset.parameters == theirs[name]["metadata"]["params"], name


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_presets_are_as_registered(family: hub.Family, keras_hub: Any) -> None:
    for name, preset in family.presets.items():
        if preset.parameters < 1e8:
            model = build_backbone(family.name, preset.input_size, "random", "avg", 1, name)
            assert (model.count_params(), model.output_shape[-1]) == (preset.parameters, preset.features), name


@pytest.mark.parametrize("family", HUB)
def test_without_the_package_the_extra_is_named(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match=rf"zoo.{family} needs the package keras_hub, .*requirements-hub\.txt"):
        build_backbone(family, next(iter(HUB[family].variants.values())).input_size, "random", "avg", 1)


def test_a_preset_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match="no variant 'dinov2_smal' of dinov2, but dinov2_small; there are "):
        find_variant("dinov2", "dinov2_smal")


@pytest.mark.parametrize(
    ("family", "weights", "size", "takes"),
    [
        ("vit", "imagenet", 96, "vit_base_patch16_224_imagenet, which takes 224: it has learned the positions of so"),
        ("vit", "random", 100, "multiples of 16 from 32 up"),
        ("swin", "random", 96, "swin_tiny_patch4_window7_224, which takes multiples of 32 from 224 up"),
        ("swin", "imagenet", 250, "multiples of 32 from 224 up"),
        ("dinov2", "imagenet", 96, "dinov2_small, which takes multiples of 14 from 28 up"),
    ],
)
def test_images_that_do_not_fit_are_refused(family: str, weights: str, size: int, takes: str) -> None:
    with pytest.raises(UserError, match=f"datasets.<name>.image_size: {size} pixels do not fit .*{re.escape(takes)}"):
        build_backbone(family, size, weights, "avg", 1)
