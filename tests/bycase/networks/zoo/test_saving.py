"""Saved networks load in a process that knows nothing of this project, and on another backend."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import pytest

from bycase.networks.registry import build_backbone
from bycase.networks.zoo.preprocessing import image_input, rescale_pixels, to_caffe, to_standardised
from tests.fixtures.zoo import PLAIN, SIZE, SMALL

# Together they hold every kind of layer in the zoo, but for the channels' reversal of `to_caffe`.
SAVED = ("alexnet", "efficientnet", "focal_cnn", "googlenet", "mobilenetv3", "mresnet")
SAVED_LARGE = ("convnext", "nasnetmobile")

LOAD = """
import sys
from pathlib import Path
import keras
import numpy as np

folder = Path(sys.argv[1])
noise = np.load(folder / "noise.npy")
outputs = {
    path.stem: keras.ops.convert_to_numpy(keras.saving.load_model(path, safe_mode=True)(noise, training=False))
    for path in sorted(folder.glob("*.keras"))
}
assert not [name for name in sys.modules if name.startswith(("bycase", "stages"))]
np.savez(folder / "outputs.npz", **outputs)
"""


def load_elsewhere(folder: Path, backend: str) -> dict[str, np.ndarray]:
    """What models saved in a folder answer in a fresh process outside the repository."""
    environment = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)],
        cwd=folder,
        env=environment | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "outputs.npz") as outputs:
        return dict(outputs)


def with_rescale(preprocess: Callable[[object], object]) -> keras.Model:
    """A preprocessing layer alone, which sees the pixels divided by 255 first."""
    image = image_input(SIZE)
    model = keras.Model(image, preprocess(image))
    rescale_pixels(model, 1 / 255)
    return model


def kinds_of_layers(backbones: Callable[[str], keras.Model], names: Iterable[str]) -> set[type]:
    return set().union(*({type(layer) for layer in backbones(name).layers} for name in names))


def test_the_saved_networks_hold_every_kind_of_layer(backbones: Callable[[str], keras.Model]) -> None:
    assert kinds_of_layers(backbones, SMALL) == kinds_of_layers(backbones, SAVED)


@pytest.mark.slow
def test_the_saved_large_networks_hold_every_further_kind(backbones: Callable[[str], keras.Model]) -> None:
    assert kinds_of_layers(backbones, PLAIN) == kinds_of_layers(backbones, [*SAVED, *SAVED_LARGE])


def check_saved(models: dict[str, keras.Model], noise: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    np.save(folder / "noise.npy", noise)
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    outputs = load_elsewhere(folder, "tensorflow")
    assert set(outputs) == set(models)
    for name, model in models.items():
        np.testing.assert_allclose(outputs[name], np.asarray(model(noise, training=False)), rtol=1e-4, atol=1e-4)
    return outputs


def test_saved_networks_answer_the_same_in_a_fresh_process(
    backbones: Callable[[str], keras.Model], noise: np.ndarray, tmp_path: Path
) -> None:
    models = {name: backbones(name) for name in SAVED}
    models["doubled_focal_cnn"] = build_backbone("focal_cnn", SIZE, "random", "avg", 1, rescale=1 / 255)
    models["doubled_caffe"] = with_rescale(to_caffe)
    models["doubled_standardised"] = with_rescale(to_standardised)
    outputs = check_saved(models, noise, tmp_path)
    assert np.ptp(outputs["doubled_caffe"], axis=(0, 1, 2)).max() < 1.01
    assert np.ptp(outputs["doubled_standardised"], axis=(0, 1, 2)).max() < 0.018
    assert np.abs(outputs["doubled_focal_cnn"] - outputs["focal_cnn"]).max() > 0.1


@pytest.mark.slow
def test_saved_large_networks_answer_the_same_in_a_fresh_process(
    backbones: Callable[[str], keras.Model], noise: np.ndarray, tmp_path: Path
) -> None:
    check_saved({name: backbones(name) for name in SAVED_LARGE}, noise, tmp_path)


def test_a_saved_network_answers_the_same_under_jax(
    backbones: Callable[[str], keras.Model], noise: np.ndarray, tmp_path: Path
) -> None:
    if not importlib.util.find_spec("jax"):
        pytest.skip("jax is not installed: pip install jax")
    np.save(tmp_path / "noise.npy", noise)
    backbones("alexnet").save(tmp_path / "alexnet.keras")
    with_rescale(to_caffe).save(tmp_path / "doubled_caffe.keras")
    outputs = load_elsewhere(tmp_path, "jax")
    np.testing.assert_allclose(outputs["alexnet"], np.asarray(backbones("alexnet")(noise)), rtol=1e-3, atol=1e-3)
    assert np.ptp(outputs["doubled_caffe"], axis=(0, 1, 2)).max() < 1.01
