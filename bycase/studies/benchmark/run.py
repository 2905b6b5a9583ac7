"""What a cell runs: split, features where they are its own, training within the budget, evaluation, extras."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.files import replace_folder, write_csv
from bycase.core.fingerprint import fingerprint
from bycase.core.nested import pick
from bycase.core.params import Params
from bycase.core.seeding import generator
from bycase.datasets.splits.nested import group_labels, keep_training_groups, nested_order
from bycase.datasets.splits.protocol import count_subset
from bycase.networks.weights import weights_digest
from bycase.studies.benchmark.cell import (
    BENCHMARK,
    WORK,
    Cell,
    features_place,
    has_own_pixels,
    relocate,
    split_settings,
    training_settings,
)
from bycase.studies.benchmark.params import BudgetParams
from bycase.studies.benchmark.workspace import SHARED, Workspace, move_folder
from bycase.tables.manifest import read_manifest
from bycase.tables.models import NETWORK
from bycase.tables.splits import PROTOCOL, SPLITS, read_protocol, read_splits, write_splits

# What a cell's stages read, beside the sections of its data set, its network and its extras.
SCORING = tuple(f"evaluate.{key}" for key in ("threshold", "fixed_threshold", "resamples", "prevalence", "batch_size"))
SETTINGS = ("dataset", "seed", "engine", "split", "audit.waive", "augment", "embed", *SCORING, "preprocess", "train")
KEPT = {
    "params.yaml": "params.yaml",
    "data/splits.csv": "splits.csv",
    "data/splits.json": "splits.json",
    "data/predictions/val.csv": "val.csv",
    "data/predictions/test.csv": "test.csv",
    "data/predictions/made_by.json": "made_by.json",
    "metrics/metrics.json": "metrics.json",
    "metrics/cost.json": "cost.json",
    "models/history.csv": "history.csv",
    "models/model.json": "model.json",
    "models/model.keras": "model.keras",
    "trials.csv": "trials.csv",
}


def run_cell(params: Params, budget: BudgetParams, folds: int, cell: Cell, extras: Mapping[str, str]) -> Path:
    """Train and test one network on one fold.

    Parameters
    ----------
    params : Params
        The project's.
    budget : BudgetParams
        Trials and epochs.
    folds : int
        Number of folds of a repeat.
    cell : Cell
        What is trained and on which fold it is tested.
    extras : mapping of str to str
        Stages that run last, such as ``stages.robustness``, and the table of each that is kept.

    Returns
    -------
    Path
        The cell's folder.

    Raises
    ------
    UserError
        If a stage fails; what is done is kept.
    """
    target = BENCHMARK / cell.place
    workspace = Workspace(WORK / cell.place, str(cell))
    settings, data = split_settings(params, cell, folds), shared_data(params, cell)
    own_pixels = has_own_pixels(params)
    raw = Path("data/raw") / params.dataset
    workspace.open(cell_fingerprint(params, budget, folds, cell, extras), data | {raw.as_posix(): raw})
    settings = relocate(settings, workspace.folder)
    workspace.write_params(settings)
    workspace.run("stages.split")
    if cell.patients is not None and not workspace.has_done("patients"):
        keep_patients(workspace.folder, cell.patients, params.seed, cell.fold)
        workspace.mark_done("patients")
    workspace.write_params(training_settings(settings, cell, budget, 0))
    if own_pixels:
        workspace.run("stages.preprocess")
        workspace.run("stages.embed")
    _train(workspace, settings, cell, budget, params.train.monitor)
    for stage in ("stages.evaluate", *extras):
        workspace.run(stage)
    with replace_folder(target) as folder:
        for name, new in (KEPT | {path: f"{stage.split('.')[-1]}.csv" for stage, path in extras.items()}).items():
            if cell.patients is None or name != NETWORK.as_posix():
                shutil.copyfile(workspace.folder / name, folder / new)
    workspace.remove()
    return target


def shared_data(params: Params, cell: Cell) -> dict[str, Path]:
    """What of the project a cell reads: path in its folder to path in the project."""
    data = {name: Path(name) for name in SHARED}
    if has_own_pixels(params):
        return data
    return data | {
        "data/preprocess.json": Path("data/preprocess.json"),
        "data/preprocessed": Path("data/preprocessed"),
        "data/features": BENCHMARK / features_place(cell.model, cell.repeat),
    }


def cell_fingerprint(params: Params, budget: BudgetParams, folds: int, cell: Cell, extras: Mapping[str, str]) -> str:
    """Digest all that a cell depends on, as given to `run_cell`; a half-finished one with another is begun anew."""
    settings, data = split_settings(params, cell, folds), shared_data(params, cell)
    own = [stage.removeprefix("stages.") for stage in extras]
    keys = [*SETTINGS, *own, f"datasets.{settings['dataset']}", f"zoo.{cell.model}"]
    weights = Params.model_validate(settings).weights
    code = ["bycase.studies.benchmark.run", *extras]
    return fingerprint(code, pick(settings, keys), weights_digest(weights), budget, cell.patients, files=data.values())


def keep_patients(folder: Path, number: int, seed: int, fold: int) -> None:
    """Leave `number` training patients in a cell's split, the same for every network and within any larger number."""
    path, beside = folder / SPLITS, folder / PROTOCOL
    splits, manifest = read_splits(path), read_manifest()
    labels = manifest.set_index("image")["label"]
    order = nested_order(group_labels(splits, labels), generator(seed, "patients", fold))
    kept = keep_training_groups(splits, order[:number])
    train = kept.loc[kept["part"] == "train"].merge(manifest[["image", "case", "label", "subtype"]], on="image")
    protocol = read_protocol(beside)
    protocol["counts"]["train"] = count_subset(train)
    write_splits(kept, protocol, path, beside)


