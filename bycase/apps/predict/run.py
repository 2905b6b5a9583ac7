"""All files that are named, batch by batch, into the table; memory does not grow with their number."""

import argparse
import logging
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.apps.classifier.archive import read_parts
from bycase.apps.classifier.classifier import Classifier, Predictions
from bycase.apps.classifier.info import ClassifierInfo
from bycase.apps.classifier.revision import find_classifier
from bycase.apps.predict.batches import Batch, PredictedBatch, PredictEntries, predict_entries
from bycase.apps.predict.output import Rows, WriteRows, check_output, open_output
from bycase.apps.predict.sources import Entry, Failure, Skipped, find_sources
from bycase.apps.predict.spread import LOST, Task, predict_on_cluster
from bycase.apps.predict.table import (
    FindPatient,
    PatientScores,
    make_patient_rows,
    make_rows,
    patients_by_name,
    read_patients,
)
from bycase.apps.runtimes import EXPORTS, find_model, load_for_runtime
from bycase.core.child import in_child
from bycase.core.errors import UserError
from bycase.core.files import file_digest, replace_folder
from bycase.images.formats import describe_kinds
from bycase.statistics.units import Integers
from bycase.tables.manifest import PATIENTS_UNKNOWN

WriteOverlays = Callable[[Sequence[str], NDArray[np.uint8], Integers], list[str]]
MakeOverlays = Callable[[Path], WriteOverlays]
_UNSAFE = re.compile(r"[^\w.-]")
_LONGEST_STEM = 100


@dataclass
class Counts:
    """How many files were predicted, failed, and were left out as no pictures; and how many were flagged."""

    predicted: int = 0
    failed: int = 0
    unlike: int = 0
    skipped: Counter[str] = field(default_factory=Counter)  # by suffix
    first: dict[str, PurePosixPath] = field(default_factory=dict)  # of each suffix

    def leave_out(self, names: Sequence[str]) -> None:
        """Count files that are no pictures by their names, by kind."""
        for path in map(PurePosixPath, names):
            self.skipped[path.suffix.lower()] += 1
            self.first.setdefault(path.suffix.lower(), path)

    @property
    def exit_code(self) -> int:
        """0 where all went well, 2 where some files failed, 1 where none was predicted."""
        return 1 if not self.predicted else 2 if self.failed else 0


def run(options: argparse.Namespace) -> int:
    """Predict what the options of `bycase.apps.predict.command` name; gives the exit code."""
    if options.out:
        check_output(options.out)
    patients_of_file = read_patients(options.patients) if options.patients else None
    # Damaged metadata of a picture is no news to whoever wants its class.
    warnings.filterwarnings("ignore", module="PIL")
    with find_classifier(options.model) as path, _predicting(path, options) as (predict, info, make_overlays):
        logging.info("%s", describe(info))
        find_patient = patients_of_file or patients_by_name(info.layout, info.patients)
        try:
            counts = predict_files(predict, info, options.inputs, options.out, find_patient, make_overlays)
        except BrokenPipeError:
            # Whoever read the table has stopped reading; Python would complain once more when it closes the pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
    logging.info("%s", summarise(counts, options.out))
    return counts.exit_code


@contextmanager
def _predicting(
    path: Path, options: argparse.Namespace
) -> Iterator[tuple[PredictEntries, ClassifierInfo, MakeOverlays | None]]:
    """What predicts, here or on a cluster."""
    if options.ray:
        info = read_parts(path).info
        find_model(options.runtime, path)
        task = Task(
            path.absolute(),
            EXPORTS.absolute(),
            file_digest(path),
            options.runtime,
            options.batch_size,
            options.views,
            options.value_range,
        )

        def predict_there(entries: Iterator[Entry], n_files: int) -> Iterator[PredictedBatch]:
            return in_child(LOST, predict_on_cluster, task, options.ray, options.ray_actors, list(entries), n_files)

        yield predict_there, info, None
        return
    classifier = load_for_runtime(path, options.runtime, options.batch_size)
    make_overlays = partial(overlay_writer, classifier) if options.explain else None

    def predict(entries: Iterator[Entry], _: int) -> Iterator[PredictedBatch]:
        return predict_entries(classifier, entries, options.views, options.value_range)

    yield predict, classifier.info, make_overlays


def describe(info: ClassifierInfo) -> str:
    """The classifier, and what it must not be taken for."""
    data = f"{info.dataset}, which is GENERATED: it says nothing of tissue" if info.phantom else info.dataset
    unknown = "" if info.patients_known else f"; {PATIENTS_UNKNOWN}"
    return f"{info.model} trained on {data}; research software, not for diagnosis{unknown}"


