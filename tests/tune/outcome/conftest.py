"""Searches that nobody ran: on sixty patients, of whom each is in one of three outer folds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stages.common.files import write_csv, write_json
from stages.common.manifest import COLUMNS
from stages.tune.outcome.table import Search, read_search
from stages.tune.params import Dimension, TuningParams

PATIENTS, IMAGES, FOLDS = 60, 3, 3
TWO, THREE = ("Benign", "Malignant"), ("Benign", "Malignant", "Normal")
EPOCHS = 6  # of a trial

SPACE: dict[str, Any] = {
    "learning_rate": {"log": [1e-5, 1e-2]},
    "batch_size": {"choice": [16, 32, 64]},
    "dropout": {"uniform": [0.0, 0.6]},
    "head": {"choice": [[], [128], [128, 64]]},
}
DIMENSIONS = {name: Dimension.model_validate(of) for name, of in SPACE.items()}

MakeSearch = Callable[..., Search]


def make_tuning(algorithm: str = "bayesian", outer: int = FOLDS, space: dict[str, Any] = SPACE) -> TuningParams:
    return TuningParams.model_validate(
        {
            "algorithm": algorithm,
            "seed": 7,
            "budget": {"trials": 12, "epochs": EPOCHS, "minutes": None},
            "early_stopping": "none",
            "inner": {"folds": 3},
            "outer": {"folds": outer},
            "search": ["final", *range(outer)],
            "population": {
                "members": 4,
                "interval": 2,
                "quantile": 0.25,
                "resample_probability": 0.25,
                "bayesian_share": 0.5,
            },
            "workers": 1,
            "ray": {"address": None, "storage": None},
            "space": space,
        }
    )


def make_manifest(classes: tuple[str, ...] = TWO) -> pd.DataFrame:
    """The images of all outer folds, and as many of a test part."""
    patient = np.repeat(np.arange(2 * PATIENTS), IMAGES)
    truth = patient % 3 % len(classes)
    frame = pd.DataFrame({"image": [f"{classes[t]}/{n:04}.png" for n, t in enumerate(truth)]})
    frame["label"] = [classes[t] for t in truth]
    frame["group"] = frame["case"] = [f"c{p:03}" for p in patient]
    for column in COLUMNS:
        if column not in frame:
            frame[column] = 0 if column in ("magnification", "width", "height") else ""
    return frame


def make_predictions(fold: int, classes: tuple[str, ...] = TWO, skill: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Of one outer fold; what a patient is like is the same whoever predicts."""
    manifest = make_manifest(classes).iloc[: PATIENTS * IMAGES]
    number = np.repeat(np.arange(PATIENTS), IMAGES)
    nature = np.random.default_rng(5).normal(size=(PATIENTS, len(classes)))[number]
    own = np.random.default_rng((seed, fold)).normal(size=nature.shape)
    truth = pd.Index(classes).get_indexer(manifest["label"])
    odds = np.exp(nature + 0.3 * own + skill * np.eye(len(classes))[truth])
    scores = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=list(classes))
    frame = pd.concat([manifest[["image", "label", "case", "group"]], scores], axis=1)
    return frame[number // 3 % FOLDS == fold].reset_index(drop=True)


def draw_settings(random: np.random.Generator) -> dict[str, Any]:
    return {
        "learning_rate": float(10 ** random.uniform(-5, -2)),
        "batch_size": int(random.choice([16, 32, 64])),
        "dropout": float(random.uniform(0, 0.6)),
        "head": str(random.choice(["none", "128", "128-64"])),
    }


DEFAULTS = {"learning_rate": 3e-4, "batch_size": 32, "dropout": 0.2, "head": "none"}


def quality(setting: dict[str, Any]) -> float:
    """Best at a learning rate of a thousandth; nothing else matters."""
    return 0.86 - 0.06 * (np.log10(setting["learning_rate"]) + 3) ** 2


def make_tables(
    algorithm: str, trials: int, seed: int, failing: tuple[int, ...] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of a random or Bayesian search; trials in `failing` crash, or diverge if their number is even."""
    random, rows, epochs, spent = np.random.default_rng(seed), [], [], 0
    for trial in range(trials):
        setting = DEFAULTS if trial == 0 else draw_settings(random)
        failed, began = trial in failing, spent
        scores = quality(setting) - 0.2 * np.exp(-np.arange(1, EPOCHS + 1)) + 0.005 * random.normal(size=EPOCHS)
        lasted = 0 if failed and trial % 2 else 2 if failed else EPOCHS
        for epoch in range(1, lasted + 1):
            spent += 1
            score = np.nan if failed else scores[epoch - 1]
            row = {"trial": trial, "epoch": epoch, "spent": spent, "score": score, "loss": 0.5, "val_loss": 0.6}
            epochs.append({**row, **setting, "donor": np.nan})
        best = int(scores.argmax())
        rows.append(
            {
                "trial": trial,
                "algorithm": algorithm,
                "status": ("crashed" if trial % 2 else "diverged") if failed else "finished",
                "message": "out of memory" if failed and trial % 2 else "",
                "started_epoch_total": began,
                "epochs": lasted,
                "score": np.nan if failed else scores[best],
                "best_epoch": np.nan if failed else best + 1,
                **setting,
                "restarts": 0,
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(epochs)


def make_population(members: int, seed: int, first: int = 1, before: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of a population, a fourth of which takes over from the best every second epoch."""
    random = np.random.default_rng(seed)
    setting = [dict(DEFAULTS) if n == 0 else draw_settings(random) for n in range(members)]
    reached, rows, spent = np.full(members, 0.5), [], before
    epochs = 3 * EPOCHS
    for epoch in range(1, epochs + 1):
        donors: dict[int, int] = {}
        if epoch % 2 == 1 and epoch > 1:
            order = np.argsort(reached)
            for loser, donor in zip(order[: members // 4 or 1], order[-(members // 4 or 1) :], strict=True):
                donors[int(loser)] = int(donor)
                factor = float(random.choice([0.8, 1.2]))
                setting[loser] = {**setting[donor], "learning_rate": setting[donor]["learning_rate"] * factor}
                reached[loser] = reached[donor]
        for member in range(members):
            spent += 1
            reached[member] += 0.15 * (quality(setting[member]) - reached[member]) + 0.003 * random.normal()
            donor = first + donors[member] if member in donors else np.nan
            row = {"trial": first + member, "epoch": epoch, "spent": spent, "score": reached[member]}
            rows.append({**row, "loss": 0.5, "val_loss": 0.6, **setting[member], "donor": donor})
    table = pd.DataFrame(rows)
    best = table.loc[table.groupby("trial")["score"].idxmax()].reset_index(drop=True)
    trials = pd.DataFrame(
        {
            "trial": best["trial"],
            "algorithm": "pbt",
            "status": "finished",
            "message": "",
            "started_epoch_total": before,
            "epochs": epochs,
            "score": best["score"],
            "best_epoch": best["epoch"],
            **{name: best[name] for name in DEFAULTS},
            "restarts": 0,
        }
    )
    return trials, table


def write_search(
    folder: Path,
    outer: str = "final",
    algorithm: str = "bayesian",
    trials: int = 12,
    seed: int = 0,
    failing: tuple[int, ...] = (),
    classes: tuple[str, ...] = TWO,
    gain: float = 0.0,
    **about: Any,
) -> Path:
    """One search's folder in the engine's contract."""
    if algorithm == "pbt":
        table, epochs = make_population(trials, seed)
        own, own_epochs = make_tables("default", 1, seed)
        table = pd.concat([own.assign(started_epoch_total=np.nan), table], ignore_index=True)
        epochs = pd.concat([epochs, own_epochs.assign(spent=np.nan)], ignore_index=True)
    elif algorithm == "bayesian+pbt":
        table, epochs = make_tables("bayesian", trials // 2, seed)
        more, more_epochs = make_population(trials - trials // 2, seed, trials // 2, len(epochs))
        table, epochs = pd.concat([table, more], ignore_index=True), pd.concat([epochs, more_epochs], ignore_index=True)
    else:
        table, epochs = make_tables(algorithm, trials, seed, failing)
    write_csv(folder / "trials.csv", table)
    write_csv(folder / "epochs.csv", epochs)
    best = table[table["algorithm"] != "default"].sort_values("score", ascending=False).iloc[0]
    widths = [] if best["head"] == "none" else [{"dense": int(width)} for width in best["head"].split("-")]
    write_json(
        folder / "winner.json",
        {
            "trial": int(best["trial"]),
            "score": float(best["score"]),
            "epoch": int(best["best_epoch"]),
            "algorithm": best["algorithm"],
            "settings": {
                "zoo.efficientnetlite.learning_rate": float(best["learning_rate"]),
                "zoo.efficientnetlite.batch_size": int(best["batch_size"]),
                "zoo.efficientnetlite.head": [*widths, {"dropout": float(best["dropout"])}],
                "augment.flip": "none",
            },
            "hyperparameters": {name: best[name] if name == "head" else float(best[name]) for name in DEFAULTS},
        },
    )
    write_json(
        folder / "about.json",
        {
            "outer": outer,
            "algorithm": algorithm,
            "seed": seed,
            "model": "efficientnetlite",
            "dataset": "phantom",
            "phantom": True,
            "classes": list(classes),
            "positive": "Malignant" if len(classes) == 2 else None,
            "monitor": "auc",
            "inner_folds": 3,
            "outer_folds": FOLDS,
            "trials_asked": trials,
            "epochs_asked": trials * EPOCHS,
            "epochs_spent": int(epochs["spent"].max()),
            "minutes": None,
            "seconds": 12.5,
            "workers": 1,
            "nodes": 1,
            "resumed": 0,
            "statuses": table["status"].value_counts().to_dict(),
            **about,
        },
    )
    if outer != "final":
        fold = int(outer)
        write_csv(folder / "predictions.csv", make_predictions(fold, classes, 1.0 + gain, seed + 1))
        write_csv(folder / "predictions_default.csv", make_predictions(fold, classes, 1.0, 100))
    return folder


def write_searches(folder: Path, folds: int = FOLDS, **options: Any) -> None:
    """The final search and those of the outer folds, all with the seed 0."""
    for outer in ("final", *map(str, range(folds))):
        write_search(folder / outer, outer, **options)


@pytest.fixture
def make_search(tmp_path: Path) -> MakeSearch:
    """``make_search("1", algorithm="pbt")`` writes a search and reads it."""

    def make(outer: str = "final", **options: Any) -> Search:
        return read_search(write_search(tmp_path / "made" / outer, outer, **options))

    return make
