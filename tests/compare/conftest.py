"""A benchmark that nobody ran: four networks, two of them nearly the same, on fifty patients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.common.files import write_csv, write_json
from stages.compare.baseline import score_constant
from stages.compare.inputs import Inputs, describe_benchmark

FOLDS, REPEATS, PATIENTS = 5, 2, 50
# How far apart each network's scores of two classes are, and how much of them is its own noise.
SKILL = {"resnet50v2": (2.2, 0.25), "efficientnetlite": (2.2, 0.1), "focal_cnn": (1.0, 1.0), "alexnet": (0.9, 1.2)}
TWO, THREE = ("Benign", "Malignant"), ("Benign", "Malignant", "Normal")


@dataclass(frozen=True)
class Synthetic:
    """The files that the benchmark gathers, as frames."""

    predictions: pd.DataFrame
    cost: pd.DataFrame
    histories: pd.DataFrame
    about: dict[str, Any]

    def write(self, extras: bool = False) -> None:
        """Into the current folder, as the benchmark does."""
        folder = Path("data/benchmark")
        (folder / "extras").mkdir(parents=True)
        for name in ("predictions", "cost", "histories"):
            write_csv(folder / f"{name}.csv", getattr(self, name))
        write_json(folder / "about.json", self.about)
        if extras:
            first = self.predictions[self.predictions["repeat"] == 0]
            write_csv(folder / "extras/robustness.csv", damage(first, self.about["classes"]))
            write_csv(folder / "extras/uncertainty.csv", doubt(first, self.about["classes"]))
            held_out = first[(first["model"] == "alexnet") & (first["image"].str.contains("[05].png"))]
            write_csv(folder / "extras/shifted.csv", held_out.assign(held_out=200))


def damage(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The same predictions untouched, and drawn towards equal probabilities by damage."""
    keys = ["model", "repeat", "fold", "image", "label"]
    random, tables = np.random.default_rng(1), []
    for corruption, severity in [("none", 0), ("noise", 1), ("noise", 5), ("blur", 1), ("blur", 5)]:
        scores = predictions[list(classes)] + 0.2 * severity * random.random((len(predictions), len(classes)))
        table = predictions[keys].assign(corruption=corruption, severity=severity, group=predictions["patient"])
        tables.append(table.join(scores.div(scores.sum(axis=1), axis=0)))
    return pd.concat(tables, ignore_index=True)


def doubt(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """What three methods say, all the same, and prediction sets of what is not improbable."""
    table = predictions[["model", "repeat", "fold", "image", "label"]].assign(group=predictions["patient"])
    scores = predictions[list(classes)]
    columns: dict[str, Any] = {}
    for method in ("plain", "mc_dropout", "tta"):
        columns |= {f"{method}_{name}": scores[name] for name in classes}
        columns[f"{method}_predicted"] = scores.idxmax(axis="columns")
        columns[f"{method}_confidence"] = scores.max(axis="columns")
        columns[f"{method}_entropy"] = -(scores * np.log(scores)).sum(axis="columns")
        if method != "plain":
            columns |= {f"{method}_expected_entropy": 0.1, f"{method}_mutual_information": 0.01}
    for name in classes:
        columns |= {f"set_{name}": (scores[name] > 0.1) * 1, f"patient_set_{name}": (scores[name] > 0.05) * 1}
    return table.assign(**columns)


def make_synthetic(
    classes: Sequence[str] = TWO,
    repeats: int = REPEATS,
    skill: dict[str, tuple[float, float]] = SKILL,
    images: int = 4,
    seed: int = 0,
) -> Synthetic:
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), images)
    truth = patient % len(classes) if len(classes) > 2 else (patient % 3 > 0).astype(int)
    names = np.array([f"{classes[t]}/{n:04}.png" for n, t in enumerate(truth)])
    difficulty = random.normal(size=(len(truth), len(classes))) + random.normal(size=(PATIENTS, len(classes)))[patient]
    frames, costs, histories = [], [], []
    for number, (model, (distance, own)) in enumerate(skill.items()):
        for repeat in range(repeats):
            fold = np.random.default_rng(repeat).permutation(PATIENTS)[patient] % FOLDS
            logits = difficulty + own * random.normal(size=difficulty.shape)
            logits[np.arange(len(truth)), truth] += distance
            odds = np.exp(1.8 * (logits - logits.max(axis=1, keepdims=True)))
            scores = odds / odds.sum(axis=1, keepdims=True)
            two = len(classes) == 2
            rows = {
                "model": model,
                "repeat": repeat,
                "fold": fold,
                "image": names,
                "patient": [f"c{p:02}" for p in patient],
                "label": np.array(classes)[truth],
                **{name: scores[:, column] for column, name in enumerate(classes)},
                "threshold": 0.45 + 0.02 * fold if two else np.nan,
                "patient_threshold": 0.5 if two else np.nan,
                "temperature": 1.5 + 0.1 * fold,
            }
            frames.append(pd.DataFrame(rows))
            for cell in range(FOLDS):
                costs.append(make_cost(model, repeat, cell, number))
                histories.append(make_history(model, repeat, cell, distance, random))
    return Synthetic(
        pd.concat(frames, ignore_index=True),
        pd.DataFrame(costs),
        pd.concat(histories, ignore_index=True),
        {
            "dataset": "phantom",
            "phantom": True,
            "classes": list(classes),
            "positive": "Malignant" if len(classes) == 2 else None,
            "image_size": 96,
            "folds": FOLDS,
            "repeats": repeats,
            "group": "case",
            "n_images": len(truth),
            "n_patients": PATIENTS,
            "networks": {
                model: f"{model}, {'ImageNet' if n == 1 else 'random'} weights" for n, model in enumerate(skill)
            },
            "commit": "0123abc",
        },
    )


