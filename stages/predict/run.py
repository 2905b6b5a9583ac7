"""All files that are named, batch by batch, into the table; memory does not grow with their number."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from stages.common.files import replace_folder
from stages.predict.classifier import Classifier
from stages.predict.found import Failure, Skipped
from stages.predict.output import Rows, WriteRows, open_output
from stages.predict.overlays import WriteOverlays, overlay_writer
from stages.predict.patients import FindPatient, PatientSums
from stages.predict.prepare import Batch, prepare_batches
from stages.predict.sources import find_sources
from stages.predict.table import make_patient_rows, make_rows


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
    classifier: Classifier,
    inputs: Sequence[str],
    out: Path | None,
    find_patient: FindPatient,
    views: int = 1,
    explain: bool = False,
) -> Counts:
    """Predict the files, and write the tables and overlays beside each other.

    Parameters
    ----------
    classifier : Classifier
        What predicts.
    inputs : sequence of str
        See `stages.predict.sources.find_sources`.
    out : Path or None
        The table of images; None: standard output. Patients go to `patients_path`, overlays to `overlays_path`.
        Nothing is written where no file could be predicted.
    find_patient : callable
        From an image's name to its patient, or to an empty text.
    views : int, in [1, 8]
        See `Classifier.predict_prepared`.
    explain : bool
        Whether to write overlays; needs `out`.
    """
    counts, sums = Counts(), PatientSums()
    total = sum(not isinstance(found, Skipped) for found in find_sources(inputs))
    write: WriteRows | None = None
    overlay: WriteOverlays | None = None
    with ExitStack() as stack, tqdm(total=total, desc="predict", unit="image", disable=None) as bar:
        for batch in prepare_batches(find_sources(inputs), classifier.prepare, classifier.batch_size):
            _report(batch.failures)
            counts.failed += len(batch.failures)
            counts.skipped += batch.n_skipped
            if batch.names:
                if write is None:
                    write = stack.enter_context(open_output(out))
                    if explain and out is not None:
                        overlay = overlay_writer(classifier, stack.enter_context(replace_folder(overlays_path(out))))
                rows = _predict_batch(classifier, batch, find_patient, views, sums, overlay)
                write(rows)
                counts.predicted += len(rows)
                counts.unlike += sum(row["unlike"] for row in rows)
            bar.update(len(batch.names) + len(batch.failures))
        if out is not None and sums.scores:
            stack.enter_context(open_output(patients_path(out)))(make_patient_rows(sums, classifier))
    return counts


def patients_path(out: Path) -> Path:
    """Where the table of patients goes."""
    return out.with_name(f"{out.stem}.patients{out.suffix}")


def overlays_path(out: Path) -> Path:
    """The folder for overlays."""
    return out.with_name(f"{out.stem}.overlays")


def _predict_batch(
    classifier: Classifier,
    batch: Batch,
    find_patient: FindPatient,
    views: int,
    sums: PatientSums,
    overlay: WriteOverlays | None,
) -> Rows:
    """The rows of a batch, which are added to the patients' sums."""
    predictions = classifier.predict_prepared(batch.images, views)
    patients = [find_patient(name) for name in batch.names]
    for n, patient in enumerate(patients):
        sums.add(patient, predictions.scores[n], bool(predictions.unlike[n]))
    rows = make_rows(batch.names, predictions, classifier.card, patients, batch.notes)
    if overlay is None:
        return rows
    files = overlay(batch.names, batch.images, predictions.called)
    return [row | {"overlay": file} for row, file in zip(rows, files, strict=True)]


def _report(failures: Sequence[Failure]) -> None:
    """One line each on standard error, which leaves the progress bar whole."""
    for failure in failures:
        tqdm.write(f"predict: {failure.name}: {failure.reason}", file=sys.stderr)
