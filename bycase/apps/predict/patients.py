"""Which images are of one patient, and what the classifier says of a patient: the mean over the images."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.layouts import breakhis
from bycase.statistics.units import Floats

FindPatient = Callable[[str], str]  # from a name to a patient; empty where not known
_NUMBERED = re.compile(r"~\d+$")  # of a restructured image whose name another one had


def patients_by_name(layout: str) -> FindPatient:
    """What a data set's file names say: in BreakHis' layout the case; the others name no patient."""
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
    """Read a CSV file with the columns ``image`` and ``patient``.

    An image is looked up by its whole name, as predictions give it, then by its file name alone.

    Raises
    ------
    UserError
        If the file is missing or no such table, or names one image with two patients.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path} not found: give --patients a CSV file with the columns image and patient") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path} is no CSV table ({error})") from None
    missing = [column for column in ("image", "patient") if column not in table.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; it must have image and patient")
    table = table[["image", "patient"]].drop_duplicates()
    twice = table["image"][table["image"].duplicated()]
    if len(twice):
        raise UserError(f"{path}: image {twice.iloc[0]} has two patients")
    known = dict(zip(table["image"], table["patient"], strict=True))
    return lambda name: known.get(name) or known.get(PurePosixPath(name).name, "")


@dataclass
class PatientSums:
    """Sums over each patient's images, in the order in which patients first appear.

    Attributes
    ----------
    scores : dict of str to ndarray of shape (n_classes,), float64
        Of the network's own probabilities.
    images, unlike : dict of str to int
        How many images, and how many of them are unlike the training images.
    """

    scores: dict[str, Floats] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    unlike: dict[str, int] = field(default_factory=dict)

    def add(self, patient: str, scores: Floats, unlike: bool) -> None:
        """Add an image; without a patient it is left out."""
        if patient:
            self.scores[patient] = self.scores.get(patient, np.zeros(len(scores))) + scores
            self.images[patient] = self.images.get(patient, 0) + 1
            self.unlike[patient] = self.unlike.get(patient, 0) + int(unlike)

    @property
    def means(self) -> Floats:
        """Each patient's mean probabilities; (n_patients, n_classes)."""
        return np.stack([total / self.images[patient] for patient, total in self.scores.items()])
