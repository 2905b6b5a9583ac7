"""`bycase predict IMAGE|FOLDER|PATTERN|ZIP ...`: what the classifier says of images, as a table.

With --ray the classifier and the files are read on the nodes of a Ray cluster: these and this project must lie on
storage that every node has at the same path. Names are listed here.

Ends with 0 where every file was predicted, with 2 where some failed, with 1 where none was.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from bycase.apps.classifier.archive import CLASSIFIER, read_parts
from bycase.apps.classifier.classifier import BATCH_SIZE
from bycase.apps.classifier.info import ClassifierCard
from bycase.apps.classifier.revision import find_classifier
from bycase.apps.predict.answer import Answer, answer_files, load_for_runtime
from bycase.apps.predict.cluster import connected
from bycase.apps.predict.output import check_output
from bycase.apps.predict.overlays import MakeOverlays, overlay_writer
from bycase.apps.predict.patients import patients_by_name, read_patients
from bycase.apps.predict.run import Counts, predict_files
from bycase.apps.predict.spread import Task, spread
from bycase.apps.runtime.places import EXPORTS, find_model
from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import file_digest

LARGEST_BATCH = 4096
MOST_ACTORS = 4096


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, and whose exit code is not that of files that failed."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UserError`."""
        raise UserError(f"{message}; see 'bycase predict --help'")


def main(arguments: list[str] | None = None) -> None:
    """Predict what the command line names."""
    options = _parse(arguments)
    if options.out:
        check_output(options.out)
    elif options.explain:
        raise UserError("--explain writes pictures beside the table: name it by --out")
    if options.ray_actors and not options.ray:
        raise UserError("--ray-actors is for --ray")
    if options.ray and options.explain:
        raise UserError("--explain works on this machine only: leave --ray out")
    of_file = read_patients(options.patients) if options.patients else None
    # Damaged metadata of a picture is no news to whoever wants its class.
    warnings.filterwarnings("ignore", module="PIL")
    table = sys.stdout  # before Ray's own lines are kept out of it
    with find_classifier(options.model) as path, _answering(path, options) as (answer, card, make_overlays):
        logging.info("%s", describe(card))
        find_patient = of_file or patients_by_name(card.layout)
        try:
            counts = predict_files(answer, card, options.inputs, options.out, find_patient, make_overlays, table)
        except BrokenPipeError:
            # Whoever read the table has stopped reading; Python would complain once more when it closes the pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), table.fileno())
            sys.exit(1)
    logging.info("%s", summarise(counts, options.out))
    sys.exit(counts.exit_code)


def describe(card: ClassifierCard) -> str:
    """The classifier, and what it must not be taken for."""
    data = f"{card.dataset}, which is GENERATED: its answers mean nothing for tissue" if card.phantom else card.dataset
    return f"{card.model} trained on {data}; research software, not for diagnosis"


def summarise(counts: Counts, out: Path | None) -> str:
    """What became of the files."""
    words = [f"{counts.predicted} images" + (f" in {out}" if out and counts.predicted else "")]
    words += [f"{counts.unlike} of them unlike the training images"] if counts.unlike else []
    words += [f"{counts.failed} failed"] if counts.failed else []
    words += [f"{counts.skipped} files left out, no images by their names"] if counts.skipped else []
    return ", ".join(words)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(prog="bycase predict", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="picture, folder, pattern in quotes, or .zip")
    parser.add_argument("--model", default=str(CLASSIFIER), help="classifier file, DVC experiment or Git revision")
    parser.add_argument("--out", type=Path, help=".csv, .json (one array) or .jsonl; standard output where left out")
    parser.add_argument("--patients", type=Path, metavar="CSV", help="a table with the columns image and patient")
    parser.add_argument("--explain", action="store_true", help="write what speaks for the class, as pictures")
    parser.add_argument("--views", type=int, choices=range(1, 9), default=1, help="also turned and mirrored: 2 to 8")
    parser.add_argument(
        "--batch-size", type=_number(LARGEST_BATCH), default=BATCH_SIZE, metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--runtime", default="keras", help="keras, or one of 'bycase export'")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="host:port, 'auto' (this machine's cluster) or 'local' (a new one)"
    )
    parser.add_argument(
        "--ray-actors", type=_number(MOST_ACTORS), metavar="N", help="classifiers loaded; default: one a node"
    )
    return parser.parse_args(arguments)


def _number(largest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= largest:
            raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {largest}")
        return int(text)

    return read


@contextmanager
def _answering(path: Path, options: argparse.Namespace) -> Iterator[tuple[Answer, ClassifierCard, MakeOverlays | None]]:
    """What predicts, here or on a cluster."""
    if options.ray:
        card = read_parts(path).card
        find_model(options.runtime, path)
        task = Task(
            path.absolute(), EXPORTS.absolute(), file_digest(path), options.runtime, options.batch_size, options.views
        )
        with connected(options.ray) as cores:
            yield partial(spread, task, options.ray_actors or len(cores), min(cores)), card, None
        return
    classifier = load_for_runtime(path, options.runtime, options.batch_size)
    make_overlays = partial(overlay_writer, classifier) if options.explain else None
    yield lambda found, _: answer_files(classifier, found, options.views), classifier.card, make_overlays


if __name__ == "__main__":
    run_stage("predict", main)
