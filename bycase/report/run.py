"""All that the report of one network is made of, read from the workspace."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params import PARAMS_PATH, Params, load_params
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.tables.manifest import read_manifest
from bycase.tables.predictions import TEST, read_predictions
from bycase.tables.results import COST, read_results

METRICS = Path("metrics")
PLOTS = Path("plots")
FIGURES = PLOTS / "model"
DATA_CARD = METRICS / "data_card.md"
# Stages whose numbers are shown where they are there.
OPTIONAL = ("leakage", "uncertainty", "robustness", "explain")


@dataclass(frozen=True)
class Run:
    """A finished run of the pipeline.

    Attributes
    ----------
    run_info : RunInfo
        Network, split and metrics.
    params : Params
        What it was made with.
    params_text : str
        The same as the user wrote it.
    manifest : DataFrame
        See `bycase.tables.manifest`.
    predictions : DataFrame
        Of the test part.
    cost, restructure, audit, power : dict
        The stages' JSON files.
    data_card : str
        Markdown.
    sanity : list of str
        The lines of ``plots/model/sanity.txt``, empty where it is not there.
    optional : dict
        The JSON files of `OPTIONAL` that are there.
    """

    run_info: RunInfo
    params: Params
    params_text: str
    manifest: pd.DataFrame
    predictions: pd.DataFrame
    cost: dict[str, Any]
    restructure: dict[str, Any]
    audit: dict[str, Any]
    power: dict[str, Any]
    data_card: str
    sanity: list[str]
    optional: dict[str, dict[str, Any]]


def read_run() -> Run:
    """Read the run that is in the current folder.

    Raises
    ------
    UserError
        If a file that every run has is missing; names the stage that makes it.
    """
    run_info = read_run_info()
    params = load_params()
    if params.dataset != run_info.model_info["dataset"] or params.model != run_info.model_info["model"]:
        raise UserError(
            f"{PARAMS_PATH} names {params.model} on {params.dataset}, models/model.json "
            f"{run_info.model_info['model']} on {run_info.model_info['dataset']}: run 'dvc repro' first"
        )
    sanity = FIGURES / "sanity.txt"
    return Run(
        run_info=run_info,
        params=params,
        params_text=PARAMS_PATH.read_text(encoding="utf-8"),
        manifest=read_manifest(),
        predictions=read_predictions(TEST, run_info.classes),
        cost=read_results(COST, "evaluate"),
        restructure=read_results(METRICS / "restructure.json", "restructure"),
        audit=read_results(METRICS / "audit.json", "audit"),
        power=read_results(METRICS / "power.json", "power"),
        data_card=read_text(DATA_CARD, "card"),
        sanity=sanity.read_text(encoding="utf-8").splitlines() if sanity.exists() else [],
        optional=read_optional(METRICS),
    )


def read_optional(folder: Path) -> dict[str, dict[str, Any]]:
    """The JSON files of `OPTIONAL` that are in a folder."""
    paths = {name: folder / f"{name}.json" for name in OPTIONAL}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.exists()}


def read_text(path: Path, stage: str) -> str:
    """A text that a stage wrote.

    Raises
    ------
    UserError
        If it is not there.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None
