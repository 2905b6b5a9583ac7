"""Benchmark runs side by side: the same folds under other settings, each run a folder that `bycase publish` wrote."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bycase.core.errors import UserError
from bycase.core.params import PARAMS_PATH
from bycase.studies.compare.inputs import Inputs, Tables, make_inputs, read_tables
from bycase.tables.out_of_fold import KEYS, check_out_of_fold

SAME = ("dataset", "phantom", "classes", "positive", "group", "magnifications", "folds", "repeats")  # of about.json
TESTED = ["repeat", "image"]
PREDICTIONS = "predictions.csv.gz"


def read_runs(names: Sequence[str], models: Sequence[str] = ()) -> Inputs:
    """Put the networks of several runs side by side, each named ``run:network``.

    Parameters
    ----------
    names : sequence of str
        Folders, such as ``results/breakhis-partial``; the first one's seed is the bootstrap's.
    models : sequence of str
        Of each run those that it has; empty: all.

    Raises
    ------
    UserError
        If two folders have one name, a file is missing or not what the benchmark writes, a network is in none of the
        runs, or they did not test the same images of the same patients in the same folds.
    """
    folders = [Path(name) for name in names]
    labels = [folder.resolve().name for folder in folders]
    if len(set(labels)) < len(labels):
        raise UserError(f"{', '.join(names)}: two folders have one name, by which runs are told apart; rename one")
    runs = [
        read_tables(folder / "about.json", folder / PREDICTIONS, folder / "cost.csv", folder / "histories.csv")
        for folder in folders
    ]
    unknown = set(models) - {model for run in runs for model in run.about["networks"]}
    if unknown:
        raise UserError(f"--models {min(unknown)}: none of the runs has this network")
    for folder, run in zip(folders[1:], runs[1:], strict=True):
        _check_same(folders[0], runs[0], folder, run)
    named = [_name(label, _choose(run, models)) for label, run in zip(labels, runs, strict=True)]
    networks = {name: words for run in named for name, words in run.about["networks"].items()}
    if len(networks) < 2:
        raise UserError(
            f"--models {' '.join(models)}: {', '.join(networks)} alone is no comparison; name another as well"
        )
    together = Tables(
        about=runs[0].about | {"networks": networks},
        predictions=pd.concat([run.predictions for run in named], ignore_index=True),
        cost=pd.concat([run.cost for run in named], ignore_index=True),
        histories=pd.concat([run.histories for run in named], ignore_index=True),
    )
    check_out_of_fold(folders[0] / PREDICTIONS, together.predictions, together.about["classes"])
    return make_inputs(together, _seed(folders[0]))


def _choose(run: Tables, models: Sequence[str]) -> Tables:
    """The tables of these networks alone; of all where none is named."""
    if not models:
        return run
    networks = {name: words for name, words in run.about["networks"].items() if name in models}
    chosen = (table[table["model"].isin(networks)] for table in (run.predictions, run.cost, run.histories))
    return Tables(run.about | {"networks": networks}, *chosen)


def _name(label: str, run: Tables) -> Tables:
    """The same tables, each network named after its run as well."""
    tables = (
        table.assign(model=f"{label}:" + table[KEYS[0]].astype(str))
        for table in (run.predictions, run.cost, run.histories)
    )
    networks = {f"{label}:{name}": words for name, words in run.about["networks"].items()}
    return Tables(run.about | {"networks": networks}, *tables)


def _check_same(one: Path, first: Tables, other: Path, second: Tables) -> None:
    for key in SAME:
        here, there = first.about[key], second.about[key]
        if here != there:
            raise UserError(
                f"{one} and {other} cannot be compared: {key} is {_words(here)} in one, {_words(there)} in the other"
            )
    frames = [run.predictions.drop_duplicates(TESTED).set_index(TESTED) for run in (first, second)]
    columns = ["fold", "patient", "label"]
    both = frames[0][columns].join(frames[1][columns], how="outer", rsuffix=" there")
    apart = both[(both[columns].to_numpy() != both[[f"{name} there" for name in columns]].to_numpy()).any(axis=1)]
    if len(apart):
        repeat, image = apart.index[0]
        raise UserError(
            f"{one} and {other} cannot be compared: they do not test image {image} alike (fold, patient or label of "
            f"repeat {repeat}); run both with the same images, seed and split"
        )


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) or "all" if isinstance(value, list) else str(value)


def _seed(folder: Path) -> int:
    path = folder / PARAMS_PATH.name
    try:
        return int(yaml.safe_load(path.read_text(encoding="utf-8"))["seed"])
    except (FileNotFoundError, KeyError, TypeError):
        raise UserError(f"{path}: not found, or without seed; 'bycase publish' keeps it with a run") from None
