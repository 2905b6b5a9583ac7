"""Runs of the single pipeline, read from Git and DVC: experiments, branches, tags, commits or the workspace."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import flatten
from bycase.core.params import PARAMS_PATH
from bycase.core.params_migration import migrate
from bycase.figures.run_info import RunInfo
from bycase.tables.manifest import MANIFEST
from bycase.tables.predictions import COLUMNS, TEST, check_predictions
from bycase.tables.results import COST, METRICS
from bycase.tables.splits import PROTOCOL
from bycase.training.record import HISTORY, MODEL_INFO

if TYPE_CHECKING:
    from dvc.api import DVCFileSystem

WORKSPACE = "workspace"
MANIFEST_COLUMNS = ["image", "group", "sha256"]
ROUNDING = 1e-9


@dataclass(frozen=True)
class Revision:
    """One run.

    Attributes
    ----------
    name : str
        As it was asked for.
    run_info : RunInfo
        Network, split and metrics.
    predictions : DataFrame
        Of the test part; see `bycase.tables.predictions`.
    manifest : DataFrame with the columns `MANIFEST_COLUMNS`
        All text.
    history : DataFrame
        ``models/history.csv``.
    cost : dict of str to float
        ``metrics/cost.json``.
    params : dict of str to Any
        ``params.yaml``, by dotted key.
    """

    name: str
    run_info: RunInfo
    predictions: pd.DataFrame
    manifest: pd.DataFrame
    history: pd.DataFrame
    cost: dict[str, float]
    params: dict[str, Any]


def read_revision(name: str) -> Revision:
    """Read a run from Git's history and DVC's cache, wherever in the project this is called; nothing is checked out.

    Parameters
    ----------
    name : str
        A DVC experiment, anything that Git knows as a revision, or `WORKSPACE`.

    Raises
    ------
    UserError
        If there is no such revision, it lacks a file of the pipeline or DVC's cache does, or its metrics are not of its
        predictions.
    """
    read = _reader(name)
    model_info, protocol, metrics, cost = (json.loads(read(path)) for path in (MODEL_INFO, PROTOCOL, METRICS, COST))
    predictions = _table(read(TEST), list(COLUMNS))
    check_predictions(predictions, model_info["classes"], Path(f"{name}:{TEST}"))
    run_info = RunInfo(model_info, protocol, metrics)
    _check_metrics(name, predictions, run_info)
    params, _ = migrate(yaml.safe_load(read(PARAMS_PATH)), f"{name}:{PARAMS_PATH}")
    return Revision(
        name=name,
        run_info=run_info,
        predictions=predictions,
        manifest=_table(read(MANIFEST), MANIFEST_COLUMNS)[MANIFEST_COLUMNS],
        history=pd.read_csv(StringIO(read(HISTORY))),
        cost=cost,
        params=flatten(params),
    )


def _check_metrics(name: str, predictions: pd.DataFrame, run_info: RunInfo) -> None:
    """Refuse metrics, which the thresholds are taken from, that are not of these predictions."""
    image = run_info.metrics["image"]
    if run_info.model_info["positive"] is None:
        called = predictions[run_info.classes].idxmax(axis="columns")
    else:
        positive = predictions[run_info.positive] >= image["threshold"]
        called = positive.map({True: run_info.positive, False: run_info.negative})
    if image["n"] != len(predictions) or abs((called == predictions["label"]).mean() - image["accuracy"]) > ROUNDING:
        raise UserError(
            f"{name}: {METRICS} is not of {TEST}: the two are of different runs; commit dvc.lock together with the "
            "metrics"
        )


def _reader(name: str) -> Callable[[Path], str]:
    """A function that reads a file of the project's top folder as text, at a revision."""
    # A quarter of a second, which the other commands of this stage need not spend.
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import RevError

    try:
        Repo.find_root()
        files = DVCFileSystem(rev=None if name == WORKSPACE else name)
        files.repo  # noqa: B018 - opens it
    except NotDvcRepoError:
        raise UserError("this is no DVC project: run from a clone of it") from None
    except RevError:
        raise UserError(
            f"unknown revision '{name}': neither a DVC experiment ('dvc exp list --all') nor a Git revision "
            f"('git log --oneline'); the files here are '{WORKSPACE}'"
        ) from None

    def read(path: Path) -> str:
        try:
            text: str = files.read_text(f"/{path.as_posix()}", encoding="utf-8")
        except FileNotFoundError:
            raise UserError(_absent(files, name, path)) from None
        except DvcException as error:
            raise UserError(f"{name}: {path} cannot be read: {error}") from None
        return text

    return read


def _absent(files: "DVCFileSystem", name: str, path: Path) -> str:
    if files.exists(f"/{path.as_posix()}"):
        return (
            f"{name}: {path} is known, but neither in DVC's cache nor in a remote: 'dvc pull' where it was pushed, "
            "else run it again by 'dvc exp run'"
        )
    return f"{name}: no {path}: a run is whole after 'dvc repro' and a commit, or 'dvc exp run'"


def _table(text: str, columns: list[str]) -> pd.DataFrame:
    """A CSV file whose `columns` are text."""
    return pd.read_csv(
        StringIO(text), dtype=dict.fromkeys(columns, str), keep_default_na=False, float_precision="round_trip"
    )
