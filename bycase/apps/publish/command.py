"""`bycase publish NAME [--benchmark | --tuning] | --table`: keep a run below `results/`, or list all."""

import argparse
import logging
import sys


def main(arguments: list[str] | None = None) -> None:
    """Publish the run, or the benchmark, that is in the workspace, or print the table of runs."""
    parser = argparse.ArgumentParser(prog="bycase publish", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("name", nargs="?", help="the run's name below results/")
    choice.add_argument("--table", action="store_true", help="print the published runs as Markdown")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--benchmark", action="store_true", help="the networks x folds instead of the one network")
    kind.add_argument("--tuning", action="store_true", help="the comparison of ways to tune")
    options = parser.parse_args(arguments)
    from bycase.apps.publish.copy import publish_benchmark, publish_run, publish_tuning
    from bycase.apps.publish.table import make_table

    if options.table:
        sys.stdout.write(make_table())
    else:
        publish = publish_benchmark if options.benchmark else publish_tuning if options.tuning else publish_run
        logging.info("%s", publish(options.name))