def _train(workspace: Workspace, settings: dict[str, Any], cell: Cell, budget: BudgetParams, monitor: str) -> None:
    """Train every trial, and leave the one that validation prefers, its settings and the table of all."""
    if workspace.has_done("choose"):
        return
    folder, rows = workspace.folder, []
    for trial in range(count_trials(settings["zoo"][cell.model], budget)):
        tried = training_settings(settings, cell, budget, trial)
        place = folder / "trials" / str(trial)
        if not workspace.has_done(f"trial {trial}"):
            workspace.write_params(tried)
            workspace.run("stages.train", f"train {trial}")
            move_folder(folder / "models", place)
            workspace.mark_done(f"trial {trial}")
        entry = tried["zoo"][cell.model]
        rows.append(
            {"trial": trial, "learning_rate": entry["learning_rate"], "weight_decay": entry["weight_decay"]}
            | best_epoch(pd.read_csv(place / "history.csv"), monitor)
        )
    trials = pd.DataFrame(rows)
    chosen = choose_trial(trials, monitor)
    shutil.copytree(folder / "trials" / str(chosen), folder / "models", dirs_exist_ok=True)
    write_csv(folder / "trials.csv", trials.assign(chosen=trials["trial"] == chosen))
    workspace.write_params(training_settings(settings, cell, budget, chosen))
    workspace.mark_done("choose")


def count_trials(entry: Mapping[str, Any], budget: BudgetParams) -> int:
    """How many trials a zoo entry gets: a head that is fitted at once has no rates to try, and one is all there is."""
    if isinstance(entry["head"], str) and budget.trials > 1:
        logging.info("head %s chooses its own settings on validation: one trial is all there is", entry["head"])
        return 1
    return budget.trials


def best_epoch(history: pd.DataFrame, monitor: str) -> dict[str, float]:
    """The best validation score of a training, and how many epochs it took.

    Parameters
    ----------
    history : DataFrame with a column ``val_<monitor>``
        One row an epoch, or a setting of a head that takes none.
    monitor : str
        ``train.monitor``; of the loss the lowest is best, of all others the highest.
    """
    scores = history[f"val_{monitor}"]
    epochs = 0 if "setting" in history.columns else len(history)
    return {f"val_{monitor}": float(scores.min() if monitor == "loss" else scores.max()), "epochs": epochs}


def choose_trial(trials: pd.DataFrame, monitor: str) -> int:
    """The trial with the best validation score; of equals the first.

    Parameters
    ----------
    trials : DataFrame with the columns ``trial`` and ``val_<monitor>``
        One row a trial.
    monitor : str
        See `best_epoch`.
    """
    scores = trials[f"val_{monitor}"].to_numpy()
    return int(trials["trial"].iloc[int(scores.argmin() if monitor == "loss" else scores.argmax())])
