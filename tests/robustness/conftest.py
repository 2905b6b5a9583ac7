import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.common.files import write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest

SIZE = 16
CLASSES = ["Benign", "Malignant"]
PROJECT = Path(__file__).parents[2]


def make_table(
    seed: int, noises: dict[tuple[str, int], float], n_patients: int = 12, images: int = 6, n_classes: int = 2
) -> pd.DataFrame:
    """Predictions of one network under conditions that add noise to the logits."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient % n_classes
    classes = CLASSES if n_classes == 2 else list("abcd"[:n_classes])
    logits = np.eye(n_classes)[truth] + random.normal(size=(n_patients, n_classes))[patient] / 2
    logits = logits + random.normal(size=logits.shape) / 2
    tables = []
    for (corruption, severity), noise in noises.items():
        powers = np.exp(2 * (logits + noise * random.normal(size=logits.shape)))
        scores = powers / powers.sum(axis=1, keepdims=True)
        part = pd.DataFrame(
            {
                "corruption": corruption,
                "severity": severity,
                "image": [f"{number:03}.png" for number in range(len(truth))],
                "group": [f"c{number}" for number in patient],
                "label": [classes[number] for number in truth],
                "patient": patient,
                "threshold": 0.5 if n_classes == 2 else np.nan,
                "stratum": 0,
            }
        )
        tables.append(part.assign(**dict(zip(classes, scores.T, strict=True))))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="session")
def simulate() -> Callable[..., pd.DataFrame]:
    return make_table


@pytest.fixture(scope="session")
def damaged() -> pd.DataFrame:
    """Untouched, and two corruptions at two severities, of which noise does more harm."""
    noises = {("none", 0): 0.0, ("blur", 1): 0.1, ("blur", 5): 0.5, ("noise", 1): 1.0, ("noise", 5): 4.0}
    return make_table(0, noises)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as evaluate leaves it, with a network that gives the sigmoid of (mean red - 100) / 10."""
    import keras

    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["evaluate"] |= {"resamples": 100, "batch_size": 5}
    content["robustness"] = {"corruptions": ["stain", "brightness", "noise"], "severities": [5, 1]}
    Path("params.yaml").write_text(yaml.safe_dump(content))

    write_json(Path("data/preprocess.json"), {"stain": "none", "clip_limit": 0.0, "denoise": 0.0, "target": None})
    random = np.random.default_rng(0)
    rows = []
    for number in range(18):
        case, label = number // 3, CLASSES[number // 3 % 2]
        pixels = random.integers(0, 150, (SIZE, SIZE, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(60 * (case % 2) + random.integers(0, 40))
        image = f"{label}/{number:02}.png"
        (PREPROCESSED / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(PREPROCESSED / image)
        score = 1 / (1 + np.exp(10 - pixels[..., 0].mean() / 10))
        row = {"image": image, "label": label, "case": f"c{case}", "group": f"c{case}", "magnification": 40}
        rows.append(
            dict.fromkeys(COLUMNS, "x") | row | {"width": SIZE, "height": SIZE, "Benign": 1 - score, "Malignant": score}
        )
    frame = pd.DataFrame(rows)
    write_manifest(MANIFEST, frame[list(COLUMNS)])
    Path("data/predictions").mkdir(parents=True)
    columns = ["image", "group", "label", *CLASSES]
    frame[columns].sort_values("image").to_csv("data/predictions/test.csv", index=False)
    card = {"model": "tiny", "weights": "random", "dataset": "phantom", "phantom": True, "classes": CLASSES}
    write_json(Path("models/model.json"), card | {"positive": "Malignant", "image_size": SIZE, "seed": 7})
    write_json(Path("metrics/metrics.json"), {"image": {"threshold": 0.4}})

    inputs = keras.Input((SIZE, SIZE, 3))
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, layer(keras.layers.GlobalAveragePooling2D()(inputs)))
    layer.set_weights([np.array([[0.1], [0], [0]], np.float32), np.array([-10], np.float32)])
    model.save("models/model.keras")
    return tmp_path
