from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.files import write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest
from stages.common.training_params import DenseLayer, DropoutLayer
from stages.evaluate.predictions import TEST, make_predictions, write_predictions
from stages.train.network import build_head, join
from stages.train.predict import class_probabilities

SIZE = 16
CLASSES = {2: ["Benign", "Malignant"], 3: ["a", "b", "c"]}

MakeNetwork = Callable[..., keras.Model]


def build(n_classes: int = 2, hidden: int = 0, pooling: str = "avg", gates: bool = False) -> keras.Model:
    """Two convolutions with batch norm between, pooling, and a head; all weights random."""
    keras.utils.set_random_seed(1)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="preprocess")(image)
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="conv1")(x)
    x = keras.layers.BatchNormalization(name="bn1")(x)
    x = keras.layers.ReLU(name="relu1")(x)
    x = keras.layers.Conv2D(5, 3, padding="same", activation="relu", name="conv2")(x)
    if gates:
        gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name="stage1_block1_se_squeeze")(x)
        gate = keras.layers.Dense(5, "sigmoid", name="stage1_block1_se_gate")(gate)
        x = keras.layers.Multiply(name="stage1_block1_se")([x, gate])
    x = keras.layers.MaxPooling2D(name="last_pool")(x)
    pool = keras.layers.GlobalAveragePooling2D if pooling == "avg" else keras.layers.GlobalMaxPooling2D
    backbone = keras.Model(image, pool(name="pool")(x), name="tiny")
    layers: list[Any] = [DropoutLayer(dropout=0.5), *([DenseLayer(dense=hidden)] if hidden else [])]
    head = build_head(5, layers, n_classes, 7, (np.full(5, 0.1), np.full(5, 0.04)))
    random = np.random.default_rng(3)
    for layer in head.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([random.normal(size=of.shape) for of in layer.get_weights()])
    return join(backbone, head)


@pytest.fixture(scope="session")
def make_network() -> MakeNetwork:
    return build


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """Of two classes; not to be changed."""
    return build()


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


def write_workspace(folder: Path, network: keras.Model, classes: Sequence[str]) -> None:
    """What evaluate leaves below the current folder: 24 test images of 6 patients, predicted by this network."""
    random = np.random.default_rng(0)
    number = np.arange(24)
    labels = np.asarray(classes)[number // 4 % len(classes)]
    part = pd.DataFrame({"image": [f"{label}/{n:02}.png" for n, label in zip(number, labels, strict=True)]})
    part = part.assign(label=labels, group=[f"c{n // 4}" for n in number])
    pixels = random.integers(0, 256, (24, SIZE, SIZE, 3), dtype=np.uint8)
    for image, of in zip(part["image"], pixels, strict=True):
        (PREPROCESSED / image).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(of).save(PREPROCESSED / image)
    filling = dict.fromkeys(COLUMNS, "x") | dict.fromkeys(("magnification", "width", "height"), 1)
    write_manifest(MANIFEST, part.assign(**{key: value for key, value in filling.items() if key not in part}))
    scores = class_probabilities(np.asarray(network(pixels.astype(np.float32), training=False)))
    write_predictions(TEST, make_predictions(part, scores, classes, TEST), classes)
    (folder / "models").mkdir()
    network.save("models/model.keras")
    positive = classes[1] if len(classes) == 2 else None
    card = {"model": "tiny", "weights": "random", "dataset": "phantom", "phantom": True, "classes": list(classes)}
    write_json(Path("models/model.json"), card | {"positive": positive, "seed": 7})
    threshold = {"threshold": float(np.median(scores[:, 1]))} if positive else {}
    write_json(Path("metrics/metrics.json"), {"image": threshold})


@pytest.fixture
def workspace(
    project: Path, write_params: Callable[..., None], request: pytest.FixtureRequest
) -> tuple[Path, list[str]]:
    """A project as evaluate leaves it, of as many classes as the test asks for, and their names."""
    n_classes = getattr(request, "param", 2)
    small = {"explain.examples": 2, "explain.images": 8, "explain.steps": 4, "explain.randomisations": 1}
    write_params({"evaluate.resamples": 100, "evaluate.batch_size": 8, **small})
    write_workspace(project, build(n_classes, gates=n_classes > 2), CLASSES[n_classes])
    return project, CLASSES[n_classes]
