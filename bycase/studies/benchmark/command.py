"""`bycase benchmark run [--jobs N]`: all of `benchmark/dvc.yaml`, several cells at a time."""

import argparse

from bycase.core.params import load_params
from bycase.studies.benchmark.cell import WORK
from bycase.studies.benchmark.jobs import run_jobs
from bycase.studies.benchmark.params import load_benchmark_params

LOGS = WORK / "logs"


def main() -> None:
    """Check both parameter files and run the benchmark."""
    parser = argparse.ArgumentParser(prog="bycase benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="everything, several cells at a time")
    run.add_argument("--jobs", type=_at_least_one, default=1, help="cells at a time")
    arguments = parser.parse_args()
    load_benchmark_params(load_params())
    run_jobs(arguments.jobs, LOGS)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least one")
    return number
