"""`bycase predict IMAGE|FOLDER|PATTERN|ZIP ...`: classify images, into a table.

With --ray the classifier and the files are read on the nodes of a Ray cluster: they must lie on storage that every
node has at the same path, and bycase must be installed there. Names are listed here.

Ends with 0 where every file was predicted, with 2 where some failed, with 1 where none was.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from bycase.apps.classifier import BATCH_SIZE, CLASSIFIER
from bycase.core.errors import UserError

LARGEST_BATCH = 4096
MOST_ACTORS = 4096


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, and whose exit code is not that of files that failed."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UserError`."""
        raise UserError(f"{message}; see 'bycase predict --help'")


def main(arguments: list[str] | None = None) -> None:
    """Predict what the command line names."""
    parser = Parser(prog="bycase predict", description=__doc__)
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="picture, folder, pattern in quotes, or .zip")
    add("--model", default=str(CLASSIFIER), help="classifier file, DVC experiment or Git revision")
    add("--out", type=Path, help=".csv, .json (one array) or .jsonl; standard output where left out")
    add("--patients", type=Path, metavar="CSV", help="a table with the columns image and patient")
    add("--explain", action="store_true", help="write heatmaps of the predicted class, as pictures")
    add("--views", type=int, choices=range(1, 9), default=1, help="also turned and mirrored: 2 to 8")
    add("--value-range", type=_range, metavar="LOW,HIGH", help="what is black and white in pixels of more than 8 bits")
    add("--batch-size", type=_number(LARGEST_BATCH), default=BATCH_SIZE, metavar="N", help="default: %(default)s")
    add("--runtime", default="keras", help="keras, or one of 'bycase export'")
    add("--ray", metavar="ADDRESS", help="host:port, 'auto' (this machine's cluster) or 'local' (a new one)")
    add("--ray-actors", type=_number(MOST_ACTORS), metavar="N", help="classifiers loaded; default: one a node")
    options = parser.parse_args(arguments)
    if options.explain and not options.out:
        raise UserError("--explain writes pictures beside the table: name it by --out")
    if options.ray_actors and not options.ray:
        raise UserError("--ray-actors is for --ray")
    if options.ray and options.explain:
        raise UserError("--explain works on this machine only: leave --ray out")
    from bycase.apps.predict.run import run

    sys.exit(run(options))


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = 0
    if not -math.inf < low < high < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no range such as 0,4095")
    return low, high


def _number(largest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
            raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {largest}")
        return int(text)

    return read
