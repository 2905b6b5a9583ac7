"""`bycase benchmark COMMAND`: the stages of `benchmark/dvc.yaml`, and all of it with several cells at a time.

`run [--jobs N]` is for people: everything, N cells at a time. The pipeline calls the others.
"""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bycase.core.params import Params
    from bycase.studies.benchmark.cell import Cell
    from bycase.studies.benchmark.params import BenchmarkParams

PROJECT = Path()


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says."""
    options = _parse(arguments)
    from bycase.core.files import replace_file
    from bycase.core.params import load_params
    from bycase.studies.benchmark.cell import WORK, Cell
    from bycase.studies.benchmark.params import load_benchmark_params
    from bycase.tables.out_of_fold import BENCHMARK

    params = load_params()
    benchmark = load_benchmark_params(params)
    match options.command:
        case "run":
            from bycase.studies.benchmark.jobs import run_jobs

            run_jobs(options.jobs, WORK / "logs")
        case "check":
            with replace_file(BENCHMARK / "checked.txt") as partial:
                # Always the same, so that a valid change runs only the stages that it concerns.
                partial.write_text("benchmark/params.yaml is valid\n", encoding="utf-8")
        case "folds":
            _write_folds(params, benchmark)
        case "embed":
            from bycase.studies.benchmark.run import embed_model

            embed_model(params, options.model, options.repeat, PROJECT)
        case "cell":
            _run(params, benchmark, Cell(options.model, options.repeat, options.fold))
        case "shift":
            _run(params, benchmark, Cell(options.model, 0, options.fold, options.magnification))
        case "gather":
            from bycase.studies.benchmark.tables import write_tables

            write_tables(params, benchmark)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bycase benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="everything, several cells at a time")
    run.add_argument("--jobs", type=_at_least_one, default=1, help="cells at a time")
    for name in ("check", "folds", "gather"):
        commands.add_parser(name)
    for name, numbers in (("embed", ["repeat"]), ("cell", ["repeat", "fold"]), ("shift", ["magnification", "fold"])):
        command = commands.add_parser(name)
        command.add_argument("model")
        for number in numbers:
            command.add_argument(number, type=int)
    return parser.parse_args(arguments)


def _write_folds(params: "Params", benchmark: "BenchmarkParams") -> None:
    from bycase.core.files import write_csv
    from bycase.datasets.duplicates import read_duplicates
    from bycase.datasets.splits.folds import make_folds
    from bycase.tables.manifest import read_manifest
    from bycase.tables.out_of_fold import FOLDS

    manifest, duplicates = read_manifest(), read_duplicates()
    folds = make_folds(manifest, params.split, params.seed, benchmark.folds, benchmark.repeats, duplicates)
    write_csv(FOLDS, folds)
    for (repeat, fold), rows in folds[folds["part"] == "test"].groupby(["repeat", "fold"]):
        logging.info("repeat %d, fold %d: %d test images, %d groups", repeat, fold, len(rows), rows["group"].nunique())


def _run(params: "Params", benchmark: "BenchmarkParams", cell: "Cell") -> None:
    from bycase.studies.benchmark.run import run_cell

    run_cell(params, benchmark.budget, benchmark.extras, benchmark.folds, cell, PROJECT)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one")
    return number
