import logging
from pathlib import Path

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.networks.weights import load_weights_file


def backbone(filters: int = 5, last: str = "c2") -> keras.Model:
    image = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, name="c1")(image)
    x = keras.layers.BatchNormalization(name="bn")(x)
    return keras.Model(image, keras.layers.Conv2D(filters, 3, name=last)(x), name="back")


def nested(base: keras.Model) -> keras.Model:
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(base(image))
    return keras.Model(image, keras.layers.Dense(2, name="top")(pooled))


def flat(base: keras.Model) -> keras.Model:
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, keras.layers.Dense(2, name="top")(pooled))


def save(model: keras.Model, path: Path) -> Path:
    if path.name.startswith("weights") or path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)
    return path


@pytest.mark.parametrize("name", ["x.keras", "x.weights.h5", "x.h5"])
@pytest.mark.parametrize("build", [nested, flat])
def test_a_backbone_is_read_out_of_a_classifier(build: object, name: str, tmp_path: Path) -> None:
    base, fresh = backbone(), backbone()
    path = save(build(base), tmp_path / name)  # type: ignore[operator]
    load_weights_file("vgg16", fresh, path)
    for one, other in zip(base.weights, fresh.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    load_weights_file("vgg16", backbone(), save(nested(backbone()), tmp_path / "x.keras"))
    assert "zoo.vgg16.weights: 3 layers read from" in caplog.text
    assert "left out: top" in caplog.text


@pytest.mark.parametrize("name", ["x.keras", "x.h5"])
@pytest.mark.parametrize(
    ("base", "words"),
    [
        (lambda: backbone(filters=6), r"layer 'c2' has \[\(3, 3, 4, 6\), \(6,\)\], where this network has"),
        (lambda: backbone(last="other"), r"layer 'c2' is missing"),
    ],
)
def test_the_layer_that_differs_is_named(base: object, words: str, name: str, tmp_path: Path) -> None:
    fresh = backbone()
    before = [weight.numpy() for weight in fresh.weights]
    path = save(nested(base()), tmp_path / name)  # type: ignore[operator]
    with pytest.raises(UserError, match=words):
        load_weights_file("vgg16", fresh, path)
    for one, other in zip(before, fresh.weights, strict=True):
        np.testing.assert_array_equal(one, other.numpy())


def test_a_saved_model_folder_is_told_how_to_be_saved(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(UserError, match=r"SavedModel.*save_weights"):
        load_weights_file("vgg16", backbone(), tmp_path / "saved")
