"""Runs of the single pipeline, read from Git and DVC, and whether they were tested on the same images."""

import json
from collections.abc import Callable, Sequence
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
from bycase.statistics.external import RESULTS as EXTERNAL
from bycase.statistics.units import number_classes, number_patients, positive_number, predict_classes
from bycase.tables.cost import COST, cost_of
from bycase.tables.manifest import MANIFEST
from bycase.tables.models import HISTORY, MODEL_INFO
from bycase.tables.predictions import COLUMNS, TEST, check_predictions
from bycase.tables.results import METRICS
from bycase.tables.splits import PROTOCOL

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
        As the user gave it.
    run_info : RunInfo
        Network, split and metrics.
    predictions : DataFrame
        Of the test set; see `bycase.tables.predictions`.
    manifest : DataFrame with the columns `MANIFEST_COLUMNS`
        All text.
    history : DataFrame
        ``models/history.csv``.
    cost : dict of str to float
        See `bycase.tables.cost.cost_of`.
    params : dict of str to Any
        ``params.yaml``, by dotted key.
    external : dict
        ``metrics/external.json``; empty without an external test set, and of runs of before there were any.
    """

    name: str
    run_info: RunInfo
    predictions: pd.DataFrame
    manifest: pd.DataFrame
    history: pd.DataFrame
    cost: dict[str, float]
    params: dict[str, Any]
    external: dict[str, Any]


def read_revision(name: str) -> Revision:
    """Read a run from Git's history and DVC's cache, from any folder of the project; nothing is checked out.

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
    external = json.loads(read(EXTERNAL)) if params.get("evaluate", {}).get("external") else {}
    return Revision(
        name=name,
        run_info=run_info,
        predictions=predictions,
        manifest=_table(read(MANIFEST), MANIFEST_COLUMNS)[MANIFEST_COLUMNS],
        history=pd.read_csv(StringIO(read(HISTORY))),
        cost=cost_of(model_info, cost),
        params=flatten(params),
        external=external,
    )


def read_revisions(names: Sequence[str]) -> list[Revision]:
    """Read several runs, all tested on the same images.

    Raises
    ------
    UserError
        If a name stands twice, or as `read_revision` or `check_same_test`.
    """
    twice = {name for name in names if list(names).count(name) > 1}
    if twice:
        raise UserError(f"{min(twice)} is given twice; name each revision once")
    revisions = [read_revision(name) for name in names]
    for other in revisions[1:]:
        check_same_test(revisions[0], other)
    return revisions


def check_same_test(one: Revision, other: Revision) -> None:
    """Refuse two runs that were not tested on the same images, labels and patients.

    Raises
    ------
    UserError
        If they differ; says in how many images, with an example and the parameters that may be the reason.
    """
    difference = find_difference(one, other)
    if difference:
        raise UserError(
            f"{one.name} and {other.name} cannot be compared: their test sets differ: {difference}"
            f"{_describe_params(one, other)}"
        )


def find_difference(one: Revision, other: Revision) -> str | None:
    """The first difference between two runs' test sets, in whatever order their rows are; None if there is none."""
    infos = one.run_info.model_info, other.run_info.model_info
    for key, words in (("dataset", "data set"), ("classes", "classes"), ("positive", "positive class")):
        if infos[0][key] != infos[1][key]:
            return f"{words} {_value_words(infos[0][key])} / {_value_words(infos[1][key])}"
    mine, theirs = (_test_set(revision) for revision in (one, other))
    apart = mine.index.symmetric_difference(theirs.index)
    if len(apart):
        owner = one.name if apart[0] in mine.index else other.name
        total = len(mine.index.union(theirs.index))
        return f"{len(apart)} of {total} test images are in one only, such as {apart[0]} in {owner}"
    differing = {
        "have another label": mine["label"] != theirs["label"],
        "are grouped with other images (by patient)": _grouped_otherwise(mine["patient"], theirs["patient"]),
        "are other pictures of the same name": mine["sha256"] != theirs["sha256"],
    }
    for words, differ in differing.items():
        if differ.any():
            return f"{differ.sum()} of {len(differ)} test images {words}, such as {differ.index[differ][0]}"
    return None


def _grouped_otherwise(one: "pd.Series[int]", other: "pd.Series[int]") -> "pd.Series[bool]":
    """Whether each image's patient has other images in one run than in the other, whatever the patients' names."""
    both = pd.DataFrame({"one": one, "other": other})
    alone, shared = (both.groupby(keys)["one"].transform("size") for keys in (["one"], ["one", "other"]))
    others = both.groupby("other")["one"].transform("size")
    return (alone != shared) | (others != shared)


def _test_set(revision: Revision) -> pd.DataFrame:
    """Label, patient and content of each test image, by image."""
    predictions = revision.predictions
    patient = number_patients(predictions, revision.manifest, Path(f"{revision.name}:{TEST}"))
    content = dict(zip(revision.manifest["image"], revision.manifest["sha256"], strict=True))
    table = pd.DataFrame(
        {
            "image": predictions["image"],
            "label": predictions["label"],
            "patient": patient,
            "sha256": predictions["image"].map(content),
        }
    )
    return table.set_index("image").sort_index()


def _describe_params(one: Revision, other: Revision) -> str:
    """The differing parameters that decide about the test set, in brackets."""
    names = {revision.run_info.model_info["dataset"] for revision in (one, other)}
    sections = ("split.", *(f"datasets.{name}." for name in sorted(names)))
    keys = [key for key in {**one.params, **other.params} if key in ("dataset", "seed") or key.startswith(sections)]
    differing = [key for key in keys if _value_words(one.params.get(key)) != _value_words(other.params.get(key))]
    words = [f"{key} {_value_words(one.params.get(key))} / {_value_words(other.params.get(key))}" for key in differing]
    return f" (params that differ: {', '.join(words)})" if words else ""


def _value_words(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _check_metrics(name: str, predictions: pd.DataFrame, run_info: RunInfo) -> None:
    """Refuse metrics, which the thresholds are taken from, that are not of these predictions."""
    image, classes = run_info.metrics["image"], run_info.classes
    positive = positive_number(classes, run_info.model_info["positive"])
    predicted = predict_classes(predictions[classes].to_numpy(), positive, image.get("threshold"))
    right = predicted == number_classes(predictions["label"], classes)
    if image["n"] != len(predictions) or abs(right.mean() - image["accuracy"]) > ROUNDING:
        raise UserError(
            f"{name}: {METRICS} does not belong to {TEST}: the two are of different runs; commit dvc.lock together "
            "with the metrics"
        )


def _reader(name: str) -> Callable[[Path], str]:
    """Make a function that reads a file of the project, by its path from the top folder, at a revision."""
    # Imported here: it takes a quarter of a second, which comparing a benchmark need not spend.
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import RevError

    try:
        Repo.find_root()
        files = DVCFileSystem(rev=None if name == WORKSPACE else name)
        files.repo  # noqa: B018 - opens it
    except NotDvcRepoError:
        raise UserError("no DVC project here: run this from a clone of it") from None
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
            f"{name}: {path} is tracked, but neither in DVC's cache nor in a remote: 'dvc pull' where it was pushed, "
            "otherwise run it again with 'dvc exp run'"
        )
    return f"{name}: no {path}: a run is complete after 'dvc repro' and a commit, or 'dvc exp run'"


def _table(text: str, columns: list[str]) -> pd.DataFrame:
    """A CSV file whose `columns` are text."""
    return pd.read_csv(
        StringIO(text), dtype=dict.fromkeys(columns, str), keep_default_na=False, float_precision="round_trip"
    )
