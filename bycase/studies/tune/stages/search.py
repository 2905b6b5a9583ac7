"""`python -m bycase.studies.tune.stages.search OUTER`: one search; OUTER is `final`, or an outer fold's number."""

import sys
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.packages import need
from bycase.core.params import load_params
from bycase.studies.tune.params import load_tuning_params
from bycase.studies.tune.place import SEARCHES, WORK


def main() -> None:
    """Write ``data/tuning/searches/OUTER``."""
    (outer,) = sys.argv[1:]
    params = load_params()
    tuning = load_tuning_params(params)
    for package in ("ray", "optuna"):
        need(package, "a search")
    from bycase.studies.tune.search import run_search

    work = Path(tuning.ray.storage) if tuning.ray.storage else WORK
    run_search(params, tuning, outer, SEARCHES / outer, work / outer)


if __name__ == "__main__":
    run_stage("tune search", main)
