"""`bycase tune run|apply|methods`: what people do with the searches of `tuning/dvc.yaml`.

`run` runs all of it, or the stages named, and goes on where it was stopped; `apply` writes the best settings into
`params.yaml`; `methods` compares all algorithms at equal budgets.
"""

import argparse
from pathlib import Path

from bycase.studies.tune.place import BEST, LOST

ALGORITHMS = ("default", "random", "bayesian", "pbt", "bayesian+pbt")


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says."""
    options = _parse(arguments)
    from bycase.core.packages import need
    from bycase.core.params import load_params
    from bycase.studies.tune.params import load_tuning_params

    if options.command == "methods":
        for package in ("ray", "optuna"):
            need(package, "bycase tune methods")
    params = load_params()
    tuning = load_tuning_params(params)
    if options.command == "run":
        from bycase.studies.tune.run import run_tuning

        run_tuning(options.stages)
    elif options.command == "apply":
        from bycase.studies.tune.outcome.apply import apply

        apply(params, options.source)
    else:
        from bycase.core.child import in_child
        from bycase.studies.tune.outcome.methods import compare_methods

        list(in_child(LOST, compare_methods, params, tuning, options.seeds, options.algorithms))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bycase tune", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="the searches, or only the stages named")
    run.add_argument("stages", nargs="*", metavar="STAGE", help="of tuning/dvc.yaml, such as folds; default: all")
    apply = commands.add_parser("apply", help="write the best settings into params.yaml")
    apply.add_argument("--from", dest="source", type=Path, default=BEST)
    methods = commands.add_parser("methods", help="all algorithms at equal budgets")
    methods.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    methods.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS))
    return parser.parse_args(arguments)
