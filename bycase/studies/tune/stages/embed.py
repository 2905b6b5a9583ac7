"""`python -m bycase.studies.tune.stages.embed`: features of the pool at each augmentation strength."""

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.tune.embed import embed_pool
from bycase.studies.tune.folds import take_pool
from bycase.studies.tune.params import load_tuning_params
from bycase.tables.manifest import read_manifest
from bycase.tables.splits import read_splits


def main() -> None:
    """Write ``data/tuning/features``."""
    params = load_params()
    embed_pool(params, load_tuning_params(params).space, take_pool(read_splits(), read_manifest()))


if __name__ == "__main__":
    run_stage("tune embed", main)
