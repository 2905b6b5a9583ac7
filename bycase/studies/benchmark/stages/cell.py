"""`python -m bycase.studies.benchmark.stages.cell MODEL REPEAT FOLD`: one network, tested on one fold."""

import sys

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.params import ExtrasParams, load_benchmark_params
from bycase.studies.benchmark.run import run_cell

# Further stages of the first repeat, and the table of each that is kept.
EXTRAS = {"stages.uncertainty": "data/uncertainty/test.csv", "stages.robustness": "data/robustness/test.csv"}


def choose_extras(extras: ExtrasParams, repeat: int) -> dict[str, str]:
    """Those of `EXTRAS` that a cell runs."""
    return {stage: table for stage, table in EXTRAS.items() if getattr(extras, stage.split(".")[-1]) and not repeat}


def main() -> None:
    """Write ``data/benchmark/cells/MODEL/rREPEATfFOLD``."""
    model, repeat, fold = sys.argv[1:]
    params, cell = load_params(), Cell(model, int(repeat), int(fold))
    benchmark = load_benchmark_params(params)
    run_cell(params, benchmark.budget, benchmark.folds, cell, choose_extras(benchmark.extras, cell.repeat))


if __name__ == "__main__":
    run_stage("benchmark cell", main)
