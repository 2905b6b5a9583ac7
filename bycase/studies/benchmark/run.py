"""What a cell runs: split, features where they are its own, training within the budget, evaluation, extras."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bycase.core.files import replace_folder, write_csv
from bycase.core.params import PARAMS_PATH, Params
from bycase.studies.benchmark.cell import (
    BENCHMARK,
    WORK,
    Cell,
    features_place,
    relocate,
    split_settings,
    training_seed,
    training_settings,
)
from bycase.studies.benchmark.params import BudgetParams, ExtrasParams
from bycase.studies.benchmark.workspace import Workspace, code_files, digest_inputs

SHARED = ("data/manifest.csv", "data/duplicates.csv", "data/restructured")
KEPT = {
    "params.yaml": "params.yaml",
    "data/splits.csv": "splits.csv",
    "data/splits.json": "splits.json",
    "data/predictions/val.csv": "val.csv",
    "data/predictions/test.csv": "test.csv",
    "metrics/metrics.json": "metrics.json",
    "metrics/cost.json": "cost.json",
    "models/history.csv": "history.csv",
    "models/model.json": "model.json",
    "models/model.keras": "model.keras",
    "trials.csv": "trials.csv",
}
EXTRAS = {"uncertainty": "data/uncertainty/test.csv", "robustness": "data/robustness/test.csv"}


def has_own_pixels(params: Params) -> bool:
    """Whether images differ from fold to fold, as they do where stains are fitted on training images."""
    return params.preprocess.stain != "none"


def embed_model(params: Params, model: str, repeat: int, project: Path) -> Path:
    """Compute the frozen features that all folds of a repeat share.

    Parameters
    ----------
    params : Params
        The project's.
    model : str
        Which network.
    repeat : int
        Decides the seed of weights and views.
    project : Path
        The project's top folder.

    Returns
    -------
    Path
        The folder of features; empty of images where each cell has its own (see `has_own_pixels`).
    """
    place = features_place(model, repeat)
    target = project / BENCHMARK / place
    if has_own_pixels(params):
        with replace_folder(target):
            logging.info("stains are fitted on each fold's training images: each cell computes its own features")
        return target
    settings = read_settings(project) | {"model": model, "seed": training_seed(params.seed, repeat)}
    workspace = Workspace(project / WORK / place, project, f"{model}, repeat {repeat}")
    links = {name: Path(name) for name in (*SHARED, "data/preprocessed")}
    workspace.open(_made_from(settings, project), links)
    workspace.write_params(relocate(settings, project, workspace.folder))
    workspace.run("embed")
    _move(workspace.folder / "data/features", target)
    workspace.remove()
    return target


def run_cell(params: Params, budget: BudgetParams, extras: ExtrasParams, folds: int, cell: Cell, project: Path) -> Path:
    """Train and test one network on one fold.

    Parameters
    ----------
    params : Params
        The project's.
    budget : BudgetParams
        Trials and epochs.
    extras : ExtrasParams
        What else cells of the first repeat do.
    folds : int
        How many there are.
    cell : Cell
        Which.
    project : Path
        The project's top folder.

    Returns
    -------
    Path
        The cell's folder.

    Raises
    ------
    UserError
        If a stage fails; what is done is kept.
    """
    target = project / BENCHMARK / cell.place
    workspace = Workspace(project / WORK / cell.place, project, str(cell))
    settings = relocate(split_settings(read_settings(project), cell, folds), project, workspace.folder)
    wanted = [name for name in EXTRAS if getattr(extras, name) and not cell.repeat and cell.held_out is None]
    own_pixels = has_own_pixels(params)
    links = {name: Path(name) for name in SHARED} | {f"data/raw/{params.dataset}": Path("data/raw") / params.dataset}
    if not own_pixels:
        links |= {
            "data/preprocess.json": Path("data/preprocess.json"),
            "data/preprocessed": Path("data/preprocessed"),
            "data/features": BENCHMARK / features_place(cell.model, cell.repeat),
        }
    workspace.open(_made_from(settings | {"budget": budget.model_dump()}, project), links)
    workspace.write_params(settings)
    workspace.run("split")
    workspace.write_params(training_settings(settings, cell, budget, 0))
    if own_pixels:
        workspace.run("preprocess")
        workspace.run("embed")
    _train(workspace, settings, cell, budget, params.train.monitor)
    for stage in ("evaluate", *wanted):
        workspace.run(stage)
    _keep(workspace, target, wanted)
    workspace.remove()
    return target


def read_settings(project: Path) -> dict[str, Any]:
    """The content of the project's `params.yaml`."""
    content: dict[str, Any] = yaml.safe_load((project / PARAMS_PATH).read_text(encoding="utf-8"))
    return content


def _train(workspace: Workspace, settings: dict[str, Any], cell: Cell, budget: BudgetParams, monitor: str) -> None:
    """Train every trial, and leave the one that validation prefers, its settings and the table of all."""
    if workspace.has_done("choose"):
        return
    folder, rows = workspace.folder, []
    for trial in range(budget.trials):
        tried = training_settings(settings, cell, budget, trial)
        place = folder / "trials" / str(trial)
        if not workspace.has_done(f"trial {trial}"):
            workspace.write_params(tried)
            workspace.run("train", f"train {trial}")
            _move(folder / "models", place)
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


def best_epoch(history: pd.DataFrame, monitor: str) -> dict[str, float]:
    """The best validation score of a training, and how many epochs it took.

    Parameters
    ----------
    history : DataFrame with a column ``val_<monitor>``
        One row an epoch.
    monitor : str
        ``train.monitor``; of the loss the lowest is best, of all others the highest.
    """
    scores = history[f"val_{monitor}"]
    return {f"val_{monitor}": float(scores.min() if monitor == "loss" else scores.max()), "epochs": len(history)}


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


def _made_from(settings: dict[str, Any], project: Path) -> str:
    files = [project / name for name in SHARED if (project / name).is_file()]
    return digest_inputs([yaml.safe_dump(settings)], [*files, *code_files(project)])


def _keep(workspace: Workspace, target: Path, extras: list[str]) -> None:
    kept = KEPT | {EXTRAS[name]: f"{name}.csv" for name in extras}
    with replace_folder(target) as folder:
        for name, new in kept.items():
            shutil.copyfile(workspace.folder / name, folder / new)


def _move(source: Path, target: Path) -> None:
    """Put a finished folder in its place."""
    with replace_folder(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=_hard_link)
    shutil.rmtree(source)


def _hard_link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target