def summarise(counts: Counts, out: Path | None) -> str:
    """What became of the files."""
    words = [f"{counts.predicted} images" + (f" in {out}" if out and counts.predicted else "")]
    words += [f"{counts.unlike} of them unlike the training images"] if counts.unlike else []
    words += [f"{counts.failed} failed"] if counts.failed else []
    if counts.skipped:
        kinds = describe_kinds(counts.skipped, counts.first)
        words.append(f"{counts.skipped.total()} files left out, no images by their names: {kinds}")
    return ", ".join(words)


def predict_files(
    predict: PredictEntries,
    info: ClassifierInfo,
    inputs: Sequence[str],
    out: Path | None,
    find_patient: FindPatient,
    make_overlays: MakeOverlays | None = None,
) -> Counts:
    """Predict the files, and write the tables and overlays beside each other.

    Parameters
    ----------
    predict : callable
        From the files and their number to batches with their predictions.
    info : ClassifierInfo
        Of the classifier.
    inputs : sequence of str
        See `bycase.apps.predict.sources.find_sources`.
    out : Path or None
        The table of images; None: standard output. Patients go to `patients_path`, overlays to `overlays_path`.
        Nothing is written where no file could be predicted.
    find_patient : callable
        From an image's name to its patient, or to an empty text.
    make_overlays : callable, optional
        `overlay_writer` of the classifier; needs `out`.
    """
    counts, pooled = Counts(), PatientScores()
    total = sum(not isinstance(entry, Skipped) for entry in find_sources(inputs))
    write: WriteRows | None = None
    overlay: WriteOverlays | None = None
    with ExitStack() as stack, tqdm(total=total, desc="predict", unit="image", disable=None) as bar:
        for batch, predictions in predict(find_sources(inputs), total):
            _report(batch.failures)
            counts.failed += len(batch.failures)
            counts.leave_out(batch.skipped)
            if predictions is not None:
                if write is None:
                    write = stack.enter_context(open_output(out))
                    if make_overlays and out is not None:
                        overlay = make_overlays(stack.enter_context(replace_folder(overlays_path(out))))
                rows = _make_rows(batch, predictions, info, find_patient, pooled, overlay)
                write(rows)
                counts.predicted += len(rows)
                counts.unlike += sum(row["unlike"] for row in rows)
            bar.update(len(batch.names) + len(batch.failures))
        if out is not None and pooled.scores:
            stack.enter_context(open_output(patients_path(out)))(make_patient_rows(pooled, info))
    return counts


def patients_path(out: Path) -> Path:
    """Where the table of patients goes."""
    return out.with_name(f"{out.stem}.patients{out.suffix}")


def overlays_path(out: Path) -> Path:
    """The folder for overlays."""
    return out.with_name(f"{out.stem}.overlays")


def overlay_writer(classifier: Classifier, folder: Path) -> WriteOverlays:
    """A function that writes heatmaps over their images into `folder`, numbered in their order.

    It takes names, prepared images (n, size, size, 3) uint8 and the predicted classes (n,), and gives the files' names.

    Raises
    ------
    UserError
        If the classifier runs in another runtime than Keras.
    """
    from bycase.explain.maps import make_explainer
    from bycase.explain.overlay import write_overlays

    if classifier.network is None:
        raise UserError("--explain looks into the network, which only --runtime keras allows")
    explain = make_explainer(classifier.network, batch_size=classifier.batch_size)
    written = 0

    def write(names: Sequence[str], images: NDArray[np.uint8], predicted: Integers) -> list[str]:
        nonlocal written
        stems = [overlay_name(written + n, name) for n, name in enumerate(names)]
        written += len(names)
        return [path.name for path in write_overlays(folder, stems, images, explain(images, predicted))]

    return write


def overlay_name(number: int, name: str) -> str:
    """A file name without suffix that no other image has, whatever the image's name."""
    stem = _UNSAFE.sub("_", PurePosixPath(name).stem)[:_LONGEST_STEM]
    return f"{number:06d}_{stem}"


def _make_rows(
    batch: Batch,
    predictions: Predictions,
    info: ClassifierInfo,
    find_patient: FindPatient,
    pooled: PatientScores,
    overlay: WriteOverlays | None,
) -> Rows:
    """The rows of a batch, whose scores are added to those of their patients."""
    patients = [find_patient(name) for name in batch.names]
    for n, patient in enumerate(patients):
        pooled.add(patient, predictions.scores[n], bool(predictions.unlike[n]))
    rows = make_rows(batch.names, predictions, info, patients, batch.notes)
    if overlay is None:
        return rows
    files = overlay(batch.names, batch.images, predictions.predicted)
    return [row | {"overlay": file} for row, file in zip(rows, files, strict=True)]


def _report(failures: Sequence[Failure]) -> None:
    """One line each on standard error, which leaves the progress bar whole."""
    for failure in failures:
        tqdm.write(f"predict: {failure.name}: {failure.reason}", file=sys.stderr)
