"""All files that are named, batch by batch, into the table; memory does not grow with their number."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from bycase.apps.classifier.classifier import Predictions
from bycase.apps.classifier.info import ClassifierCard
from bycase.apps.predict.answer import Answer
from bycase.apps.predict.found import Failure, Skipped
from bycase.apps.predict.output import Rows, WriteRows, open_output
from bycase.apps.predict.overlays import MakeOverlays, WriteOverlays
from bycase.apps.predict.patients import FindPatient, PatientSums
from bycase.apps.predict.prepare import Batch
from bycase.apps.predict.sources import find_sources
from bycase.apps.predict.table import make_patient_rows, make_rows
from bycase.core.files import replace_folder


@dataclass
class Counts:
    """How many files were predicted, failed, and were left out as no pictures; and how many were flagged."""

    predicted: int = 0
    failed: int = 0
    skipped: int = 0
    unlike: int = 0

    @property
    def exit_code(self) -> int:
        """0 where all went well, 2 where some files failed, 1 where none was predicted."""
        return 1 if not self.predicted else 2 if self.failed else 0


def predict_files(
    answer: Answer,
    card: ClassifierCard,
    inputs: Sequence[str],
    out: Path | None,
    find_patient: FindPatient,
    make_overlays: MakeOverlays | None = None,
    table: TextIO | None = None,
) -> Counts:
    """Predict the files, and write the tables and overlays beside each other.

    Parameters
    ----------
    answer : callable
        What predicts: from the files found and their number to the batches, with what the classifier says of them.
    card : ClassifierCard
        Of the classifier.
    inputs : sequence of str
        See `bycase.apps.predict.sources.find_sources`.
    out : Path or None
        The table of images; None: standard output. Patients go to `patients_path`, overlays to `overlays_path`.
        Nothing is written where no file could be predicted.
    find_patient : callable
        From an image's name to its patient, or to an empty text.
    make_overlays : callable, optional
        `bycase.apps.predict.overlays.overlay_writer` of the classifier; needs `out`.
    table : TextIO, optional
        Instead of standard output.
    """
    counts, sums = Counts(), PatientSums()
    total = sum(not isinstance(found, Skipped) for found in find_sources(inputs))
    write: WriteRows | None = None
    overlay: WriteOverlays | None = None
    with ExitStack() as stack, tqdm(total=total, desc="predict", unit="image", disable=None) as bar:
        for batch, predictions in answer(find_sources(inputs), total):
            _report(batch.failures)
            counts.failed += len(batch.failures)
            counts.skipped += batch.n_skipped
            if predictions is not None:
                if write is None:
                    write = stack.enter_context(open_output(out, table))
                    if make_overlays and out is not None:
                        overlay = make_overlays(stack.enter_context(replace_folder(overlays_path(out))))
                rows = _make_rows(batch, predictions, card, find_patient, sums, overlay)
                write(rows)
                counts.predicted += len(rows)
                counts.unlike += sum(row["unlike"] for row in rows)
            bar.update(len(batch.names) + len(batch.failures))
        if out is not None and sums.scores:
            stack.enter_context(open_output(patients_path(out)))(make_patient_rows(sums, card))
    return counts


def patients_path(out: Path) -> Path:
    """Where the table of patients goes."""
    return out.with_name(f"{out.stem}.patients{out.suffix}")


def overlays_path(out: Path) -> Path:
    """The folder for overlays."""
    return out.with_name(f"{out.stem}.overlays")


def _make_rows(
    batch: Batch,
    predictions: Predictions,
    card: ClassifierCard,
    find_patient: FindPatient,
    sums: PatientSums,
    overlay: WriteOverlays | None,
) -> Rows:
    """The rows of a batch, which are added to the patients' sums."""
    patients = [find_patient(name) for name in batch.names]
    for n, patient in enumerate(patients):
        sums.add(patient, predictions.scores[n], bool(predictions.unlike[n]))
    rows = make_rows(batch.names, predictions, card, patients, batch.notes)
    if overlay is None:
        return rows
    files = overlay(batch.names, batch.images, predictions.called)
    return [row | {"overlay": file} for row, file in zip(rows, files, strict=True)]


def _report(failures: Sequence[Failure]) -> None:
    """One line each on standard error, which leaves the progress bar whole."""
    for failure in failures:
        tqdm.write(f"predict: {failure.name}: {failure.reason}", file=sys.stderr)
