from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.files import write_csv, write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest
from stages.common.training_params import EvaluateParams
from stages.evaluate.assessment import assess
from stages.evaluate.predictions import TEST, VALIDATION, make_predictions, write_predictions
from stages.evaluate.units import Units, image_units
from stages.plot.facts import Facts

SIZE = 24
CLASSES = ["Benign", "Malignant"]


def make_units(seed: int, n_patients: int = 12, images: int = 10) -> Units:
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient % 3 != 0
    logit = 1.5 * truth - 0.5 + random.normal(size=n_patients)[patient] + random.normal(size=len(patient))
    return Units(truth, 1 / (1 + np.exp(-logit)), patient)


@pytest.fixture(scope="session")
def images() -> Units:
    """A test part of 120 images of 12 patients."""
    return make_units(0)


@pytest.fixture(scope="session")
def facts(images: Units) -> Facts:
    """What is known of a random network on phantom data."""
    settings = EvaluateParams(threshold="youden", fixed_threshold=0.5, resamples=100, batch_size=4)
    card = {
        "model": "resnet50v2",
        "weights": "random",
        "dataset": "phantom",
        "phantom": True,
        "classes": CLASSES,
        "positive": "Malignant",
        "image_size": SIZE,
        "seed": 7,
        "mode": "frozen",
        "monitor": "auc",
        "prior_loss": 0.693,
        "best_epoch": 3,
        "best_phase": "head",
    }
    protocol: dict[str, Any] = {"protocol": "fractions", "group": "case", "fold": 0, "magnifications": []}
    metrics = assess(make_units(1), images, {"image": 0.6, "patient": 0.6}, settings, 7) | {"subgroups": {}}
    return Facts(card, protocol | {"cases_on_both_sides": 0}, metrics)


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    """Six epochs of a head and two of fine-tuning."""
    epoch = np.arange(1, 9)
    return pd.DataFrame(
        {
            "phase": ["head"] * 6 + ["fine_tune"] * 2,
            "epoch": epoch,
            "loss": 1 / epoch,
            "accuracy": 1 - 0.4 / epoch,
            "val_loss": 1.2 / epoch,
            "val_accuracy": 1 - 0.5 / epoch,
            "val_auc": 1 - 0.45 / epoch,
            "val_balanced_accuracy": 1 - 0.6 / epoch,
            "val_f1": 1 - 0.55 / epoch,
            "val_top_share": 0.6 + 0.3 / epoch,
            "learning_rate": 0.001,
        }
    )


@pytest.fixture
def workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: Units, facts: Facts, history: pd.DataFrame
) -> Path:
    """A project folder as evaluate leaves it."""
    monkeypatch.chdir(tmp_path)
    names = [f"{CLASSES[int(truth)]}/{number:03}.png" for number, truth in enumerate(images.truth)]
    part = pd.DataFrame({"image": names, "label": [CLASSES[int(truth)] for truth in images.truth]})
    part["group"] = [f"c{patient:02}" for patient in images.patient]
    random = np.random.default_rng(0)
    for name in names:
        (PREPROCESSED / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)).save(PREPROCESSED / name)
    filling = {column: 1 if column in ("magnification", "width", "height") else "x" for column in COLUMNS}
    write_manifest(MANIFEST, part.assign(**{key: value for key, value in filling.items() if key not in part}))
    probabilities = np.column_stack([1 - images.scores, images.scores])
    predictions = make_predictions(part, probabilities, CLASSES, TEST)
    write_predictions(TEST, predictions, CLASSES)
    write_predictions(VALIDATION, predictions, CLASSES)
    assert image_units(predictions, part, CLASSES, "Malignant", TEST).n_patients == images.n_patients
    write_json(Path("models/model.json"), facts.card)
    write_csv(Path("models/history.csv"), history)
    write_json(Path("data/splits.json"), facts.protocol)
    write_json(Path("metrics/metrics.json"), facts.metrics)
    return tmp_path
