"""What is scored: images, or patients by the mean probability over their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bycase.core.errors import UserError

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
    stratum : ndarray of shape (n_units,), int64, from 0 up, or None
        Of cross-validation, the fold of each repeat, each with a network of its own: ranks compare units of one
        stratum only, since two networks' scores are not on one scale. None: all are of one.
    """

    truth: Bools
    scores: Floats
    patient: Integers
    stratum: Integers | None = None

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return int(self.patient.max()) + 1

    def patients_of(self, positive: bool) -> int:
        """Number of patients with a unit of the positive, or of the negative, class."""
        return len(np.unique(self.patient[self.truth == positive]))

    def select(self, rows: Bools) -> "Units":
        """Some of the units, their patients numbered anew; `rows` has shape (n_units,)."""
        stratum = None if self.stratum is None else self.stratum[rows]
        return Units(self.truth[rows], self.scores[rows], renumber(self.patient[rows]), stratum)


def renumber(patient: Integers) -> Integers:
    """The same patients numbered from 0 without gaps, in their order."""
    return np.unique(patient, return_inverse=True)[1].astype(np.int64)


def number_patients(predictions: pd.DataFrame, manifest: pd.DataFrame, name: Path) -> Integers:
    """The patient of each image, numbered from 0: the data set's own group, whatever the split was made by.

    Where the split joined groups, since they hold one picture twice, they are one patient here too: what could
    not straddle parts is what a new sample would draw.

    Parameters
    ----------
    predictions : DataFrame with the columns ``image``, ``group``
        One row an image; ``group`` is what the split kept on one side.
    manifest : DataFrame with the columns ``image``, ``group``
        One row an image; ``group`` is the patient (in BreakHis: the case).
    name : Path
        The predictions' file, named in errors.

    Returns
    -------
    ndarray of shape (n_images,), int64, in [0, n_patients)

    Raises
    ------
    UserError
        If an image is not in the manifest.
    """
    patient = predictions["image"].map(dict(zip(manifest["image"], manifest["group"], strict=True)))
    if patient.isna().any():
        raise UserError(
            f"{name}: image {predictions['image'][patient.isna()].iloc[0]} is not in data/manifest.csv; "
            "run 'dvc repro evaluate'"
        )
    return join_groups(patient, predictions["group"])


def join_groups(one: "pd.Series[str]", other: "pd.Series[str]") -> Integers:
    """Number the images so that those that share a group of either kind, directly or through others, are one.

    Parameters
    ----------
    one, other : Series of str
        Two groups of each image, in the same order.

    Returns
    -------
    ndarray of shape (n_images,), int64
        From 0, in the order of the smallest names in `one`.
    """
    first, second = (np.unique(groups.to_numpy(str), return_inverse=True)[1] for groups in (one, other))
    n = int(first.max()) + 1
    edges = (np.ones(len(first), np.int8), (first, n + second))
    size = n + int(second.max()) + 1
    _, component = connected_components(coo_array(edges, shape=(size, size)), directed=False)
    # SciPy does not promise any order of its numbers; groups are sorted by name.
    return pd.factorize(component[:n])[0][first].astype(np.int64)


def check_every_class(predictions: pd.DataFrame, classes: Sequence[str], name: Path) -> None:
    """Refuse predictions without an image of some class.

    Raises
    ------
    UserError
        Naming the class and the file.
    """
    absent = set(classes) - set(predictions["label"])
    if absent:
        raise UserError(
            f"{name}: no image of class {min(absent)}, so that its recall and the AUC are undefined; "
            "change split.validation, split.test or seed in params.yaml"
        )


def image_units(
    predictions: pd.DataFrame, manifest: pd.DataFrame, classes: Sequence[str], positive: str, name: Path
) -> Units:
    """Score each image by the probability of the positive class.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.predictions`.
    manifest : DataFrame
        See `number_patients`.
    classes : sequence of two str
        All classes.
    positive : str
        The class whose probability is the score.
    name : Path
        The predictions' file, named in errors.

    Raises
    ------
    UserError
        If an image is not in the manifest, or one class has no image.
    """
    patient = number_patients(predictions, manifest, name)
    check_every_class(predictions, classes, name)
    return Units(
        truth=(predictions["label"] == positive).to_numpy(bool),
        scores=predictions[positive].to_numpy(np.float64),
        patient=patient,
    )


def patient_units(images: Units) -> Units:
    """Score each patient by the mean probability over the patient's images, in each stratum that has any.

    A patient with images of both classes counts as two units, one a class, each the mean over the
    images of that class: no single label would be true of such a patient.
    """
    stratum = 0 if images.stratum is None else images.stratum
    key, index = np.unique((stratum * images.n_patients + images.patient) * 2 + images.truth, return_inverse=True)
    totals = np.bincount(index, weights=images.scores)
    return Units(
        truth=(key % 2).astype(bool),
        scores=totals / np.bincount(index),
        patient=key // 2 % images.n_patients,
        stratum=None if images.stratum is None else key // 2 // images.n_patients,
    )
