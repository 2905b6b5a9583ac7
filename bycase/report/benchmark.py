"""All that the report of a benchmark is made of, read from the workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params import PARAMS_PATH, Params, load_params
from bycase.figures.style import data_words
from bycase.report.run import DATA_CARD, METRICS, read_optional, read_text
from bycase.tables.manifest import read_manifest
from bycase.tables.out_of_fold import ABOUT, COST, PREDICTIONS, read_out_of_fold
from bycase.tables.results import read_results

RESULTS = METRICS / "benchmark"
FIGURES = Path("plots/benchmark")
BENCHMARK_PARAMS = Path("benchmark/params.yaml")


@dataclass(frozen=True)
class Bench:
    """A finished and compared benchmark.

    Attributes
    ----------
    about : dict
        ``data/benchmark/about.json``: data, folds, networks.
    leaderboard : dict
        ``metrics/benchmark/leaderboard.json``: by network, best first.
    comparisons : dict
        ``metrics/benchmark/comparisons.json``: verdicts on all pairs.
    cost : DataFrame
        A row a cell.
    predictions : DataFrame
        Out of fold; see `bycase.tables.out_of_fold`.
    manifest : DataFrame
        See `bycase.tables.manifest`.
    params : Params
        What all cells share.
    texts : dict of str to str
        The files of parameters as the user wrote them, by path.
    data_card : str
        Markdown.
    restructure, audit, power : dict
        Of the data set.
    data : dict
        Optional numbers on the data set, such as ``leakage``.
    optional : dict
        ``metrics/benchmark/extras.json``, where it is there: ``uncertainty``, ``robustness`` and ``shift``, each by
        network.
    """

    about: dict[str, Any]
    leaderboard: dict[str, Any]
    comparisons: dict[str, Any]
    cost: pd.DataFrame
    predictions: pd.DataFrame
    manifest: pd.DataFrame
    params: Params
    texts: dict[str, str]
    data_card: str
    restructure: dict[str, Any]
    audit: dict[str, Any]
    power: dict[str, Any]
    data: dict[str, dict[str, Any]]
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
    def data_set(self) -> str:
        """The data set; 'phantom' is said wherever the images are generated."""
        return data_words(self.about["dataset"], self.about["phantom"])

    @property
    def folds(self) -> str:
        """Such as ``5 folds by case, 1 repeat``."""
        repeats = self.about["repeats"]
        return f"{self.about['folds']} folds by {self.about['group']}, {repeats} repeat{'s' if repeats > 1 else ''}"


def read_bench() -> Bench:
    """Read the benchmark that is in the current folder.

    Raises
    ------
    UserError
        If a file that every benchmark has is missing; names the command that makes it.
    """
    params = load_params()
    about = read_results(ABOUT, "benchmark/dvc.yaml")
    if params.dataset != about["dataset"]:
        raise UserError(
            f"{PARAMS_PATH} names {params.dataset}, {ABOUT} {about['dataset']}: run 'dvc repro benchmark/dvc.yaml'"
        )
    try:
        cost = pd.read_csv(COST)
    except FileNotFoundError:
        raise UserError(f"{COST} not found: run 'dvc repro benchmark/dvc.yaml' first") from None
    extras = RESULTS / "extras.json"
    data = read_optional(METRICS)
    return Bench(
        about=about,
        leaderboard=read_results(RESULTS / "leaderboard.json", "benchmark/dvc.yaml"),
        comparisons=read_results(RESULTS / "comparisons.json", "benchmark/dvc.yaml"),
        cost=cost,
        predictions=read_out_of_fold(about["classes"], PREDICTIONS),
        manifest=read_manifest(),
        params=params,
        texts={path.as_posix(): read_text(path, "benchmark/dvc.yaml") for path in (PARAMS_PATH, BENCHMARK_PARAMS)},
        data_card=read_text(DATA_CARD, "card"),
        restructure=read_results(METRICS / "restructure.json", "restructure"),
        audit=read_results(METRICS / "audit.json", "audit"),
        power=read_results(METRICS / "power.json", "power"),
        data={name: data[name] for name in ("leakage",) if name in data},
        optional=read_results(extras, "benchmark/dvc.yaml") if extras.exists() else {},
    )
