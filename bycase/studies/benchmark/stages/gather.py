"""`python -m bycase.studies.benchmark.stages.gather`: every table over all cells."""

import logging

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.core.params import load_params
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.splits.groups import join_duplicates
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.gather import describe, gather_costs, gather_predictions, gather_tables
from bycase.studies.benchmark.params import BenchmarkParams, load_benchmark_params
from bycase.tables.manifest import read_manifest
from bycase.tables.out_of_fold import (
    ABOUT,
    COST,
    EXTRAS,
    FOLDS,
    HISTORIES,
    PREDICTIONS,
    SHIFTED,
    read_folds,
    write_out_of_fold,
)
from bycase.training.labels import order_classes


def main() -> None:
    """Read the folders of all cells and write the tables below ``data/benchmark``.

    Raises
    ------
    UserError
        If a cell is missing or does not fit its fold.
    """
    params = load_params()
    benchmark = load_benchmark_params(params)
    cells = [
        Cell(model, repeat, fold)
        for model in benchmark.models
        for repeat in benchmark.repeat
        for fold in benchmark.fold
    ]
    manifest, folds = read_manifest(), read_folds(FOLDS)
    classes = order_classes(params.data.classes, params.data.positive)
    patients = join_duplicates(manifest, read_duplicates()).set_axis(manifest["image"])
    predictions = gather_predictions(cells, patients, folds, classes)
    write_out_of_fold(PREDICTIONS, predictions, classes)
    write_csv(COST, gather_costs(cells))
    write_csv(HISTORIES, gather_tables(cells, "history.csv"))
    write_json(ABOUT, describe(cells, folds, patients))

    with replace_folder(EXTRAS) as folder:
        first = [cell for cell in cells if not cell.repeat]
        for name in ("uncertainty", "robustness"):
            if getattr(benchmark.extras, name):
                write_csv(folder / f"{name}.csv", gather_tables(first, f"{name}.csv"))
        shifted = _shifted(benchmark)
        if shifted:
            write_csv(folder / SHIFTED.name, gather_predictions(shifted, patients, folds, classes))
    logging.info(
        "%d cells: %d networks, %d images of %d patients",
        len(cells),
        len(benchmark.models),
        len(patients),
        patients.nunique(),
    )


def _shifted(benchmark: BenchmarkParams) -> list[Cell]:
    return [
        Cell(model, 0, fold, held_out)
        for model in benchmark.shift.models
        for held_out in benchmark.shift.magnifications
        for fold in benchmark.fold
    ]


if __name__ == "__main__":
    run_stage("benchmark gather", main)
