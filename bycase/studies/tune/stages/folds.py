"""`python -m bycase.studies.tune.stages.folds`: outer folds of the pool, and inner folds of the rest of each."""

import logging

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.tune.folds import OUTER_PART, make_tuning_folds, take_pool, write_tuning_folds
from bycase.studies.tune.params import load_tuning_params
from bycase.tables.manifest import read_manifest
from bycase.tables.splits import read_splits


def main() -> None:
    """Write ``data/tuning/folds.csv``."""
    params = load_params()
    tuning = load_tuning_params(params)
    pool = take_pool(read_splits(), read_manifest())
    folds = make_tuning_folds(pool, params.split, params.seed, tuning.inner.folds, tuning.outer.folds)
    write_tuning_folds(folds)
    logging.info("pool: %d images, %d groups; the test part is not among them", len(pool), pool["group"].nunique())
    for outer, rows in folds[folds["part"] == OUTER_PART].groupby("outer"):
        logging.info("outer fold %s: %d images, %d groups", outer, len(rows), rows["group"].nunique())


if __name__ == "__main__":
    run_stage("tune folds", main)
