"""How many patients does a network need: the benchmark's networks on nested sets of training patients.

Test folds and validation patients stay as in the benchmark; of each fold's training patients only so many are taken,
the same for every network.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import replace_file, write_csv
from bycase.core.params import Params
from bycase.core.wording import capitalise, interval, markdown_table, share, signed, value_with_interval
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.splits.groups import join_duplicates
from bycase.datasets.splits.nested import check_counts
from bycase.figures.comparison.label_efficiency import draw_label_efficiency
from bycase.figures.style import data_words, save_figure
from bycase.statistics.comparison.label_efficiency import measure_label_efficiency
from bycase.statistics.metric_names import metric_words
from bycase.studies import pipelines
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.gather import gather_predictions
from bycase.studies.benchmark.jobs import PIPELINE
from bycase.studies.benchmark.params import BenchmarkParams
from bycase.studies.benchmark.run import cell_fingerprint, run_cell
from bycase.tables.manifest import read_manifest
from bycase.tables.models import order_classes
from bycase.tables.out_of_fold import BENCHMARK, FOLDS, PREDICTIONS, read_folds
from bycase.tables.splits import read_splits

TABLE = Path("metrics/label_efficiency.csv")
TEXT = Path("metrics/label_efficiency.md")
FIGURE = Path("plots/label_efficiency.png")
FINGERPRINT = "fingerprint.txt"


def run_label_efficiency(
    params: Params, benchmark: BenchmarkParams, counts: Sequence[int], models: Sequence[str], jobs: int
) -> None:
    """Train and test the networks on nested sets, and write `TABLE`, `TEXT` and `FIGURE`; what is done is left.

    Parameters
    ----------
    params, benchmark : Params, BenchmarkParams
        Both parameter files.
    counts : sequence of int
        Numbers of training patients.
    models : sequence of str
        Of ``benchmark.models``; empty: all.
    jobs : int
        Cells at a time.

    Raises
    ------
    UserError
        If a network is none of the benchmark's, a number cannot be, sets are not of patients, or a cell fails.
    """
    strangers = [name for name in models if name not in benchmark.models]
    if strangers:
        raise UserError(f"--models: {strangers[0]} is none of benchmark/params.yaml: {', '.join(benchmark.models)}")
    if params.split.group != "case":
        raise UserError(
            f"--patients: split.group is {params.split.group}, whose sets are not of patients; set it to case"
        )
    noun = "patients" if params.data.names_patient else "images"
    chosen, numbers = list(models or benchmark.models), sorted(set(counts))
    pipelines.show_pipeline(PIPELINE)
    _reproduce("folds")
    manifest, folds = read_manifest(), read_folds(FOLDS)
    folds = folds[folds["repeat"] == 0]
    check_counts(numbers, folds, manifest.set_index("image")["label"], noun)
    _reproduce(*(f"embed@{model}-0" for model in chosen))
    cells = [Cell(model, 0, fold, patients=number) for model in chosen for fold in benchmark.fold for number in numbers]
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(partial(run_patients_cell, params, benchmark), cells))

    patients = join_duplicates(manifest, read_duplicates()).set_axis(manifest["image"])
    table = make_table(params, benchmark, cells, folds, patients)
    subtitle = describe(params, benchmark, folds, noun)
    write_csv(TABLE, table)
    with replace_file(TEXT) as partial_file:
        partial_file.write_text(write_words(table, benchmark.compare.metric, noun, subtitle), encoding="utf-8")
    save_figure(FIGURE, draw_label_efficiency(table, benchmark.compare.metric, noun, subtitle))
    logging.info("%d networks, %s training %s: %s, %s", len(chosen), numbers, noun, TEXT, FIGURE)


def _reproduce(*stages: str) -> None:
    if not pipelines.run_dvc("repro", *(f"{PIPELINE}:{stage}" for stage in stages)):
        raise UserError(f"{' and '.join(stages)} did not finish, for the reason above")


def run_patients_cell(params: Params, benchmark: BenchmarkParams, cell: Cell) -> None:
    """Run a cell, unless it has been run with the same settings, data and code."""
    fingerprint = cell_fingerprint(params, benchmark.budget, benchmark.folds, cell, {})
    if _is_done(cell, fingerprint):
        logging.info("%s: done before", cell)
        return
    run_cell(params, benchmark.budget, benchmark.folds, cell, {})
    with replace_file(_mark(cell)) as partial_file:
        partial_file.write_text(fingerprint, encoding="utf-8")


def find_stale(params: Params, benchmark: BenchmarkParams) -> Cell | None:
    """A cell behind `TABLE` that settings, data and code as they are now would not give; None where there is none."""
    for row in pd.read_csv(TABLE, dtype={"model": str}).itertuples():
        for fold in benchmark.fold:
            cell = Cell(str(row.model), 0, fold, patients=int(str(row.patients)))
            if row.model not in benchmark.models:
                return cell
            if not _is_done(cell, cell_fingerprint(params, benchmark.budget, benchmark.folds, cell, {})):
                return cell
    return None


def _is_done(cell: Cell, fingerprint: str) -> bool:
    mark = _mark(cell)
    return mark.is_file() and mark.read_text(encoding="utf-8") == fingerprint


def _mark(cell: Cell) -> Path:
    return BENCHMARK / cell.place / FINGERPRINT


def make_table(
    params: Params,
    benchmark: BenchmarkParams,
    cells: Sequence[Cell],
    folds: pd.DataFrame,
    patients: "pd.Series[str]",
) -> pd.DataFrame:
    """The rows of `TABLE`.

    Returns
    -------
    DataFrame
        A row a network and number of patients: ``dataset``, ``model``, ``metric``, ``level``, ``images`` (the mean
        number of training images over folds) and the columns of `measure_label_efficiency`.
    """
    classes = order_classes(params.data.classes, params.data.positive)
    compared = benchmark.compare
    tables = []
    for model in dict.fromkeys(cell.model for cell in cells):
        own: dict[int, list[Cell]] = {}
        for cell in cells:
            if cell.model == model and cell.patients is not None:
                own.setdefault(cell.patients, []).append(cell)
        measured = measure_label_efficiency(
            {number: gather_predictions(of_number, patients, folds, classes) for number, of_number in own.items()},
            classes,
            params.data.positive,
            compared.metric,
            compared.level,
            compared.resamples,
            params.seed,
            PREDICTIONS,
        )
        images = [sum(map(_training_images, of_number)) / len(of_number) for of_number in own.values()]
        for place, (key, value) in enumerate(
            {
                "dataset": params.dataset,
                "model": model,
                "metric": compared.metric,
                "level": compared.level,
                "images": images,
            }.items()
        ):
            measured.insert(place, key, value)
        tables.append(measured)
    return pd.concat(tables, ignore_index=True)


def _training_images(cell: Cell) -> int:
    splits = read_splits(BENCHMARK / cell.place / "splits.csv")
    return int((splits["part"] == "train").sum())


def describe(params: Params, benchmark: BenchmarkParams, folds: pd.DataFrame, noun: str) -> list[str]:
    """Two lines on data and folds."""
    data = data_words(params.dataset, params.data.source == "phantom")
    if params.split.magnifications:
        data = f"{data} at {', '.join(f'{number}X' for number in params.split.magnifications)}"
    groups = folds.groupby(["fold", "part"])["group"].nunique().groupby("part").mean()
    return [
        f"{data}; {folds['image'].nunique()} images of {folds['group'].nunique()} {noun}, each tested in one of "
        f"{benchmark.folds} folds",
        f"validation: the same {groups['val']:.0f} {noun} of a fold (mean) whatever the training set, on top of it",
    ]


def write_words(table: pd.DataFrame, metric: str, noun: str, subtitle: Sequence[str]) -> str:
    """`TEXT`: a table, a sentence a network on its last step, and what the intervals are over."""
    models, counts = list(dict.fromkeys(table["model"])), sorted(set(table["patients"]))
    rows = []
    for model in models:
        own = table[table["model"] == model]
        rows.append([model, *(value_with_interval(row["value"], _limits(row, "")) for _, row in own.iterrows())])
    level = str(table["level"].iloc[0])
    lines = [
        f"# {capitalise(metric_words(metric))} by number of training {noun}",
        "",
        *(f"{line}." for line in subtitle),
        "",
        markdown_table(["network", *(f"{count} {noun}" for count in counts)], rows, numbers=True).strip(),
        "",
        *(f"- {last_step_words(table[table['model'] == model].iloc[-1], metric, noun)}" for model in models),
        "",
        f"By {level}; 95 % intervals over test {noun}, not adjusted for several networks. Which training {noun} were "
        "drawn, once in each fold, is in no interval. Each smaller set lies in every larger one, the same for all "
        "networks.",
    ]
    return "\n".join(lines) + "\n"


def last_step_words(row: "pd.Series[Any]", metric: str, noun: str) -> str:
    """Whether the last step's gain is shown on these test patients, in one sentence."""
    value = f"{row['model']}: {metric_words(metric)} {share(row['value'])} with {row['patients']} training {noun}"
    if pd.isna(row["gain"]):
        return f"{value}; a single number says nothing of more."
    limits = _limits(row, "gain_")
    gain = (
        f"from {row['from_patients']} to {row['patients']} {signed(row['gain'])} (95 % CI {interval(limits, signed)})"
    )
    if limits["low"] > 0:
        return f"{value}; {gain}: more {noun} helped, so that still more may."
    if limits["high"] < 0:
        return f"{value}; {gain}: the larger set did worse on these test {noun}."
    return f"{value}; {gain}: that more {noun} help is not shown here."


def _limits(row: "pd.Series[Any]", prefix: str) -> dict[str, float]:
    return {end: float(row[f"{prefix}{end}"]) for end in ("low", "high")}
