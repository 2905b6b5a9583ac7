"""Uint8-range RGB reaches every first convolution as its weights expect, and whatever does not is told."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from bycase.networks.contract import channel_spread, contract_breach, values_at_first_convolution
from bycase.networks.registry import build_backbone, input_range
from bycase.networks.zoo.preprocessing import image_input, to_standardised, to_symmetric
from tests.fixtures.zoo import PLAIN

SIZE = 64
APPLICATIONS = keras.applications


def standardised(pixels: np.ndarray) -> np.ndarray:
    return (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


# What published weights of each network expect, by a second source: Keras' own functions, or the paper's arithmetic.
REFERENCE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "resnet50v2": APPLICATIONS.resnet_v2.preprocess_input,
    "resnet101v2": APPLICATIONS.resnet_v2.preprocess_input,
    "densenet121": APPLICATIONS.densenet.preprocess_input,
    "convnext": standardised,
    "inceptionv3": APPLICATIONS.inception_v3.preprocess_input,
    "xception": APPLICATIONS.xception.preprocess_input,
    "nasnetmobile": APPLICATIONS.nasnet.preprocess_input,
    "resnet50": APPLICATIONS.resnet50.preprocess_input,
    "vgg16": APPLICATIONS.vgg16.preprocess_input,
    "efficientnetv2": standardised,
    "efficientnet": standardised,
    "efficientnetlite": lambda pixels: (pixels - 127) / 128,
    "mobilenet": APPLICATIONS.mobilenet.preprocess_input,
    "mobilenetv2": APPLICATIONS.mobilenet_v2.preprocess_input,
    "mobilenetv3": lambda pixels: pixels / 127.5 - 1,
    "alexnet": lambda pixels: pixels / 127.5 - 1,
    "googlenet": lambda pixels: pixels / 127.5 - 1,
    "mresnet": lambda pixels: pixels / 127.5 - 1,
    "focal_cnn": lambda pixels: pixels / 127.5 - 1,
}


def activations(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Of the first convolution, before any activation function, away from the padded edge."""
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    values = values_at_first_convolution(model, pixels)
    return np.asarray(keras.ops.conv(values, first.kernel, strides=first.strides, padding="valid"))


def activation_spread(values: np.ndarray) -> float:
    return float(values.std(axis=(0, 1, 2)).mean())


def rescaled(model: keras.Model, factor: float) -> keras.Model:
    """A model that sees the pixels times `factor`: what a doubled or missing rescale does."""
    image = image_input(model.input_shape[1])
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    stem = keras.Model(model.inputs[0], first.input)
    values = stem(keras.layers.Rescaling(factor)(image))
    return keras.Model(image, keras.layers.Conv2D(4, 3)(values))


def test_every_network_has_a_reference() -> None:
    assert set(REFERENCE) == set(PLAIN)


def test_black_and_white_reach_the_first_convolution_in_the_registered_range(
    backbone: tuple[str, keras.Model],
) -> None:
    name, model = backbone
    stem = keras.Model(model.inputs[0], model.get_layer("preprocess").output)
    shape = model.input_shape[1:]
    extremes = np.asarray(stem(np.stack([np.zeros(shape), np.full(shape, 255.0)])))
    expected = input_range(name)
    assert extremes.min() == pytest.approx(expected.low, abs=2e-3)
    assert extremes.max() == pytest.approx(expected.high, abs=2e-3)
    assert channel_spread(extremes) == pytest.approx(expected.spread, rel=2e-3)


def test_the_first_convolution_answers_pixels_as_its_weights_expect(
    backbone: tuple[str, keras.Model], fitting_noise: np.ndarray
) -> None:
    name, model = backbone
    expected = REFERENCE[name](fitting_noise.copy())
    size = fitting_noise.shape[1]
    edge = size // 4
    at_first = values_at_first_convolution(model, fitting_noise)
    if at_first.shape[1] == size - 2 * edge:
        np.testing.assert_allclose(at_first, expected[:, edge:-edge, edge:-edge], rtol=1e-4, atol=1e-3)
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    reference = np.asarray(
        keras.ops.conv(expected.astype(np.float32), first.kernel, strides=first.strides, padding="valid")
    )
    spread = activation_spread(reference)
    assert activation_spread(activations(model, fitting_noise)) == pytest.approx(spread, rel=0.15)
    for planted in (1 / 255, 255.0):
        assert activation_spread(activations(model, planted * fitting_noise)) != pytest.approx(spread, rel=0.9)


def test_uint8_and_float_batches_as_the_pipeline_feeds_them_keep_the_contract(
    backbone: tuple[str, keras.Model], fitting_noise: np.ndarray
) -> None:
    name, model = backbone
    assert contract_breach(model, fitting_noise, name) is None
    assert contract_breach(model, fitting_noise.astype(np.uint8), name) is None


@pytest.mark.parametrize("factor", [1 / 255, 0.5, 2.0, 255.0])
def test_a_doubled_or_missing_rescale_before_the_network_is_told(
    backbone: tuple[str, keras.Model], fitting_noise: np.ndarray, factor: float
) -> None:
    name, model = backbone
    breach = contract_breach(rescaled(model, factor), fitting_noise, name)
    assert breach is not None
    assert "\n" not in breach
    found, expected = factor * input_range(name).spread, input_range(name).spread
    assert f"channel values spread {found:.3g} at its first convolution, expected {expected:.3g}" in breach
    assert (f"zoo.{name}.rescale below 1" in breach) == (factor < 1)


