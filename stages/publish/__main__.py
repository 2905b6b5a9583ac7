"""`python -m stages.publish NAME | --table`: keep a run below `results/`, or print all kept runs as a table."""

import argparse
import logging
import sys
from pathlib import Path

from stages.common.command import run_stage
from stages.publish.copy import publish
from stages.publish.table import make_table


def main() -> None:
    """Publish the run that is in the workspace, or print the table."""
    parser = argparse.ArgumentParser(prog="python -m stages.publish", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("name", nargs="?", help="the run's name below results/")
    choice.add_argument("--table", action="store_true", help="print the published runs as Markdown")
    arguments = parser.parse_args()
    if arguments.table:
        sys.stdout.write(make_table())
    else:
        logging.info("%s", publish(arguments.name, Path()))


if __name__ == "__main__":
    run_stage("publish", main)
