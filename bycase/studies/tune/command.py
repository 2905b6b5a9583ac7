"""`bycase tune COMMAND`: the stages of `tuning/dvc.yaml`, and two commands for people.

`apply` writes the best settings into `params.yaml`; `methods` compares all algorithms at equal budgets.
"""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.studies.tune.place import BEST, CHECKED, SEARCHES, WORK

if TYPE_CHECKING:
    from bycase.core.params import Params
    from bycase.studies.tune.params import TuningParams

ALGORITHMS = ("default", "random", "bayesian", "pbt", "bayesian+pbt")


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says."""
    options = _parse(arguments)
    from bycase.core.files import replace_file
    from bycase.core.packages import need
    from bycase.core.params import load_params
    from bycase.studies.tune.folds import take_pool
    from bycase.studies.tune.params import load_tuning_params
    from bycase.tables.manifest import read_manifest
    from bycase.tables.splits import read_splits

    if options.command in ("search", "gather", "methods"):
        for package in ("ray", "optuna"):
            need(package, f"bycase tune {options.command}")
    params = load_params()
    tuning = load_tuning_params(params)
    match options.command:
        case "check":
            with replace_file(CHECKED) as partial:
                # Always the same, so that a valid change runs only the stages that it concerns.
                partial.write_text("tuning/params.yaml is valid\n", encoding="utf-8")
        case "folds":
            _write_folds(params, tuning)
        case "embed":
            from bycase.studies.tune.embed import embed_pool

            embed_pool(params, tuning.space, take_pool(read_splits(), read_manifest()))
        case "search":
            from bycase.studies.tune.search import run_search

            work = Path(tuning.ray.storage) if tuning.ray.storage else WORK
            run_search(params, tuning, options.outer, SEARCHES / options.outer, work / options.outer)
        case "gather":
            from bycase.studies.tune.outcome.gather import gather

            gather(params, tuning)
        case "apply":
            from bycase.studies.tune.outcome.apply import apply

            apply(params, options.source)
        case "methods":
            from bycase.studies.tune.outcome.methods import compare_methods

            compare_methods(params, tuning, options.seeds, options.algorithms)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bycase tune", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("check", "folds", "embed", "gather"):
        commands.add_parser(name)
    commands.add_parser("search").add_argument("outer", help="final, or an outer fold's number")
    apply = commands.add_parser("apply", help="write the best settings into params.yaml")
    apply.add_argument("--from", dest="source", type=Path, default=BEST)
    methods = commands.add_parser("methods", help="all algorithms at equal budgets")
    methods.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    methods.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS))
    return parser.parse_args(arguments)


def _write_folds(params: "Params", tuning: "TuningParams") -> None:
    from bycase.studies.tune.folds import OUTER_PART, make_tuning_folds, take_pool, write_tuning_folds
    from bycase.tables.manifest import read_manifest
    from bycase.tables.splits import read_splits

    pool = take_pool(read_splits(), read_manifest())
    folds = make_tuning_folds(pool, params.split, params.seed, tuning.inner.folds, tuning.outer.folds)
    write_tuning_folds(folds)
    logging.info("pool: %d images, %d groups; the test part is not among them", len(pool), pool["group"].nunique())
    for outer, rows in folds[folds["part"] == OUTER_PART].groupby("outer"):
        logging.info("outer fold %s: %d images, %d groups", outer, len(rows), rows["group"].nunique())
