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
from stages.evaluate.units import Units
from stages.split.table import write_splits

SIZE = 16
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Units]:
    """Every third patient negative; scores have an effect of the class, the patient and the image."""

    def simulated_units(seed: int, n_patients: int = 12, images: int = 6) -> Units:
        random = np.random.default_rng(seed)
        patient = np.repeat(np.arange(n_patients), images)
        truth = patient % 3 != 0
        logit = truth + random.normal(size=n_patients)[patient] + random.normal(size=len(patient))
        return Units(truth, np.round(1 / (1 + np.exp(-logit)), 2), patient)

    return simulated_units


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with params, images, manifest, split and a tiny network that scores redness."""
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["evaluate"] |= {"resamples": 100, "batch_size": 4}
    Path("params.yaml").write_text(yaml.safe_dump(content))

    random = np.random.default_rng(0)
    rows, parts = [], []
    for number in range(36):
        case = number // 3
        label = ("Benign", "Malignant")[case % 2]
        image = f"{label}/{number:02}.png"
        pixels = random.integers(0, 150, (SIZE, SIZE, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(60 * (case % 2) + random.integers(0, 40))
        (PREPROCESSED / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(PREPROCESSED / image)
        row = dict.fromkeys(COLUMNS, "x") | {"image": image, "label": label, "case": f"c{case}", "group": f"c{case}"}
        rows.append(row | {"magnification": 40, "width": SIZE, "height": SIZE})
        parts.append({"image": image, "group": f"c{case}", "part": ("train", "val", "test")[case // 4], "fold": 0})
    write_manifest(MANIFEST, pd.DataFrame(rows))
    write_splits(pd.DataFrame(parts), {"protocol": "fractions", "group": "case"})
    write_json(
        Path("models/model.json"),
        {
            "model": "tiny",
            "weights": "random",
            "dataset": "phantom",
            "phantom": True,
            "classes": ["Benign", "Malignant"],
            "positive": "Malignant",
            "image_size": SIZE,
            "seed": 7,
            "best_epoch": 2,
            "best_phase": "head",
        },
    )
    write_json(Path("models/cost.json"), {"training_seconds": 1.5, "parameters": 4})
    return tmp_path


@pytest.fixture
def network(workspace: Path) -> Path:
    """The tiny network in ``models/model.keras``: the sigmoid of (mean red - 100) / 10."""
    import keras

    inputs = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, layer(pooled))
    layer.set_weights([np.array([[0.1], [0], [0]], np.float32), np.array([-10], np.float32)])
    path = workspace / "models/model.keras"
    model.save(path)
    return path
