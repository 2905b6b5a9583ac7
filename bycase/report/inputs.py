"""Everything the reports are made of, read from the workspace: a run of one network, or a benchmark."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params import PARAMS_PATH, Params, load_params
from bycase.core.wording import count, plural
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.figures.style import data_words
from bycase.tables.cost import sizes_of
from bycase.tables.manifest import read_manifest
from bycase.tables.out_of_fold import ABOUT, PREDICTIONS, read_out_of_fold
from bycase.tables.predictions import TEST, read_predictions
from bycase.tables.results import read_results

METRICS, PLOTS = Path("metrics"), Path("plots")
RESULTS = METRICS / "benchmark"
FIGURES, BENCHMARK_FIGURES = PLOTS / "model", PLOTS / "benchmark"
BENCHMARK_PARAMS = Path("benchmark/params.yaml")
BENCHMARK = "benchmark/dvc.yaml"
# Stages whose numbers are shown where they exist.
OPTIONAL = ("leakage", "uncertainty", "robustness", "explain", "external")


@dataclass(frozen=True)
class DataSet:
    """The data set, and the settings that all networks share.

    Attributes
    ----------
    params : Params
        All settings.
    manifest : DataFrame
        See `bycase.tables.manifest`.
    data_card : str
        Markdown.
    restructure, audit, power : dict
        The stages' JSON files.
    """

    params: Params
    manifest: pd.DataFrame
    data_card: str
    restructure: dict[str, Any]
    audit: dict[str, Any]
    power: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A finished run of the pipeline.

    Attributes
    ----------
    data : DataSet
        The data set and the settings.
    run_info : RunInfo
        Network, split and metrics.
    params_text : str
        The settings as the user wrote them.
    predictions : DataFrame
        Of the test set.
    cost : dict
        The network's size; what the clock said stays in ``metrics/cost.json``, so that the documents are the same
        whenever they are written.
    sanity : list of str
        The lines of ``plots/model/sanity.txt``, empty where there is none.
    optional : dict
        The JSON files of `OPTIONAL` that exist.
    """

    data: DataSet
    run_info: RunInfo
    params_text: str
    predictions: pd.DataFrame
    cost: dict[str, Any]
    sanity: list[str]
    optional: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Bench:
    """A finished and compared benchmark.

    Attributes
    ----------
    data : DataSet
        The data set and the settings that all cells share.
    about : dict
        ``data/benchmark/about.json``: data, folds, networks.
    leaderboard : dict
        ``metrics/benchmark/leaderboard.json``: by network, best first.
    comparisons : dict
        ``metrics/benchmark/comparisons.json``: verdicts on all pairs.
    predictions : DataFrame
        Out of fold; see `bycase.tables.out_of_fold`.
    texts : dict of str to str
        The files of parameters as the user wrote them, by path.
    leakage : dict or None
        ``metrics/leakage.json``, where it exists.
    optional : dict
        ``metrics/benchmark/extras.json``, where it exists: ``uncertainty``, ``robustness`` and ``shift``, each by
        network.
    """

    data: DataSet
    about: dict[str, Any]
    leaderboard: dict[str, Any]
    comparisons: dict[str, Any]
    predictions: pd.DataFrame
    texts: dict[str, str]
    leakage: dict[str, Any] | None
    optional: dict[str, dict[str, Any]]

    @property
    def models(self) -> list[str]:
        """The networks, best first."""
        return sorted(self.leaderboard, key=lambda model: int(self.leaderboard[model]["rank"]))

    @property
    def best(self) -> str:
        """The network of rank 1."""
        return self.models[0]

    @property
    def name(self) -> str:
        """The data set; says 'phantom' wherever the images are generated."""
        return data_words(self.about["dataset"], self.about["phantom"])

    @property
    def patients_known(self) -> bool:
        """Whether anything names the images' patients."""
        return bool(self.about.get("patients_known", True))

    @property
    def clusters(self) -> str:
        """What intervals are over: images, but for duplicates, where no patient is known."""
        return "patients" if self.patients_known else "images"

    @property
    def tested(self) -> str:
        """Images and, where they are known, patients."""
        images = f"{count(self.about['n_images'])} images"
        return f"{images} of {count(self.about['n_patients'])} patients" if self.patients_known else images

    def levels(self, model: str) -> dict[str, Any]:
        """A network's metrics by image and, where they are known, by patient."""
        row = self.leaderboard[model]
        return {level: row[level] for level in ("image", "patient") if level in row}

    @property
    def folds(self) -> str:
        """Such as ``5 folds by case, 1 repeat``."""
        return f"{self.about['folds']} folds by {self.about['group']}, {plural(self.about['repeats'], 'repeat')}"


def read_run() -> Run:
    """Read the run in the current folder.

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
        data=_read_data(params),
        run_info=run_info,
        params_text=PARAMS_PATH.read_text(encoding="utf-8"),
        predictions=read_predictions(TEST, run_info.classes),
        cost=sizes_of(run_info.model_info),
        sanity=sanity.read_text(encoding="utf-8").splitlines() if sanity.exists() else [],
        optional=_read_optional(),
    )


def read_bench() -> Bench:
    """Read the benchmark in the current folder.

    Raises
    ------
    UserError
        If a file that every benchmark has is missing; names the command that makes it.
    """
    params = load_params()
    about = read_results(ABOUT, BENCHMARK)
    if params.dataset != about["dataset"]:
        raise UserError(
            f"{PARAMS_PATH} names {params.dataset}, {ABOUT} {about['dataset']}: run 'dvc repro {BENCHMARK}'"
        )
    extras = RESULTS / "extras.json"
    return Bench(
        data=_read_data(params),
        about=about,
        leaderboard=read_results(RESULTS / "leaderboard.json", BENCHMARK),
        comparisons=read_results(RESULTS / "comparisons.json", BENCHMARK),
        predictions=read_out_of_fold(about["classes"], PREDICTIONS),
        texts={path.as_posix(): _read_text(path, BENCHMARK) for path in (PARAMS_PATH, BENCHMARK_PARAMS)},
        leakage=_read_optional().get("leakage"),
        optional=read_results(extras, BENCHMARK) if extras.exists() else {},
    )


def _read_data(params: Params) -> DataSet:
    return DataSet(
        params=params,
        manifest=read_manifest(),
        data_card=_read_text(METRICS / "data_card.md", "card"),
        **{name: read_results(METRICS / f"{name}.json", name) for name in ("restructure", "audit", "power")},
    )


def _read_optional() -> dict[str, dict[str, Any]]:
    paths = {name: METRICS / f"{name}.json" for name in OPTIONAL}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.exists()}


def _read_text(path: Path, stage: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro {stage}' first") from None
