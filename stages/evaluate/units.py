"""What is scored: images, or patients by the mean probability over their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.common.errors import UserError

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """Images or patients to score, and the patient that each belongs to.

    Attributes
    ----------
    truth : ndarray of shape (n_units,), bool
        Whether the unit is of the positive class.
    scores : ndarray of shape (n_units,), float64, in [0, 1]
        Predicted probability of the positive class.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        What the bootstrap resamples; images and patients of one table share the numbering.
    """

    truth: Bools
    scores: Floats
    patient: Integers

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return int(self.patient.max()) + 1

    def patients_of(self, positive: bool) -> int:
        """Number of patients with a unit of the positive, or of the negative, class."""
        return len(np.unique(self.patient[self.truth == positive]))


def image_units(
    predictions: pd.DataFrame, manifest: pd.DataFrame, classes: Sequence[str], positive: str, name: Path
) -> Units:
    """Score each image; its patient is the data set's own group, whatever the split was made by.

    Parameters
    ----------
    predictions : DataFrame
        See `stages.evaluate.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        One row an image; ``group`` is the patient (in BreakHis: the case).
    classes : sequence of two str
        All classes.
    positive : str
        The class whose probability is the score.
    name : Path
        The predictions' file, named in errors.

    Raises
    ------
    UserError
        If there are more than two classes, an image is not in the manifest, or one class has no image.
    """
    if len(classes) != 2:
        raise UserError(
            f"{len(classes)} classes ({', '.join(classes)}): sensitivity, specificity and thresholds are defined "
            "for two; choose a dataset with two classes in params.yaml"
        )
    patient = predictions["image"].map(dict(zip(manifest["image"], manifest["group"], strict=True)))
    if patient.isna().any():
        raise UserError(
            f"{name}: image {predictions['image'][patient.isna()].iloc[0]} is not in data/manifest.csv; "
            "run 'dvc repro evaluate'"
        )
    absent = set(classes) - set(predictions["label"])
    if absent:
        raise UserError(
            f"{name}: no image of class {min(absent)}, so that AUC, sensitivity or specificity is undefined; "
            "change split.validation, split.test or seed in params.yaml"
        )
    return Units(
        truth=(predictions["label"] == positive).to_numpy(bool),
        scores=predictions[positive].to_numpy(np.float64),
        patient=np.unique(patient.to_numpy(str), return_inverse=True)[1].astype(np.int64),
    )


def patient_units(images: Units) -> Units:
    """Score each patient by the mean probability over the patient's images.

    A patient with images of both classes counts as two units, one a class, each the mean over the
    images of that class: no single label would be true of such a patient.
    """
    key, index = np.unique(images.patient * 2 + images.truth, return_inverse=True)
    totals = np.bincount(index, weights=images.scores)
    return Units(truth=(key % 2).astype(bool), scores=totals / np.bincount(index), patient=key // 2)
