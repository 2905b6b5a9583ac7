"""Maps against calculations that share no code with them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bycase.core.errors import UserError
from bycase.explain.grad_cam import GRAD_CAM, GRAD_CAM_PLUS_PLUS, METHODS, class_maps, class_signs
from bycase.explain.layers import halve
from bycase.explain.maps import explain_images, make_explainer, to_heatmaps

ROOT = Path(__file__).parents[3]


def map_of(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(keras.Model(network.input, network.get_layer("conv2").output)(images.astype(np.float32)))


def upsampled(maps: np.ndarray, size: int) -> np.ndarray:
    wide = tf.image.resize(maps[..., None], (size, size), "bilinear").numpy()[..., 0]
    return wide / wide.max(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(("chosen", "sign"), [(1, 1), (0, -1)])
def test_with_average_pooling_and_one_linear_unit_grad_cam_is_cam(
    network: keras.Model, images: np.ndarray, chosen: int, sign: int
) -> None:
    """Zhou et al. (2016), Learning deep features for discriminative localization, CVPR: the unit's weights times the
    map. Of the class that a sigmoid does not name, they count the other way round. The head holds features against
    a mean of 0.1 and a variance of 0.04."""
    pooled = keras.layers.GlobalAveragePooling2D()(network.get_layer("conv2").output)
    backbone = keras.Model(network.input, pooled)
    head = network.get_layer("head")
    joint = keras.Model(backbone.input, head(backbone.output), name="no_last_pool")
    weights = head.get_layer("probability").get_weights()[0][:, 0] / np.sqrt(0.04)
    cam = np.maximum(sign * (map_of(network, images) - 0.1) @ weights, 0)
    found = explain_images(joint, images, chosen)
    np.testing.assert_allclose(found, upsampled(cam, 16), atol=1e-4)
    assert found.dtype == np.float32
    assert found.max(axis=(1, 2)) == pytest.approx(1)


@pytest.mark.parametrize(("pooling", "hidden"), [("avg", 0), ("max", 6)])
def test_gradients_are_those_of_a_tape_over_the_whole_network(
    make_network: Callable[..., keras.Model], images: np.ndarray, pooling: str, hidden: int
) -> None:
    """By central differences of the logit of the network's own output, one value of the map moved at a time."""
    network = make_network(pooling=pooling, hidden=hidden)
    maps = map_of(network, images[:1])
    x = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled = network.get_layer("pool")(network.get_layer("last_pool")(x))
        p = network.get_layer("head")(pooled, training=False)
        logit = tf.math.log(p) - tf.math.log1p(-p)
    gradients = tape.gradient(logit, x).numpy()
    cam = np.maximum(((maps - 0.1) * gradients.mean(axis=(1, 2), keepdims=True)).sum(axis=-1), 0)
    assert cam.max() > 0
    np.testing.assert_allclose(explain_images(network, images[:1], 1), upsampled(cam, 16), atol=1e-3)
    moved = maps.copy()
    place = np.unravel_index(np.abs(gradients).argmax(), gradients.shape)
    moved[place] += 1e-2
    after, before = (np.asarray(halve(network).logits((of - 0.1) / 0.2)) for of in (moved, maps))
    change = (after - before)[0, 0] / 1e-2
    assert change == pytest.approx(gradients[place], rel=0.02)


