import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.benchmark.table import ABOUT, COST, PREDICTIONS
from stages.common.files import write_csv, write_json
from stages.common.manifest import COLUMNS, MANIFEST, PREPROCESSED, write_manifest
from stages.evaluate.predictions import TEST

SIZE = 24
CLASSES = ["Benign", "Malignant"]
# A name that would be markup, were it not escaped; no slash, since it is a file's name.
NASTY = "Malignant/<b>|nasty|&.png"
METRICS = (
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "f1",
    "macro_f1",
    "mcc",
    "brier",
    "log_loss",
)
CARD = """# Data card: phantom

## Classes

2 images <script>alert(1)</script>.

| class | images |
| --- | ---: |
| Benign | 1 |

## Examples

![Examples](../plots/data_card.png)
"""
MODELS = {"efficientnetlite": 0.91, "a_network_with_quite_a_long_name": 0.84, "alexnet": 0.7}
RealData = Callable[[Path], None]


def limits(value: float, width: float = 0.1) -> dict[str, float]:
    return {"low": max(0.0, value - width), "high": min(1.0, value + width)}


def make_level(auc: float, n: int, n_patients: int = 12) -> dict[str, Any]:
    """The metrics of a level: all follow from the AUC, so that a mixed-up number shows."""
    values = {metric: round(auc - 0.011 * place, 4) for place, metric in enumerate(METRICS)}
    return {
        **values,
        "threshold": 0.5,
        "n": n,
        "n_patients": n_patients,
        "baseline": dict.fromkeys(METRICS, 0.5) | {"accuracy": 0.667},
        "ci": {**{metric: limits(value) for metric, value in values.items()}, "resamples": 1000},
    }


def make_bins(ece: float) -> dict[str, Any]:
    names = ("ece_debiased", "brier", "reliability", "resolution", "log_loss", "slope", "intercept")
    return {"ece": ece, **dict.fromkeys(names, 0.2), "bins": 10, "ci": {"ece": limits(ece, 0.02)}}


def make_calibration() -> dict[str, Any]:
    both = {"before": make_bins(0.123), "after": make_bins(0.045)}
    return {"temperature": 1.3, "image": both, "patient": {"temperature": 0.9, **both}}


def make_uncertainty() -> dict[str, Any]:
    method = dict.fromkeys(("auc", "accuracy", "brier", "log_loss", "ece"), 0.7) | {"ci": {}}
    sets = {"coverage": 0.912, "patient_coverage": 0.904, "patients_covered": 0.8, "size": 1.2, "singletons": 0.7}
    selective = {"aurc": 0.1, "accuracy_80": 0.9, "accuracy_90": 0.85, "ci": {"aurc": limits(0.1)}}
    return {
        "coverage": 0.9,
        **dict.fromkeys(("plain", "mc_dropout", "tta"), method),
        "conformal": dict.fromkeys(("image", "patient"), sets | {"ci": {"coverage": limits(0.912, 0.05)}}),
        "selective": dict.fromkeys(("plain", "mc_dropout", "tta"), selective),
        "n": 120,
        "n_patients": 12,
    }


def make_robustness() -> dict[str, Any]:
    def cell(drop: float) -> dict[str, Any]:
        values = {"auc": 0.8 - drop, "accuracy": 0.7 - drop, "auc_drop": drop, "accuracy_drop": drop / 2}
        return values | {"ci": {name: limits(value, 0.05) for name, value in values.items()}}

    return {
        "n": 120,
        "n_patients": 12,
        "resamples": 1000,
        "clean": {"auc": 0.8, "accuracy": 0.7, "ci": {"auc": limits(0.8), "accuracy": limits(0.7)}},
        "mean": cell(0.05),
        "by_severity": {"1": cell(0.01), "5": cell(0.09)},
        "corruptions": {"noise": {"1": cell(0.02), "5": cell(0.31)}, "blur": {"1": cell(0.01), "5": cell(0.1)}},
    }


def make_explain() -> dict[str, Any]:
    def scores(*names: str) -> dict[str, Any]:
        return {**dict.fromkeys(names, 0.3), "ci": {name: limits(0.3) for name in names}}

    similar = ("rank_correlation", "ssim", "other_images")
    return {
        "n": 24,
        "n_patients": 10,
        "scores": {name: scores("deletion", "insertion") for name in ("grad_cam", "random", "centre")},
        "difference": {"grad_cam_minus_random": scores("deletion", "insertion")},
        "sanity": {"grad_cam": {**scores(*similar), "empty": 0.0, "passed": 1}},
    }


