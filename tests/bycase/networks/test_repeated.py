from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bycase.images.pixels import read_pixels
from bycase.networks.repeated import find_dropout, predict_views, predict_with_dropout, split_at_head, turn
from bycase.tables.predictions import TEST, read_predictions


def test_the_eight_views_are_the_symmetries_of_the_square() -> None:
    images = np.arange(2 * 3 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 3)
    views = [turn(images, number) for number in range(8)]
    np.testing.assert_array_equal(views[0], images)
    assert len({view.tobytes() for view in views}) == 8
    np.testing.assert_array_equal(turn(turn(images, 1), 3), images)
    np.testing.assert_array_equal(views[4], images[:, :, ::-1])
    for view in views:
        np.testing.assert_array_equal(np.sort(view.reshape(2, -1)), np.sort(images.reshape(2, -1)))
        assert (view[:, 1, 1] == images[:, 1, 1]).all()


def test_dropout_is_on_in_the_head_alone_and_repeats(make_workspace: Callable[..., Path]) -> None:
    import keras

    make_workspace(2)
    network = keras.saving.load_model("models/model.keras", compile=False)
    images = read_predictions(TEST, ["Benign", "Malignant"])["image"].tolist()
    assert [layer.name for layer in find_dropout(network)] == ["dropout_0"]
    body, head = split_at_head(network)
    pixels = read_pixels(images).astype(np.float32)
    np.testing.assert_allclose(head.predict_on_batch(body.predict_on_batch(pixels)), network.predict_on_batch(pixels))

    passes = predict_with_dropout(network, images, 100, 8, 7)
    assert passes.shape == (100, len(images), 2)
    np.testing.assert_allclose(passes[:5], predict_with_dropout(network, images, 5, 5, 7), atol=1e-6)
    assert not np.array_equal(passes[:5], predict_with_dropout(network, images, 5, 8, 8))
    # By hand: half of the features at random, the others doubled.
    random = np.random.default_rng(0)
    (hidden, bias), (out, last) = (head.get_layer(name).get_weights() for name in ("dense_1", "probability"))
    features = body.predict_on_batch(pixels[:1])
    dropped = features * 2 * (random.random((20_000, features.shape[1])) < 0.5)
    outputs = 1 / (1 + np.exp(-(np.maximum(dropped @ hidden + bias, 0) @ out + last)))
    assert passes[:, 0, 1].mean() == pytest.approx(outputs.mean(), abs=4 * outputs.std() / np.sqrt(100))
    assert passes[:, 0, 1].std() == pytest.approx(outputs.std(), rel=0.3)


def test_the_first_view_is_the_plain_prediction(make_workspace: Callable[..., Path]) -> None:
    make_workspace(2)
    images = read_predictions(TEST, ["Benign", "Malignant"])["image"].tolist()
    plain = np.full((len(images), 2), 0.5)
    views = predict_views(lambda batch: batch[:, 0, 0, :1] / 255, images, plain, 4, 5)
    np.testing.assert_array_equal(views[0], plain)
    pixels = read_pixels(images) / 255
    # What a quarter turn puts in the first corner was in the upper right one.
    for number, corner in ((1, pixels[:, 0, -1, 0]), (2, pixels[:, -1, -1, 0]), (3, pixels[:, -1, 0, 0])):
        np.testing.assert_allclose(views[number, :, 1], corner, atol=1e-6)


def test_a_network_of_another_build_has_no_dropout() -> None:
    import keras

    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.5)(keras.layers.Flatten()(inputs)))
    assert find_dropout(keras.Model(inputs, outputs)) == []
