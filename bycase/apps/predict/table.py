"""Predictions as rows: of images, and of patients by what their images come to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from scipy.special import entr

from bycase.apps.classifier.classifier import Predictions
from bycase.apps.classifier.info import ClassifierInfo, PatientsInfo
from bycase.apps.classifier.patients import patient_finder
from bycase.core.errors import UserError
from bycase.core.expressions import composed
from bycase.datasets.layouts import breakhis
from bycase.statistics.pooling import Pooling
from bycase.statistics.units import Bools, Floats
from bycase.tables.tabular import read_any_table

FindPatient = Callable[[str], str]  # from a name to a patient; empty where not known
_NUMBERED = re.compile(r"~\d+$")  # of a restructured image whose name another one had
Row = dict[str, Any]
SEPARATOR = "|"  # between the classes of a set


def patients_by_name(layout: str, patients: PatientsInfo | None = None) -> FindPatient:
    """What names of files say: in BreakHis' layout the case, in a user's own what its entry says."""
    if patients is not None:
        return patient_finder(patients)
    return _breakhis_case if layout == "breakhis" else _nobody


def _nobody(name: str) -> str:  # noqa: ARG001
    return ""


def _breakhis_case(name: str) -> str:
    stem = _NUMBERED.sub("", PurePosixPath(name).stem)
    try:
        # The picture may have been saved in another format since.
        return breakhis.parse_name(f"{stem}.png").case
    except ValueError:
        return ""


def read_patients(path: Path) -> FindPatient:
    """Read a table with the columns ``image``, a name as predictions give it or a file name alone, and ``patient``.

    Raises
    ------
    UserError
        If the file is missing or no such table, or names one image with two patients.
    """
    if not path.is_file():
        raise UserError(f"{path} not found: give --patients a CSV file with the columns image and patient")
    table = read_any_table(path)
    missing = [column for column in ("image", "patient") if column not in table.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; it must have image and patient")
    table = table[["image", "patient"]].map(composed).drop_duplicates()
    twice = table["image"][table["image"].duplicated()]
    if len(twice):
        raise UserError(f"{path}: image {twice.iloc[0]} has two patients")
    known = dict(zip(table["image"], table["patient"], strict=True))

    def find(name: str) -> str:
        name = composed(name)
        return known.get(name) or known.get(PurePosixPath(name).name, "")

    return find


@dataclass
class PatientScores:
    """What is known of each patient's images, in the order in which patients first appear.

    Attributes
    ----------
    scores : dict of str to list of ndarray of shape (n_classes,), float64
        The network's own probabilities of each image.
    unlike : dict of str to int
        How many of the images are unlike the training images.
    """

    scores: dict[str, list[Floats]] = field(default_factory=dict)
    unlike: dict[str, int] = field(default_factory=dict)

    def add(self, patient: str, scores: Floats, unlike: bool) -> None:
        """Add an image; without a patient it is left out."""
        if patient:
            self.scores.setdefault(patient, []).append(scores)
            self.unlike[patient] = self.unlike.get(patient, 0) + int(unlike)

    def pooled(self, pooling: Pooling, positive: int | None) -> Floats:
        """Each patient's probabilities, see `bycase.statistics.pooling.Pooling.pool`; (n_patients, n_classes)."""
        images = list(self.scores.values())
        group = np.repeat(np.arange(len(images)), [len(each) for each in images])
        return pooling.pool(np.concatenate(images), group, positive)


def make_rows(
    names: Sequence[str],
    predictions: Predictions,
    info: ClassifierInfo,
    patients: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
) -> list[Row]:
    """One row an image.

    Returns
    -------
    list of dict
        ``image``; ``class``, the one decided for; ``probability_<class>``, calibrated; ``network_<class>``, the
        network's own, which the decision is made of; ``set`` and ``image_set``, the classes of the conformal sets
        calibrated by patients and by images, joined by `SEPARATOR`; ``entropy``, in nats; ``distance``; ``unlike``, 0
        or 1; with several views ``low``, ``high`` and ``disagreement``; ``patient`` and ``notes``, empty where there
        are none. See `bycase.apps.classifier.classifier.Predictions`.
    """
    rows = []
    for n, name in enumerate(names):
        row: Row = {"image": name, "class": info.classes[predictions.predicted[n]]}
        row |= _by_class(info, predictions.probabilities[n], predictions.scores[n])
        row["set"] = _in_words(predictions.sets[n], info.classes)
        row["image_set"] = _in_words(predictions.image_sets[n], info.classes)
        row["entropy"] = float(predictions.entropy[n])
        row["distance"] = float(predictions.distance[n])
        row["unlike"] = int(predictions.unlike[n])
        for column in ("low", "high", "disagreement"):
            values = getattr(predictions, column)
            if values is not None:
                row[column] = float(values[n])
        row["patient"] = patients[n] if patients else ""
        row["notes"] = notes[n] if notes else ""
        rows.append(row)
    return rows


def make_patient_rows(patients: PatientScores, info: ClassifierInfo) -> list[Row]:
    """One row a patient, by the images' network probabilities as the classifier puts them together, and its threshold.

    Returns
    -------
    list of dict
        ``patient``, ``class``, ``probability_<class>``, ``network_<class>`` and ``entropy`` as of images; ``images``
        and ``unlike``, how many.
    """
    if not patients.scores:
        return []
    scores = patients.pooled(info.pooling, info.positive_number)
    probabilities, predicted = info.calibrate(scores, "patient"), info.decide(scores, "patient")
    entropy = entr(probabilities).sum(axis=1)
    return [
        {
            "patient": patient,
            "class": info.classes[predicted[n]],
            **_by_class(info, probabilities[n], scores[n]),
            "entropy": float(entropy[n]),
            "images": len(images),
            "unlike": patients.unlike[patient],
        }
        for n, (patient, images) in enumerate(patients.scores.items())
    ]


def _by_class(info: ClassifierInfo, probabilities: Floats, scores: Floats) -> Row:
    row = {f"probability_{label}": value for label, value in zip(info.classes, probabilities.tolist(), strict=True)}
    return row | {f"network_{label}": value for label, value in zip(info.classes, scores.tolist(), strict=True)}


def _in_words(inside: Bools, classes: Sequence[str]) -> str:
    return SEPARATOR.join(np.array(classes)[inside].tolist())
