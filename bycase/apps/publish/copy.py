"""What of a run, a benchmark or a comparison of tuning is kept; no image of the data, no weight."""

import gzip
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import replace_folder
from bycase.core.params import load_params
from bycase.report.benchmark_page import benchmark_documents
from bycase.report.run_page import run_documents
from bycase.studies.benchmark.label_efficiency import find_stale
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.studies.pipelines import refuse_stale
from bycase.studies.tune.outcome.methods import SETTINGS, comparable_settings, keep_settings
from bycase.studies.tune.params import load_tuning_params
from bycase.studies.tune.place import FOLDS
from bycase.tables.out_of_fold import read_about

RESULTS = Path("results")

DATA = ("metrics/restructure.json", "metrics/audit.json", "metrics/leakage.json", "metrics/power.json")
RUN = {
    Path(place).name: place
    for place in (
        "params.yaml",
        "dvc.lock",
        "data/splits.json",
        "models/model.json",
        "models/history.csv",
        "metrics/metrics.json",
        "metrics/cost.json",
        "metrics/uncertainty.json",
        "metrics/robustness.json",
        "metrics/explain.json",
        *DATA,
    )
}
BENCHMARK = {
    "benchmark-params.yaml": "benchmark/params.yaml",
    "benchmark-dvc.lock": "benchmark/dvc.lock",
} | {
    Path(place).name: place
    for place in (
        "params.yaml",
        "dvc.lock",
        "data/benchmark/about.json",
        "data/benchmark/cost.csv",
        "data/benchmark/histories.csv",
        "metrics/benchmark/leaderboard.json",
        "metrics/benchmark/leaderboard.csv",
        "metrics/benchmark/leaderboard.md",
        "metrics/benchmark/comparisons.json",
        "metrics/benchmark/extras.json",
        *DATA,
    )
}
TUNING = {"tuning-params.yaml": "tuning/params.yaml"} | {
    Path(place).name: place
    for place in (
        "params.yaml",
        "data/splits.json",
        "metrics/tuning_methods.json",
        "metrics/tuning_methods.md",
        "plots/tuning_methods.png",
    )
}
# Of `bycase benchmark --patients`, where it has been run.
LABEL_EFFICIENCY = {
    Path(place).name: place
    for place in ("metrics/label_efficiency.csv", "metrics/label_efficiency.md", "plots/label_efficiency.png")
}
PREDICTIONS = "data/benchmark/predictions.csv"  # packed: anyone can do the statistics again

SHOW_IMAGES = (
    "augmentations.png",
    "corruptions.png",
    "data_card.png",
    "explanation_sanity.png",
    "explanations.png",
    "predictions.png",
    "preprocess.png",
)


def publish_run(name: str, results: Path = RESULTS) -> Path:
    """Keep the run of `dvc.yaml` that is in the current folder.

    Parameters
    ----------
    name : str
        The run's name; letters, digits, ``.``, ``_`` and ``-``.
    results : Path
        The folder of published runs; ``results/<name>`` is replaced as a whole.

    Raises
    ------
    UserError
        If the name is not one, or an output of the pipeline is missing or not of params.yaml and code as they are.
    """
    _check(name, RUN, "dvc repro")
    refuse_stale("dvc.yaml", "dvc repro")
    left_out = {*SHOW_IMAGES, *TUNING, *LABEL_EFFICIENCY}
    figures = [path for pattern in ("*.png", "model/*.png", "model/*.txt") for path in Path("plots").glob(pattern)]
    return _write(results / name, RUN, [path for path in figures if path.name not in left_out], run_documents(False))


def publish_benchmark(name: str, results: Path = RESULTS) -> Path:
    """Keep the benchmark that is in the current folder; see `publish_run`."""
    _check(name, {**BENCHMARK, "": PREDICTIONS}, "bycase benchmark run")
    refuse_stale("benchmark/dvc.yaml", "bycase benchmark run")
    figures = [*Path("plots/benchmark").glob("*.png"), Path("plots/leakage.png"), Path("plots/power.png")]
    kept = BENCHMARK | _label_efficiency()
    return _write(results / name, kept, figures, benchmark_documents(False), packed=Path(PREDICTIONS))


def publish_tuning(name: str, results: Path = RESULTS) -> Path:
    """Keep the comparison of ways to tune that is in the current folder; see `publish_run`."""
    _check(name, {**TUNING, "settings": str(SETTINGS), "folds": str(FOLDS)}, "bycase tune methods")
    params = load_params()
    keep_settings(comparable_settings(params, load_tuning_params(params)))
    return _write(results / name, TUNING, [], {})


def _label_efficiency() -> dict[str, str]:
    """The files of `LABEL_EFFICIENCY`, if they are there and of the benchmark's data set and settings."""
    table, again = Path("metrics/label_efficiency.csv"), "run 'bycase benchmark --patients ...' again"
    if not table.is_file():
        return {}
    dataset = str(read_about()["dataset"])
    other = set(pd.read_csv(table, dtype={"dataset": str})["dataset"]) - {dataset}
    if other:
        raise UserError(f"{table} is of {min(other)} and the benchmark of {dataset}: {again}, or remove the table")
    params = load_params()
    stale = find_stale(params, load_benchmark_params(params))
    if stale:
        raise UserError(
            f"{table}: {stale} has not been run with the settings as they are: {again}, or remove the table"
        )
    for place in LABEL_EFFICIENCY.values():
        if not Path(place).is_file():
            raise UserError(f"{place} not found: {again}")
    return LABEL_EFFICIENCY


def _check(name: str, kept: Mapping[str, str], command: str) -> None:
    if not name or set(name.lower()) - set("abcdefghijklmnopqrstuvwxyz0123456789._-") or name.startswith("."):
        raise UserError(f"'{name}' is no name for a run: letters, digits, '.', '_' and '-' only")
    for place in kept.values():
        if not Path(place).is_file():
            raise UserError(f"{place} not found: run '{command}' first")


def _write(
    target: Path, kept: Mapping[str, str], figures: list[Path], documents: Mapping[str, str], packed: Path | None = None
) -> Path:
    with replace_folder(target) as folder:
        for new, place in kept.items():
            shutil.copyfile(place, folder / new)
        for figure in figures:
            shutil.copyfile(figure, folder / figure.name)
        for new, text in documents.items():
            (folder / new).write_text(text, encoding="utf-8")
        if packed is not None:
            # Without the time, so that the same table gives the same bytes.
            (folder / f"{packed.name}.gz").write_bytes(gzip.compress(packed.read_bytes(), mtime=0))
    return target
