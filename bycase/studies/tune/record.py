"""What a finished search leaves behind: its trials, their epochs, the winner, and predictions of the outer fold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.params import Params
from bycase.studies.tune.context import SearchData
from bycase.studies.tune.folds import OUTER_PART
from bycase.studies.tune.journal import Event, Journal
from bycase.studies.tune.params import Run, TuningParams, plan_runs
from bycase.studies.tune.place import DEFAULT, EPOCH_COLUMNS, FINAL, STATUSES, TRIAL_COLUMNS
from bycase.studies.tune.space import changes, defaults, parse_head, searched_epochs
from bycase.tables.models import order_classes

DEFAULT_TRIAL = 0


def write_search(
    target: Path, params: Params, tuning: TuningParams, data: SearchData, journal: Journal, work: Path, nodes: int
) -> None:
    """Write the folder of one search, which had `nodes` nodes of a cluster; `work` has the trials' best predictions.

    Raises
    ------
    UserError
        If no trial has a score.
    """
    runs = plan_runs(tuning)
    epochs = epochs_table(journal, runs, list(tuning.space.searched))
    trials = trials_table(journal, runs, epochs, defaults(params, tuning.space.searched))
    winner = choose_winner(trials, params, runs)
    outer = str(data.folds["outer"].iloc[0])
    with replace_folder(target) as folder:
        write_csv(folder / "trials.csv", trials)
        write_csv(folder / "epochs.csv", epochs)
        write_json(folder / "winner.json", winner)
        if outer != FINAL:
            for name, trial in (("predictions", winner["trial"]), ("predictions_default", DEFAULT_TRIAL)):
                _write_predictions(folder, name, trial, params, data, work)
        spent = int(epochs["spent"].fillna(0).max()) if len(epochs) else 0
        write_json(folder / "about.json", _about(outer, params, tuning, journal, trials, spent, nodes))


def epochs_table(journal: Journal, runs: list[Run], keys: list[str]) -> pd.DataFrame:
    """One row a trial and epoch, in the order in which they ended: `EPOCH_COLUMNS`, and `keys` before the last of them.

    ``spent`` are the epochs of the budget until then, empty outside of it.
    """
    beside = {number for run in runs if run.algorithm == DEFAULT for number in run.numbers}
    rows, spent = [], 0
    for event in journal.of("epoch"):
        counted = event["trial"] not in beside and event["score"] is not None
        spent += counted
        rows.append({**event, "spent": spent if counted else None, **{key: event["setting"].get(key) for key in keys}})
    columns = [*EPOCH_COLUMNS[:-1], *keys, EPOCH_COLUMNS[-1]]
    return pd.DataFrame(rows, columns=columns).astype({"spent": "Int64", "donor": "Int64"})


def trials_table(journal: Journal, runs: list[Run], epochs: pd.DataFrame, own: dict[str, Any]) -> pd.DataFrame:
    """One row a trial that has begun; `own` is the setting of `params.yaml`, for its keys."""
    begun: dict[int, Event] = {}  # the first event of each trial that has a setting
    for event in journal.events:
        if event["event"] in ("trial", "epoch"):
            begun.setdefault(event["trial"], event)
    ends = {event["trial"]: event for event in journal.of("end")}
    restarts = pd.Series([event["trial"] for event in journal.of("restart")], dtype=int).value_counts()
    scored = epochs["score"].groupby(epochs["trial"]).count()
    # What of the budget had been spent when a trial began.
    started = epochs["spent"].ffill().shift().fillna(0).groupby(epochs["trial"]).first()
    rows = []
    for algorithm, number in ((run.algorithm, number) for run in runs for number in run.numbers if number in begun):
        best = journal.best(number)
        end = ends.get(number, {"status": "stopped", "message": ""})
        rows.append(
            {
                "trial": number,
                "algorithm": algorithm,
                "status": end["status"],
                "message": end["message"],
                "started_epoch_total": None if algorithm == DEFAULT else started.get(number),
                "epochs": int(scored.get(number, 0)),
                "score": best["score"] if best else None,
                "best_epoch": best["epoch"] if best else None,
                **{key: (best or begun[number])["setting"].get(key) for key in own},
                "restarts": int(restarts.get(number, 0)),
            }
        )
    return pd.DataFrame(rows).astype({"started_epoch_total": "Int64", "best_epoch": "Int64"})


def choose_winner(trials: pd.DataFrame, params: Params, runs: list[Run]) -> dict[str, Any]:
    """The trial with the best score, of equals the first, as ``winner.json`` has it.

    Raises
    ------
    UserError
        If none has a score.
    """
    scored = trials[trials["score"].notna() & (trials["algorithm"] != DEFAULT)]
    if scored.empty:
        reasons = trials["message"][trials["message"] != ""]
        why = f"the first failed so: {reasons.iloc[0]}" if len(reasons) else "no epoch ended; raise budget.minutes"
        raise UserError(f"no trial of the search has a score: {why}")
    best = scored.iloc[int(scored["score"].to_numpy(float).argmax())]
    (run,) = (run for run in runs if best["trial"] in run.numbers)
    values = {key: best[key] for key in trials.columns if key not in TRIAL_COLUMNS}
    setting = {key: value.item() if isinstance(value, np.generic) else value for key, value in values.items()}
    settings = changes(setting, params) | searched_epochs(setting, params, run.epochs)
    return {
        "trial": int(best["trial"]),
        "score": float(best["score"]),
        "epoch": int(best["best_epoch"]),
        "algorithm": best["algorithm"],
        "settings": settings,
        "hyperparameters": {key: parse_head(value) if key == "head" else value for key, value in setting.items()},
    }


def _write_predictions(folder: Path, name: str, trial: int, params: Params, data: SearchData, work: Path) -> None:
    """A trial's probabilities of the outer fold's images, and below ``<name>_inner`` of the inner folds'.

    Beside image, label, case, group, and of the inner ones fold; one column a class.
    """
    from bycase.studies.tune.trainable import best_path, read_best

    if not (path := best_path(work, trial)).is_file():
        return
    best, classes = read_best(path), order_classes(params.data.classes, params.data.positive)
    outer = data.folds.loc[data.folds["part"] == OUTER_PART, ["image"]].reset_index(drop=True)
    folds = [pd.DataFrame({"image": inner.val.images, "fold": fold}) for fold, inner in enumerate(data.inner)]
    inner = pd.concat(folds, ignore_index=True)
    known = data.folds[["image", "group"]].merge(data.pool[["image", "label", "case"]], on="image")
    columns = ["image", "label", "case", "group"]
    for suffix, images, scores in (("", outer, best.outer), ("_inner", inner, best.inner)):
        table = images.merge(known, on="image", validate="one_to_one")
        own = [*columns, *(["fold"] if "fold" in table else [])]
        write_csv(
            folder / f"{name}{suffix}.csv", pd.concat([table[own], pd.DataFrame(scores, columns=classes)], axis=1)
        )


def _about(
    outer: str, params: Params, tuning: TuningParams, journal: Journal, trials: pd.DataFrame, spent: int, nodes: int
) -> dict[str, Any]:
    counts = trials["status"].value_counts()
    return {
        "outer": outer,
        "algorithm": tuning.algorithm,
        "seed": tuning.seed,
        "model": params.model,
        "dataset": params.dataset,
        "phantom": params.data.source == "phantom",
        "classes": order_classes(params.data.classes, params.data.positive),
        "positive": params.data.positive,
        "monitor": params.train.monitor,
        "inner_folds": tuning.inner.folds,
        "outer_folds": tuning.outer.folds,
        "trials_asked": tuning.budget.trials,
        "epochs_asked": tuning.budget.trials * tuning.budget.epochs,
        "epochs_spent": spent,
        "minutes": tuning.budget.minutes,
        "seconds": round(journal.seconds(), 1),
        "workers": tuning.workers,
        "nodes": nodes,
        "resumed": len(journal.of("session")) - 1,
        "statuses": {status: int(counts.get(status, 0)) for status in STATUSES},
    }