def test_pixels_that_were_divided_by_255_are_told_with_their_spread(
    backbone: tuple[str, keras.Model], fitting_noise: np.ndarray
) -> None:
    name, model = backbone
    breach = contract_breach(model, fitting_noise / 255, name)
    assert breach is not None
    found = float(breach.split("channel values spread ")[1].split(" at")[0])
    assert found == pytest.approx(input_range(name).spread / 255, rel=0.02)
    assert "divided by 255 before the network" in breach


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x / 127.5 - 1, "standardised"),
        (lambda x: standardised(x).astype(np.float32), "standardised"),
        (lambda x: x - 120, "standardised"),
        (lambda x: (x / 255 > 0.5).astype(np.uint8), "divided by 255"),
        (lambda x: x / 127.5, "divided by 255"),
        (lambda x: 257 * x, "16 bits"),
        (lambda x: np.where(x > 250, np.nan, x), "no finite numbers"),
    ],
    ids=["to [-1, 1]", "standardised", "mean subtracted", "truncated", "to [0, 2]", "16 bits", "nan"],
)
def test_pixels_of_another_range_are_told(
    backbones: Callable[[str], keras.Model],
    noise: np.ndarray,
    change: Callable[[np.ndarray], np.ndarray],
    words: str,
) -> None:
    breach = contract_breach(backbones("focal_cnn"), change(noise), "focal_cnn")
    assert breach is not None
    assert words in breach


def test_missing_and_foreign_preprocessing_are_told(noise: np.ndarray) -> None:
    image = image_input(SIZE)
    missing = keras.Model(image, keras.layers.Conv2D(4, 3)(image))
    foreign = keras.Model(image, keras.layers.Conv2D(4, 3)(to_symmetric(image)))
    right = keras.Model(image, keras.layers.Conv2D(4, 3)(to_standardised(image)))
    assert "is missing or another network's" in str(contract_breach(missing, noise, "efficientnet"))
    assert "spread 255 at its first convolution, expected 4.42" in str(contract_breach(missing, noise, "efficientnet"))
    assert "arrive as [-1, 1] instead of [-2.12, 2.64]" in str(contract_breach(foreign, noise, "efficientnet"))
    assert contract_breach(right, noise, "efficientnet") is None
    assert contract_breach(right, noise, "efficientnetv2", "S") is not None


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "mobilenetv3"])
def test_the_registered_rescale_reproduces_the_published_mistake(name: str, noise: np.ndarray) -> None:
    model = build_backbone(name, SIZE, "random", "avg", 1, rescale=1 / 255)
    breach = contract_breach(model, noise, name)
    assert breach is not None
    assert f"usual cause: a rescale too much, as zoo.{name}.rescale below 1 is" in breach


@pytest.mark.slow
def test_efficientnetv2_s_has_a_range_of_its_own(noise: np.ndarray) -> None:
    model = build_backbone("efficientnetv2", SIZE, "random", "avg", 1, "S")
    assert contract_breach(model, noise, "efficientnetv2", "S") is None
    assert contract_breach(model, noise, "efficientnetv2") is not None
    np.testing.assert_allclose(values_at_first_convolution(model, noise), noise[:, 16:-16, 16:-16] / 128 - 1, atol=1e-5)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((SIZE, SIZE, 3)),
        np.full((SIZE, SIZE, 3), 128),
        np.full((SIZE, SIZE, 3), 255),
        np.tile(np.arange(SIZE)[:, None, None] % 5 + 3, (1, SIZE, 3)),
        np.tile(np.arange(SIZE)[:, None, None], (1, SIZE, 3)),
    ],
    ids=["black", "grey", "white", "nearly black", "dark ramp"],
)
def test_dark_flat_and_grey_images_raise_no_alarm(image: np.ndarray, backbones: Callable[[str], keras.Model]) -> None:
    for name in ("efficientnetv2", "vgg16"):
        assert contract_breach(backbones(name), image[None].astype(np.uint8), name) is None
        assert contract_breach(backbones(name), image[None].astype(np.float32), name) is None


@pytest.mark.parametrize("dataset", ["breakhis", "busi", "ham10000"])
def test_real_images_raise_no_alarm_and_do_once_they_are_divided(
    dataset: str, shared: Path, backbones: Callable[[str], keras.Model]
) -> None:
    paths = sorted(each for each in (shared / "data" / dataset).rglob("*") if each.suffix in (".png", ".jpg"))[::12]
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE))) for path in paths])
    model = backbones("efficientnetv2")
    darkest = pixels[np.argsort(pixels.max(axis=(1, 2, 3)))[:4]]
    flattest = pixels[np.argsort(np.ptp(pixels, axis=(1, 2, 3)))[:4]]
    for batch in (pixels[:16], pixels[-16:], darkest, flattest, darkest[:1], flattest[:1]):
        assert contract_breach(model, batch, "efficientnetv2") is None
        assert contract_breach(model, batch / np.float32(255), "efficientnetv2") is not None
