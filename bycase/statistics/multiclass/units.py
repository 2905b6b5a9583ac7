"""Images or patients of several classes, scored by one probability a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bycase.statistics.units import (
    Bools,
    Floats,
    Integers,
    Units,
    check_every_class,
    number_patients,
    renumber,
)


@dataclass(frozen=True)
class ClassUnits:
    """Images or patients to score, and the patient that each belongs to.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes.
    truth : ndarray of shape (n_units,), int64, in [0, n_classes)
        The unit's class.
    scores : ndarray of shape (n_units, n_classes), float64, in [0, 1]
        Predicted probabilities; rows sum to 1.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        What the bootstrap resamples; images and patients of one table share the numbering.
    stratum : ndarray of shape (n_units,), int64, from 0 up, or None
        See `bycase.statistics.units.Units`.
    """

    classes: tuple[str, ...]
    truth: Integers
    scores: Floats
    patient: Integers
    stratum: Integers | None = None

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return int(self.patient.max()) + 1

    @property
    def classes_of_patients(self) -> Bools:
        """Whether each patient has a unit of each class; (n_patients, n_classes)."""
        held = np.zeros((self.n_patients, len(self.classes)), bool)
        held[self.patient, self.truth] = True
        return held

    @property
    def predicted(self) -> Integers:
        """The most probable class of each unit, of equals the first; (n_units,)."""
        return self.scores.argmax(axis=1)

    @property
    def right(self) -> Bools:
        """Whether each unit's class is the predicted one; (n_units,)."""
        return self.truth == self.predicted

    def against_rest(self, number: int) -> Units:
        """One class as the positive one, all others together as the negative."""
        return Units(self.truth == number, self.scores[:, number], self.patient, self.stratum)

    def select(self, rows: Bools) -> "ClassUnits":
        """Some of the units, their patients numbered anew; `rows` has shape (n_units,)."""
        stratum = None if self.stratum is None else self.stratum[rows]
        return ClassUnits(self.classes, self.truth[rows], self.scores[rows], renumber(self.patient[rows]), stratum)


def class_units(predictions: pd.DataFrame, manifest: pd.DataFrame, classes: Sequence[str], name: Path) -> ClassUnits:
    """Score each image by its probabilities.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.predictions`.
    manifest : DataFrame
        See `bycase.statistics.units.number_patients`.
    classes : sequence of str
        All classes.
    name : Path
        The predictions' file, named in errors.

    Raises
    ------
    UserError
        If an image is not in the manifest, or a class has no image.
    """
    patient = number_patients(predictions, manifest, name)
    check_every_class(predictions, classes, name)
    return ClassUnits(
        classes=tuple(classes),
        truth=pd.Index(classes).get_indexer(pd.Index(predictions["label"])).astype(np.int64),
        scores=predictions.loc[:, list(classes)].to_numpy(np.float64),
        patient=patient,
    )


def patient_class_units(images: ClassUnits) -> ClassUnits:
    """Score each patient by the mean probabilities over the patient's images, in each stratum that has any.

    A patient with images of several classes counts as one unit a class, each the mean over the images
    of that class: no single label would be true of such a patient.
    """
    n_classes = len(images.classes)
    stratum = 0 if images.stratum is None else images.stratum
    key = (stratum * images.n_patients + images.patient) * n_classes + images.truth
    key, index = np.unique(key, return_inverse=True)
    totals = np.zeros((len(key), n_classes))
    np.add.at(totals, index, images.scores)
    return ClassUnits(
        classes=images.classes,
        truth=key % n_classes,
        scores=totals / np.bincount(index)[:, None],
        patient=key // n_classes % images.n_patients,
        stratum=None if images.stratum is None else key // n_classes // images.n_patients,
    )
