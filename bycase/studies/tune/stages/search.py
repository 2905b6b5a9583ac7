"""`python -m bycase.studies.tune.stages.search OUTER`: one search; OUTER is `final`, or an outer fold's number."""

import sys
from pathlib import Path

from bycase.core.child import in_child
from bycase.core.command import run_stage
from bycase.core.packages import need
from bycase.core.params import Params, load_params
from bycase.studies.tune.params import TuningParams, load_tuning_params
from bycase.studies.tune.place import LOST, SEARCHES, WORK


def main() -> None:
    """Write ``data/tuning/searches/OUTER``."""
    (outer,) = sys.argv[1:]
    params = load_params()
    tuning = load_tuning_params(params)
    for package in ("ray", "optuna"):
        need(package, "a search")
    list(in_child(LOST, search, params, tuning, outer))


def search(params: Params, tuning: TuningParams, outer: str) -> None:
    """What `main` does, in a process of its own."""
    from bycase.studies.tune.search import run_search

    work = Path(tuning.ray.storage) if tuning.ray.storage else WORK
    run_search(params, tuning, outer, SEARCHES / outer, work / outer)


if __name__ == "__main__":
    run_stage("tune search", main)
