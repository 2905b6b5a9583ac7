"""`bycase COMMAND ...`: what people run beside the pipeline."""

import sys
from functools import partial
from importlib import import_module

from bycase.core.command import run_stage

COMMANDS = {
    "inspect": ("bycase.apps.inspect", "what images of your own are, and their entry for params.yaml"),
    "predict": ("bycase.apps.predict.command", "classify images, into a table"),
    "serve": ("bycase.apps.serve.command", "classify images on a local page"),
    "export": ("bycase.apps.export.command", "convert the trained network for other programs"),
    "compare": ("bycase.studies.compare.command", "leaderboard, paired statistics and figures of several networks"),
    "judge": ("bycase.apps.judge.command", "metrics, report and leaderboard of any program's predictions"),
    "benchmark": ("bycase.studies.benchmark.command", "networks x folds"),
    "power": ("bycase.studies.power", "what a power calculation has to assume, measured on predictions"),
    "recipe": ("bycase.studies.recipe.command", "published systems, run as published and run honestly"),
    "tune": ("bycase.studies.tune.command", "search of hyper-parameters"),
    "publish": ("bycase.apps.publish.command", "keep a run below results/"),
    "check-split": ("bycase.apps.check_split", "what a split file leaks"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command that `arguments`, by default those of the process, begin with."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        rows = [f"  {command:<{width}}  {words}" for command, (_, words) in COMMANDS.items()]
        sys.stdout.write(
            "\n".join(["usage: bycase COMMAND ...", "", *rows, "", "bycase COMMAND --help says more.", ""])
        )
    elif name in COMMANDS:
        run_stage(name, partial(import_module(COMMANDS[name][0]).main, rest))
    else:
        sys.exit(f"bycase: error: no command {name}; there are {', '.join(COMMANDS)}")