def make_leakage() -> dict[str, Any]:
    def split(auc: float, gain: float) -> dict[str, Any]:
        inflation = {"auc": gain, "accuracy": gain + 1, "ci": {"auc": {"low": gain - 1, "high": gain + 1}}}
        return {
            "n_groups": 12,
            "auc": auc,
            "accuracy": auc,
            "ci": {"auc": limits(auc), "accuracy": limits(auc)},
            "inflation": inflation,
        }

    image = split(0.97, 7.3)
    probe = {"group": {"accuracy": 0.3, "chance": 0.03, "p": 0.005, "n_images": 120, "n_answers": 12}}
    return {
        "strictest": "case",
        "inflation": image["inflation"],
        "image": image,
        "folder": None,
        "case": split(0.9, 0.0),
        "group": None,
        "probe": probe | {"magnification": None},
    }


def write_figure(path: Path, width: int = 832) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, 300), "white").save(path)


def write_data(folder: Path) -> pd.DataFrame:
    """Images, manifest and what is known of the data set; gives the images with label, patient and probability."""
    random = np.random.default_rng(0)
    names = [f"{CLASSES[number % 3 > 0]}/{number:03}.png" for number in range(60)]
    # The surest mistake: truly malignant, called benign with .99.
    names[1] = NASTY
    frame = pd.DataFrame({"image": names, "label": [name.split("/")[0] for name in names]})
    frame["group"] = [f"c{number % 12:02}" for number in range(60)]
    frame["Malignant"] = np.clip(random.normal(0.35, 0.2, 60) + 0.3 * (frame["label"] == "Malignant"), 0.02, 0.97)
    frame.loc[1, "Malignant"] = 0.01
    frame["Benign"] = 1 - frame["Malignant"]
    for name in names:
        (folder / PREPROCESSED / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / PREPROCESSED / name)
    filling = {column: 40 if column in ("magnification", "width", "height") else "x" for column in COLUMNS}
    rest = {key: value for key, value in filling.items() if key not in frame}
    write_manifest(folder / MANIFEST, frame[["image", "label", "group"]].assign(**rest))
    kinds = ("exact", "near", "embedding")
    write_json(
        folder / "metrics/audit.json",
        {"pairs": {kind: {"total": 1} for kind in kinds}, "cross_label": {"pairs": 0}},
    )
    write_json(
        folder / "metrics/restructure.json",
        {"dataset": "phantom", "images": 60, "expected": None, "partial": False, "rejected": [], "copies": []},
    )
    found = {"n_patients": 12, "accuracy_points": 13.2, "auc_points": None}
    write_json(
        folder / "metrics/power.json",
        {"assumptions": {"power": 0.8, "alpha": 0.05}, "test": found, "all": found, "patients_needed": {}},
    )
    (folder / "metrics/data_card.md").write_text(CARD, encoding="utf-8")
    write_figure(folder / "plots/data_card.png")
    return frame


COSTS = {
    "embed_seconds": 30.0,
    "training_seconds": 148.0,
    "epochs": 9,
    "parameters": 23566849,
    "trainable_parameters": 2049,
    "inference_images_per_second": 70.2,
    "flops": 1000000,
    "model_bytes": 94000000,
}


@pytest.fixture
def run_folder(project: Path) -> Path:
    """A project as the root pipeline leaves it, every optional stage included; the current folder."""
    write_run(project)
    return project


def write_run(project: Path) -> None:
    frame = write_data(project)
    write_csv(project / TEST, frame[["image", "group", "label", *CLASSES]])
    card = {
        "model": "resnet50v2",
        "weights": "random",
        "dataset": "phantom",
        "phantom": True,
        "classes": CLASSES,
        "positive": "Malignant",
        "image_size": SIZE,
        "seed": 7,
    }
    write_json(project / "models/model.json", card)
    part = {"images": 60, "groups": 12, "cases": 12, "by_class": {"Benign": 20, "Malignant": 40}}
    split = {"protocol": "fractions", "group": "case", "seed": 7, "fold": 0, "magnifications": []}
    counts = {"train": part, "val": part, "test": part}
    write_json(project / "data/splits.json", split | {"cases_on_both_sides": 0, "counts": counts})
    point = {"threshold": 0.71, "sensitivity": 0.62, "specificity": 0.93, "ci": {"sensitivity": limits(0.62)}}
    level = make_level(0.8, 60)
    metrics = {
        "image": level | {"operating_points": {"specificity_90": point}},
        "patient": make_level(0.75, 12),
        "calibration": make_calibration(),
        "subgroups": {"magnification": {"40": {"image": level, "patient": level}}},
    }
    write_json(project / "metrics/metrics.json", metrics)
    write_json(project / "metrics/cost.json", COSTS)
    write_json(project / "metrics/leakage.json", make_leakage())
    write_json(project / "metrics/uncertainty.json", make_uncertainty())
    write_json(project / "metrics/robustness.json", make_robustness())
    write_json(project / "metrics/explain.json", make_explain())
    for name in ("roc", "confusion", "leakage", "learning_curves", "calibration"):
        write_figure(project / f"plots/{name}.png")
    (project / "plots/sanity.txt").write_text("passed: a\nWARNED: b\n", encoding="utf-8")


