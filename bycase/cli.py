"""`bycase COMMAND ...`: what people run beside the pipeline."""

import sys
from importlib import import_module

from bycase.core.command import run_stage

COMMANDS = {
    "predict": ("bycase.apps.predict.command", "what the classifier says of images, as a table"),
    "serve": ("bycase.apps.serve.command", "a local page that classifies images"),
    "export": ("bycase.apps.export.command", "the trained network for other programs"),
    "compare": ("bycase.studies.compare.command", "leaderboard, paired statistics and figures of several networks"),
    "benchmark": ("bycase.studies.benchmark.command", "networks x folds"),
    "recipe": ("bycase.studies.recipe.command", "published systems, run as published and run honestly"),
    "tune": ("bycase.studies.tune.command", "search of hyper-parameters"),
    "publish": ("bycase.apps.publish.command", "keep a run below results/"),
    "check-split": ("bycase.apps.check_split", "what a split file leaks"),
}


def main() -> None:
    """Run the command that the command line names."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in COMMANDS:
        width = max(len(command) for command in COMMANDS)
        rows = [f"  {command:<{width}}  {words}" for command, (_, words) in COMMANDS.items()]
        page = "\n".join(["usage: bycase COMMAND ...", "", *rows, "", "bycase COMMAND --help says more."])
        if name in ("-h", "--help"):
            sys.stdout.write(page + "\n")
            return
        sys.exit(f"bycase: error: no command {name}; there are {', '.join(COMMANDS)}")
    sys.argv = [f"bycase {name}", *arguments]
    run_stage(name, import_module(COMMANDS[name][0]).main)
