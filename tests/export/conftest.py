import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.bundle.network import with_features
from stages.common.files import write_csv, write_json
from stages.common.manifest import PREPROCESSED
from stages.evaluate.predictions import VALIDATION as VALIDATION_CSV
from stages.export.write import Validation
from stages.split.table import write_splits
from stages.train.network import build_head, join

SIZE = 24
CLASSES = ["Benign", "Malignant"]
THRESHOLD = 0.5
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tiny() -> keras.Model:
    """A network that scores redness. Its head standardises by constants, and a name begins with _, as in the zoo."""
    keras.utils.set_random_seed(3)
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1, name="preprocess")(image)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name="_conv")(x)
    x = keras.layers.ReLU(name="relu")(keras.layers.BatchNormalization(name="norm")(x))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    backbone = keras.Model(image, x, name="tiny")
    red = np.zeros((1, SIZE, SIZE, 3), np.float32)
    red[..., 0] = 255
    features = np.asarray(backbone(np.concatenate([red, red[..., ::-1]])))
    head = build_head(8, [], 2, 0, (features.mean(axis=0), np.full(8, 0.01)))
    head.layers[-1].set_weights([0.4 * (features[0] - features[1])[:, None], np.zeros(1, np.float32)])
    return join(backbone, head)


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Thirty-six images, the later the redder; uint8."""
    random = np.random.default_rng(0)
    images = random.integers(0, 200, (36, SIZE, SIZE, 3), dtype=np.uint8)
    images[..., 0] = np.clip(images[..., 0] * np.linspace(0.3, 1.9, 36)[:, None, None], 0, 255)
    return images


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: keras.Model, pixels: np.ndarray) -> Path:
    """A project folder after `evaluate`, which is the current one."""
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    content["evaluate"]["batch_size"] = 8
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    rows = []
    for number, image in enumerate(pixels):
        name = f"{CLASSES[number > 17]}/{number:02}.png"
        (PREPROCESSED / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(PREPROCESSED / name)
        rows.append({"image": name, "group": f"g{number}", "part": ("train", "val", "test")[number % 3], "fold": 0})
    write_splits(pd.DataFrame(rows), {"protocol": "fractions", "group": "case"})
    card = {"dataset": "phantom", "phantom": True, "classes": CLASSES, "positive": "Malignant", "image_size": SIZE}
    write_json(Path("models/model.json"), card)
    tiny.save("models/model.keras")
    write_json(Path("metrics/metrics.json"), {"image": {"threshold": THRESHOLD}})
    write_csv(VALIDATION_CSV, predicted(tiny, pixels))
    return tmp_path


def predicted(tiny: keras.Model, pixels: np.ndarray) -> pd.DataFrame:
    """What `evaluate` writes of the validation part: every third image, from the second."""
    rows = np.arange(1, 36, 3)
    scores = np.asarray(tiny(pixels[rows].astype(np.float32)), np.float64)[:, 0]
    labels = [CLASSES[int(row > 17)] for row in rows]
    images = [f"{label}/{row:02}.png" for label, row in zip(labels, rows, strict=True)]
    groups = [f"g{row}" for row in rows]
    return pd.DataFrame(
        {"image": images, "group": groups, "label": labels, "Benign": 1 - scores, "Malignant": scores}
    ).sort_values("image", ignore_index=True)


@pytest.fixture
def validation(tiny: keras.Model, pixels: np.ndarray) -> Validation:
    return Validation(predicted(tiny, pixels), CLASSES, THRESHOLD, 8)


@pytest.fixture(scope="session")
def expected(tiny: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Keras' features and probability of all thirty-six images."""
    return np.asarray(with_features(tiny)(pixels.astype(np.float32), training=False))