@pytest.fixture
def bench_folder(project: Path) -> Path:
    """A project as the benchmark leaves it: three networks, two folds; the current folder."""
    write_bench(project)
    return project


def write_bench(project: Path) -> None:
    frame = write_data(project).rename(columns={"group": "patient"})
    middle = {"repeat": 0, "fold": np.arange(60) % 2, "threshold": 0.5, "patient_threshold": 0.5, "temperature": 1.2}
    tables = [frame.assign(model=model, **middle) for model in MODELS]
    write_csv(project / PREDICTIONS, pd.concat(tables))
    write_csv(project / COST, pd.DataFrame([{"model": model, "repeat": 0, "fold": 0, **COSTS} for model in MODELS]))
    about = {
        "dataset": "phantom",
        "phantom": True,
        "classes": CLASSES,
        "positive": "Malignant",
        "image_size": SIZE,
        "group": "case",
        "magnifications": [],
        "folds": 2,
        "repeats": 1,
        "n_images": 60,
        "n_patients": 12,
        "networks": {model: f"{model}, random weights" for model in MODELS},
    }
    write_json(project / ABOUT, about)
    board = {
        model: {
            "rank": rank,
            "image": make_level(auc, 60) | {"calibration": make_calibration()["image"]},
            "patient": make_level(auc - 0.05, 12),
            "cost": COSTS | {"fitting_seconds": 178.0},
        }
        for rank, (model, auc) in enumerate(MODELS.items(), 1)
    }
    write_json(project / "metrics/benchmark/leaderboard.json", board)
    names = list(MODELS)
    pairs = [
        {
            "first": first,
            "second": second,
            "verdict": verdict,
            "sentence": f"{first} and {second}: {verdict}, difference 0.070.",
            "difference": 0.07,
            "ci": {"low": 0.01, "high": 0.13},
            "p": 0.002,
            "p_holm": 0.0004,
            "patients_needed": {"difference": 210, "equivalence": None},
            "delong": {"image": {"p_holm": 0.012}},
            "mcnemar": {"image": {"p_clustered_holm": 0.034}},
        }
        for first, second, verdict in (
            (names[0], names[1], "not resolvable"),
            (names[0], names[2], "better"),
            (names[1], names[2], "equivalent"),
        )
    ]
    settings = {"metric": "auc", "level": "image", "margin": 0.03, "alpha": 0.05, "resamples": 1000}
    write_json(
        project / "metrics/benchmark/comparisons.json",
        {"settings": settings, "models": names, "notes": ["A note."], "pairs": pairs, "groups": []},
    )
    auc = {"auc": 0.8, "ci": {"auc": limits(0.8)}}
    shift = {"200": {"n": 15, "n_patients": 12, "all": auc, "held_out": {"auc": 0.71}, "drop": {"auc": 0.09}}}
    extras = {"uncertainty": make_uncertainty(), "robustness": make_robustness(), "shift": shift}
    write_json(project / "metrics/benchmark/extras.json", {name: {names[0]: of} for name, of in extras.items()})
    write_json(project / "metrics/leakage.json", make_leakage())
    for name in ("critical_difference", "pareto", "learning_curves", "roc", "calibration"):
        write_figure(project / f"plots/benchmark/{name}.png")
    (project / "benchmark").mkdir()
    (project / "benchmark/params.yaml").write_text("models: [alexnet]\n", encoding="utf-8")


@pytest.fixture
def real_data() -> RealData:
    """Turns a folder's phantom into a partial BreakHis from a local path."""

    def change(folder: Path) -> None:
        for place in ("models/model.json", "data/benchmark/about.json"):
            path = folder / place
            if path.exists():
                write_json(path, json.loads(path.read_text()) | {"dataset": "breakhis", "phantom": False})
        path = folder / "metrics/restructure.json"
        changed = {"dataset": "breakhis", "images": 60, "expected": 7909, "partial": True}
        write_json(path, json.loads(path.read_text()) | changed)
        params = yaml.safe_load((folder / "params.yaml").read_text())
        params["dataset"] = "breakhis"
        params["datasets"]["breakhis"] |= {"source": "local", "path": "/home/someone/secret/breakhis"}
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    return change
