"""`python -m stages.predict IMAGE|FOLDER|PATTERN|ZIP ...`: what the classifier says of images, as a table.

Ends with 0 where every file was predicted, with 2 where some failed, with 1 where none was.
"""

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import NoReturn

from stages.bundle.archive import CLASSIFIER
from stages.bundle.card import ClassifierCard
from stages.common.command import run_stage
from stages.common.errors import UserError
from stages.predict.classifier import BATCH_SIZE, Classifier, load_classifier
from stages.predict.output import check_output
from stages.predict.patients import patients_by_name, read_patients
from stages.predict.revision import find_classifier
from stages.predict.run import Counts, predict_files

LARGEST_BATCH = 4096


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, and whose exit code is not that of files that failed."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UserError`."""
        raise UserError(f"{message}; see 'python -m stages.predict --help'")


def main(arguments: list[str] | None = None) -> None:
    """Predict what the command line names."""
    options = _parse(arguments)
    if options.out:
        check_output(options.out)
    elif options.explain:
        raise UserError("--explain writes pictures beside the table: name it by --out")
    of_file = read_patients(options.patients) if options.patients else None
    # Damaged metadata of a picture is no news to whoever wants its class.
    warnings.filterwarnings("ignore", module="PIL")
    with find_classifier(options.model) as path:
        classifier = _load(path, options.runtime, options.batch_size)
    logging.info("%s", describe(classifier.card))
    find_patient = of_file or patients_by_name(classifier.card.layout)
    try:
        counts = predict_files(classifier, options.inputs, options.out, find_patient, options.views, options.explain)
    except BrokenPipeError:
        # Whoever read the table has stopped reading; Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    parser = Parser(prog="python -m stages.predict", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="picture, folder, pattern in quotes, or .zip")
    parser.add_argument("--model", default=str(CLASSIFIER), help="classifier file, DVC experiment or Git revision")
    parser.add_argument("--out", type=Path, help=".csv, .json (one array) or .jsonl; standard output where left out")
    parser.add_argument("--patients", type=Path, metavar="CSV", help="a table with the columns image and patient")
    parser.add_argument("--explain", action="store_true", help="write what speaks for the class, as pictures")
    parser.add_argument("--views", type=int, choices=range(1, 9), default=1, help="also turned and mirrored: 2 to 8")
    parser.add_argument("--batch-size", type=_batch_size, default=BATCH_SIZE, metavar="N", help="default: %(default)s")
    parser.add_argument("--runtime", default="keras", help="keras, or one of 'python -m stages.export'")
    return parser.parse_args(arguments)


def _batch_size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_BATCH:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {LARGEST_BATCH}")
    return int(text)


def _load(path: Path, runtime: str, batch_size: int) -> Classifier:
    if runtime == "keras":
        return load_classifier(path, batch_size)
    from stages.runtime.load import load_runtime
    from stages.runtime.places import find_model

    return load_classifier(path, batch_size, load_runtime(find_model(runtime, path), runtime, batch_size))


if __name__ == "__main__":
    run_stage("predict", main)
