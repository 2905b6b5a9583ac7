"""`python -m bycase.studies.benchmark.stages.folds`: the same folds for every network, which no group straddles."""

import logging

from bycase.core.command import run_stage
from bycase.core.files import write_csv
from bycase.core.params import load_params
from bycase.datasets.duplicates import read_duplicates
from bycase.datasets.splits.folds import make_folds
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.tables.manifest import read_manifest
from bycase.tables.out_of_fold import FOLDS


def main() -> None:
    """Write ``data/benchmark/folds.csv``."""
    params = load_params()
    benchmark = load_benchmark_params(params)
    manifest, duplicates = read_manifest(), read_duplicates()
    folds = make_folds(manifest, params.split, params.seed, benchmark.folds, benchmark.repeats, duplicates)
    write_csv(FOLDS, folds)
    for (repeat, fold), rows in folds[folds["part"] == "test"].groupby(["repeat", "fold"]):
        logging.info("repeat %d, fold %d: %d test images, %d groups", repeat, fold, len(rows), rows["group"].nunique())


if __name__ == "__main__":
    run_stage("benchmark folds", main)
