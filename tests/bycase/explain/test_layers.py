from collections.abc import Callable

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.core.params_training import DropoutLayer
from bycase.explain.grad_cam import GRAD_CAM_PLUS_PLUS, METHODS
from bycase.explain.layers import halve, last_map
from bycase.explain.maps import find_gates, make_attention, make_explainers
from bycase.networks.head import build_head, join
from bycase.networks.registry import NETWORKS, build_backbone
from tests.fixtures.zoo import PLAIN

SIZE = 64
FAST = ("alexnet", "focal_cnn")
ZOO = [pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in PLAIN]
# The last map of each at 64 pixels, or twice its smallest size: places a side and channels.
MAPS = {
    "alexnet": (7, 256),
    "convnext": (2, 768),
    "densenet121": (2, 1024),
    "efficientnet": (2, 1280),
    "efficientnetlite": (2, 1280),
    "efficientnetv2": (2, 1280),
    "focal_cnn": (8, 256),
    "googlenet": (2, 1024),
    "inceptionv3": (3, 2048),
    "mobilenet": (2, 1024),
    "mobilenetv2": (2, 1280),
    "mobilenetv3": (2, 960),
    "mresnet": (4, 2048),
    "nasnetmobile": (2, 1056),
    "resnet101v2": (2, 2048),
    "resnet50": (2, 2048),
    "resnet50v2": (2, 2048),
    "vgg16": (4, 512),
    "xception": (2, 2048),
}


def with_head(backbone: keras.Model) -> keras.Model:
    head = build_head(backbone.output_shape[-1], [DropoutLayer(dropout=0.2)], 3, 1)
    last = head.layers[-1]
    last.set_weights([np.random.default_rng(1).normal(size=of.shape) for of in last.get_weights()])
    return join(backbone, head)


@pytest.mark.parametrize("name", ZOO)
def test_every_network_of_the_zoo_gives_maps(name: str) -> None:
    size = max(SIZE, 2 * NETWORKS[name].smallest_size)
    network = with_head(build_backbone(name, size, "random", "avg", 1))
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    halves = halve(network)
    assert halves.body.output_shape[1:] == (MAPS[name][0], MAPS[name][0], MAPS[name][1])
    logits = np.asarray(halves.logits(np.asarray(halves.body(images.astype(np.float32), training=False))))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = np.asarray(network(images.astype(np.float32), training=False))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), expected, atol=1e-4)
    explain = make_explainers(network, METHODS, 3)
    for_classes = [explain(images, chosen) for chosen in range(3)]
    for method in METHODS:
        maps = np.stack([of[method] for of in for_classes])
        assert maps.shape == (3, 3, size, size)
        assert maps.dtype == np.float32
        assert 0 <= maps.min() <= maps.max() <= 1
        # Logits of random weights may be negative for a class, and its map empty: of three classes one is not.
        # Grad-CAM++ supposes maps from ReLU; ConvNeXt's have both signs, and an image may have no map at all.
        drawn = np.ptp(maps, axis=(2, 3)).max(axis=0) > 0.01
        assert drawn.any() if (name, method) == ("convnext", GRAD_CAM_PLUS_PLUS) else drawn.all()
    assert bool(find_gates(network)) == (name == "mresnet")
    if find_gates(network):
        attention = make_attention(network)(images)
        assert attention.shape == (3, size, size)
        assert attention.min() == 0
        assert attention.max() == 1


def test_pooling_is_passed_over_and_a_single_place_is_no_map(make_network: Callable[..., keras.Model]) -> None:
    assert halve(make_network()).body.output_shape == (None, 8, 8, 5)
    small = build_backbone("efficientnetlite", 32, "random", "avg", 1)
    assert small.layers[-2].output.shape[1:3] == (1, 1)
    found = last_map(small)
    assert found.shape[1:3] == (2, 2)
    keras.Model(found, small.output)
    image = keras.Input((8, 8, 3))
    bare = keras.Model(image, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 8)(image)), name="bare")
    with pytest.raises(UserError, match="bare has no feature map of more than one place"):
        last_map(bare)


def test_a_map_that_a_shortcut_passes_by_is_not_the_last() -> None:
    """The last convolution has places, but its sum with the shortcut's has one: half would be left unexplained."""
    image = keras.Input((8, 8, 3))
    trunk = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="trunk")(image)
    branch = keras.layers.Conv2D(4, 3, padding="same", name="branch")(trunk)
    shortcut = keras.layers.Conv2D(4, 4, name="shortcut")(trunk)
    joined = keras.layers.Add()([keras.layers.GlobalAveragePooling2D(keepdims=True)(branch), shortcut])
    model = keras.Model(image, keras.layers.Flatten()(joined))
    assert last_map(model) is trunk


def test_maps_follow_changes_of_the_weights(make_network: Callable[..., keras.Model], images: np.ndarray) -> None:
    network = make_network()
    explain = make_explainers(network)
    before = explain(images, 1)["grad_cam"]
    last = network.get_layer("head").layers[-1]
    last.set_weights([-of for of in last.get_weights()])
    np.testing.assert_allclose(explain(images, 0)["grad_cam"], before, atol=1e-6)
    assert np.abs(explain(images, 1)["grad_cam"] - before).max() > 0.5


def test_a_network_without_a_head_is_refused() -> None:
    image = keras.Input((8, 8, 3))
    other = keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(image)), name="other")
    with pytest.raises(UserError, match="network other has no part 'head'"):
        halve(other)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_standardising_the_map_gives_the_score_of_standardised_features(
    make_network: Callable[..., keras.Model], images: np.ndarray, pooling: str
) -> None:
    network = make_network(pooling=pooling)
    halves = halve(network)
    maps = np.asarray(halves.body(images.astype(np.float32)))
    plain = np.asarray(keras.Model(network.input, network.get_layer("conv2").output)(images.astype(np.float32)))
    np.testing.assert_allclose(maps, (plain - 0.1) / 0.2, atol=1e-4)
    p = np.asarray(network(images.astype(np.float32), training=False))
    np.testing.assert_allclose(1 / (1 + np.exp(-np.asarray(halves.logits(maps)))), p, atol=1e-5)