def make_cost(model: str, repeat: int, fold: int, number: int) -> dict[str, Any]:
    return {
        "model": model,
        "repeat": repeat,
        "fold": fold,
        "parameters": 10 ** (6 + number % 3),
        "trainable_parameters": 10**5,
        "embed_seconds": 10.0 if number < 2 else 0.0,
        "training_seconds": 20.0 * 4**number + fold,
        "epochs": 12,
        "inference_images_per_second": 50.0 * (number + 1),
        "flops": 3 * 10 ** (8 + number % 3),
        "model_bytes": 4 * 10 ** (6 + number % 3),
        "energy_joules": np.nan,
    }


def make_history(model: str, repeat: int, fold: int, skill: float, random: np.random.Generator) -> pd.DataFrame:
    head, epochs = 10, 10 + (4 if skill > 2 else 0) + fold
    epoch = np.arange(1, epochs + 1)
    reached = 0.5 + 0.2 * min(skill, 2.4) * (1 - np.exp(-epoch / 4)) + 0.02 * random.normal(size=epochs)
    return pd.DataFrame(
        {
            "model": model,
            "repeat": repeat,
            "fold": fold,
            "phase": np.where((epoch > head) & (skill > 2), "fine_tune", "head"),
            "epoch": epoch,
            "loss": 1 - reached,
            "accuracy": reached,
            "val_loss": 1.3 - reached + 0.02 * random.normal(size=epochs),
            "val_accuracy": reached - 0.03,
            "val_auc": reached,
        }
    )


@pytest.fixture(scope="session", name="make_synthetic")
def expose_make_synthetic() -> Callable[..., Synthetic]:
    return make_synthetic


@pytest.fixture(scope="session")
def two() -> Synthetic:
    return make_synthetic()


@pytest.fixture(scope="session")
def three() -> Synthetic:
    return make_synthetic(THREE, repeats=1)


@pytest.fixture(scope="session")
def inputs_of() -> Callable[[Synthetic], Inputs]:
    """As `read_benchmark` would read them."""

    def read(synthetic: Synthetic) -> Inputs:
        about = synthetic.about
        constant = score_constant(synthetic.predictions, about["classes"], about["positive"])
        return Inputs(
            predictions=synthetic.predictions.copy(),
            cost=synthetic.cost,
            histories=synthetic.histories,
            classes=about["classes"],
            positive=about["positive"],
            networks=about["networks"],
            baselines=dict.fromkeys(about["networks"], constant),
            seed=7,
            subtitle=describe_benchmark(about),
        )

    return read
