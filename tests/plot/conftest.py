from collections.abc import Callable, Sequence
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
from stages.explain.figure_examples import Row
from stages.explain.material import FILE, Material, write_material
from stages.explain.randomise import STEP_WORDS
from stages.explain.score import Scores
from stages.explain.summary import summarise as summarise_maps
from stages.explain.table import FOLDER as MAPS
from stages.explain.table import RESULTS as EXPLAINED
from stages.plot.facts import Facts
from stages.robustness.cells import one_cell
from stages.robustness.summary import summarise_robustness
from stages.robustness.table import RESULTS as DAMAGE
from stages.uncertainty.members import combine_members
from stages.uncertainty.summary import summarise
from stages.uncertainty.table import FOLDER, METHODS, SETS, add_sets, make_table
from stages.uncertainty.table import RESULTS as SURENESS

SIZE = 24
CLASSES = ["Benign", "Malignant"]


def make_units(seed: int, n_patients: int = 12, images: int = 10) -> Units:
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient % 3 != 0
    logit = 1.5 * truth - 0.5 + random.normal(size=n_patients)[patient] + random.normal(size=len(patient))
    return Units(truth, 1 / (1 + np.exp(-logit)), patient)


def write_maps(classes: Sequence[str]) -> None:
    """What the stage `explain` leaves: 8 images of 4 patients, two of them drawn."""
    random = np.random.default_rng(0)
    patient = np.repeat(np.arange(4), 2)
    methods = ["grad_cam", "grad_cam_plus_plus"]
    orders = [*methods, "random", "centre"]
    similarities = {name: random.uniform(0, 0.2, (8, len(STEP_WORDS), 2)) for name in methods}
    zeros = {name: np.zeros(8) for name in methods}
    curves = random.uniform(0, 1, (4, 8, 2, 3))
    content = summarise_maps(Scores(orders, curves, similarities, zeros, zeros, {}), patient, 100, 7)
    pixels = random.integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    maps = random.uniform(0, 1, (2, SIZE, SIZE)).astype(np.float32)
    row = Row("right", pixels, {"grad_cam": maps}, list(classes[:2]), np.array([0.9, 0.8]), np.array([True, True]))
    cascade = np.stack([maps] * len(STEP_WORDS))
    MAPS.mkdir(parents=True, exist_ok=True)
    write_material(MAPS / FILE, Material("grad_cam", orders, curves, similarities, patient, pixels, cascade, [row]))
    write_json(EXPLAINED, content)


WriteFurther = Callable[[pd.DataFrame, Sequence[str], str | None], None]


@pytest.fixture(scope="session")
def write_further() -> WriteFurther:
    """Write what the stages `uncertainty`, `robustness` and `explain` would."""

    def write(predictions: pd.DataFrame, classes: Sequence[str], positive: str | None) -> None:
        classes = list(classes)
        patient = np.unique(predictions["group"], return_inverse=True)[1].astype(np.int64)
        scores = predictions[classes].to_numpy(float)
        members = np.stack([scores, scores[:, ::-1]])
        combined = {name: combine_members(members[:1] if name == "plain" else members) for name in METHODS}
        thresholds = None if positive is None else dict.fromkeys(METHODS, 0.5)
        sets = dict.fromkeys(SETS, scores >= 0.2)
        table = add_sets(make_table(predictions, combined, thresholds, classes), sets, classes)
        write_csv(FOLDER / "test.csv", table)
        write_json(SURENESS, summarise(table, classes, positive, patient, None, 0.9, 100, 7))
        damaged = predictions.assign(**dict(zip(classes, (0.8 * scores + 0.2 / len(classes)).T, strict=True)))
        conditions = [predictions.assign(corruption="none", severity=0)]
        conditions += [damaged.assign(corruption=name, severity=at) for name in ("blur", "noise") for at in (1, 5)]
        cell = one_cell(pd.concat(conditions), np.tile(patient, 5), None if positive is None else 0.5)
        write_json(DAMAGE, summarise_robustness(cell, classes, positive, 100, 7))
        write_maps(classes)

    return write


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
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    images: Units,
    facts: Facts,
    history: pd.DataFrame,
    write_further: WriteFurther,
) -> Path:
    """A project folder as the stages before plot leave it."""
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
    write_further(predictions, CLASSES, "Malignant")
    return tmp_path