def test_grad_cam_plus_plus_is_the_papers_equation_written_out() -> None:
    random = np.random.default_rng(0)
    maps = random.gamma(1, 1, (2, 3, 4, 5))
    gradients = random.normal(size=maps.shape)
    expected = np.zeros((2, 3, 4))
    for n in range(2):
        y = np.exp(0.7)  # the exponential of any score; a factor of the whole map
        weights = np.zeros(5)
        for k in range(5):
            total = maps[n, :, :, k].sum()
            for i in range(3):
                for j in range(4):
                    g = gradients[n, i, j, k]
                    alpha = y * g**2 / (2 * y * g**2 + total * y * g**3)
                    weights[k] += alpha * max(y * g, 0)
        expected[n] = np.maximum(maps[n] @ weights, 0) / y
    found = class_maps(maps.astype(np.float32), gradients.astype(np.float32), GRAD_CAM_PLUS_PLUS)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_values_below_0_do_not_blow_a_channel_up() -> None:
    maps = np.array([-1.0, -0.99, 3.0, 1.0], np.float32).reshape(1, 1, 2, 2)
    found = class_maps(maps, np.ones_like(maps), GRAD_CAM_PLUS_PLUS)
    assert np.isfinite(found).all()
    assert found.max() < 4


@pytest.mark.parametrize("method", METHODS)
def test_each_image_is_explained_for_its_own_class_whatever_the_batch(
    make_network: Callable[..., keras.Model], images: np.ndarray, method: str
) -> None:
    network = make_network(n_classes=3, hidden=6)
    each = np.array([0, 1, 2, 1, 0])
    together = explain_images(network, images, each, method, batch_size=2)
    assert together.shape == (5, 16, 16)
    assert together.min() >= 0
    assert together.max() <= 1
    for chosen in range(3):
        alone = explain_images(network, images, chosen, method)
        np.testing.assert_allclose(together[each == chosen], alone[each == chosen], atol=1e-5)
    predicted = np.asarray(network(images.astype(np.float32))).argmax(axis=1)
    np.testing.assert_allclose(
        explain_images(network, images, None, method), explain_images(network, images, predicted, method), atol=1e-6
    )
    assert make_explainer(network, method)(images[:0], None).shape == (0, 16, 16)


def test_signs_of_logits() -> None:
    two = np.array([[-2.0], [3.0]], np.float32)
    assert class_signs(two, None).tolist() == [[-1], [1]]
    assert class_signs(two, 0).tolist() == [[-1], [-1]]
    assert class_signs(np.array([[0, 5, 1], [2, 0, 0]], np.float32), None).tolist() == [[0, 1, 0], [1, 0, 0]]
    for wrong in (2, -1):
        with pytest.raises(UserError, match="2 classes count from 0"):
            class_signs(two, wrong)


def test_mistakes_are_named(network: keras.Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="choose one of: grad_cam, grad_cam_plus_plus"):
        explain_images(network, images, 1, "saliency")
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(UserError, match="TensorFlow or JAX, not torch"):
        explain_images(network, images, 1)


def test_heatmaps_keep_zeros_and_reach_1() -> None:
    maps = np.zeros((2, 2, 2), np.float32)
    maps[1, 0, 0] = 1e-30
    found = to_heatmaps(maps, (8, 6))
    assert found.shape == (2, 8, 6)
    assert not found[0].any()
    assert found[1].max() == 1
    assert found[1, 0, 0] == 1
    assert found[1, -1, -1] == 0
    # Between the two rows' centres, which lie at 2 and 6 of 8 pixels.
    assert found[1, :, 0] == pytest.approx([1, 1, 0.875, 0.625, 0.375, 0.125, 0, 0])


@pytest.mark.slow
def test_maps_are_the_same_under_jax(network: keras.Model, images: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("jax")
    network.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, keras, numpy as np\n"
        "from bycase.explain.maps import explain_images\n"
        "network = keras.saving.load_model('model.keras')\n"
        "images = np.load('images.npy')\n"
        "np.save('maps.npy', [explain_images(network, images, 1, method) for method in sys.argv[1:]])\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, *METHODS], cwd=tmp_path, env=environment, check=True)
    for method, found in zip(METHODS, np.load(tmp_path / "maps.npy"), strict=True):
        np.testing.assert_allclose(found, explain_images(network, images, 1, method), atol=1e-4)


def test_grad_cam_is_the_default(network: keras.Model, images: np.ndarray) -> None:
    np.testing.assert_array_equal(explain_images(network, images, 1), explain_images(network, images, 1, GRAD_CAM))
