"""`python -m bycase.studies.benchmark.stages.shift MODEL MAGNIFICATION FOLD`: tested on one magnification."""

import sys

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.benchmark.cell import Cell
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.studies.benchmark.run import run_cell


def main() -> None:
    """Write ``data/benchmark/shift/MODEL/mMAGNIFICATIONfFOLD``."""
    model, magnification, fold = sys.argv[1:]
    params = load_params()
    benchmark = load_benchmark_params(params)
    run_cell(params, benchmark.budget, benchmark.folds, Cell(model, 0, int(fold), int(magnification)), {})


if __name__ == "__main__":
    run_stage("benchmark shift", main)
