"""`bycase tune apply|methods`: what people do with the searches of `tuning/dvc.yaml`.

`apply` writes the best settings into `params.yaml`; `methods` compares all algorithms at equal budgets.
"""

import argparse
from pathlib import Path

from bycase.core.params import load_params
from bycase.studies.tune.params import load_tuning_params
from bycase.studies.tune.place import BEST

ALGORITHMS = ("default", "random", "bayesian", "pbt", "bayesian+pbt")


def main() -> None:
    """Do what the command line says."""
    arguments = _parse()
    params = load_params()
    tuning = load_tuning_params(params)
    if arguments.command == "apply":
        from bycase.studies.tune.outcome.apply import apply

        apply(params, arguments.source)
    else:
        from bycase.studies.tune.outcome.methods import compare_methods

        compare_methods(params, tuning, arguments.seeds, arguments.algorithms)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bycase tune", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    apply = commands.add_parser("apply", help="write the best settings into params.yaml")
    apply.add_argument("--from", dest="source", type=Path, default=BEST)
    methods = commands.add_parser("methods", help="all algorithms at equal budgets")
    methods.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    methods.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS))
    return parser.parse_args()
