from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.files import write_csv, write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest
from stages.evaluate.multiclass.assessment import assess
from stages.evaluate.multiclass.units import ClassUnits
from stages.evaluate.predictions import TEST, VALIDATION, make_predictions, write_predictions
from stages.plot.facts import Facts

CLASSES = (
    "adenosis",
    "fibroadenoma",
    "phyllodes_tumor",
    "tubular_adenoma",
    "ductal_carcinoma",
    "lobular_carcinoma",
    "mucinous_carcinoma",
    "papillary_carcinoma",
)


def make_class_units(seed: int, classes: tuple[str, ...], images: int = 4) -> ClassUnits:
    random = np.random.default_rng(seed)
    n_patients = 3 * len(classes)
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient % len(classes)
    odds = np.exp(1.3 * np.eye(len(classes))[truth] + random.normal(size=(len(truth), len(classes))))
    return ClassUnits(classes, truth, odds / odds.sum(axis=1, keepdims=True), patient)


@pytest.fixture(scope="session", params=[3, 8])
def class_images(request: pytest.FixtureRequest) -> ClassUnits:
    """A test part of three and of eight classes, three patients each."""
    return make_class_units(0, CLASSES[: request.param])


@pytest.fixture(scope="session")
def class_facts(class_images: ClassUnits, facts: Facts) -> Facts:
    """What is known of a network for these classes."""
    shares = np.full(len(class_images.classes), 1 / len(class_images.classes))
    validation = make_class_units(1, class_images.classes)
    metrics = assess(validation, class_images, {"image": shares, "patient": shares}, 100, 7) | {"subgroups": {}}
    card = facts.card | {"classes": list(class_images.classes), "positive": None, "prior_loss": 2.08}
    return replace(facts, card=card, metrics=metrics)


@pytest.fixture
def class_workspace(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    class_images: ClassUnits,
    class_facts: Facts,
    history: pd.DataFrame,
    write_further: Callable[..., None],
) -> Path:
    """A project folder as the stages before plot leave it."""
    monkeypatch.chdir(tmp_path)
    labels = np.array(class_images.classes)[class_images.truth]
    part = pd.DataFrame({"image": [f"{label}/{number:03}.png" for number, label in enumerate(labels)]})
    part["label"], part["group"] = labels, [f"c{patient:02}" for patient in class_images.patient]
    random = np.random.default_rng(0)
    for name in part["image"]:
        (PREPROCESSED / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), tuple(random.integers(0, 255, 3).tolist())).save(PREPROCESSED / name)
    filling = {column: 1 if column in ("magnification", "width", "height") else "x" for column in COLUMNS}
    write_manifest(MANIFEST, part.assign(**{key: value for key, value in filling.items() if key not in part}))
    predictions = make_predictions(part, class_images.scores, class_images.classes, TEST)
    for path in (TEST, VALIDATION):
        write_predictions(path, predictions, class_images.classes)
    write_json(Path("models/model.json"), class_facts.card)
    write_csv(Path("models/history.csv"), history)
    write_json(Path("data/splits.json"), class_facts.protocol)
    write_json(Path("metrics/metrics.json"), class_facts.metrics)
    write_further(predictions, class_images.classes, None)
    return tmp_path
