"""What is scored, for any number of classes: images, or patients by what their images' probabilities come to.

Which class is predicted is settled here, once: by a threshold where one of two classes is the positive one, else the
most probable class is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bycase.core.errors import UserError
from bycase.statistics.pooling import Pooling

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HALF = 0.5  # the threshold of two classes where none was chosen


@dataclass(frozen=True)
class BinaryUnits:
    """Images or patients, one class against all others: what ranks and curves are about.

    Attributes
    ----------
    truth : ndarray of shape (n_units,), bool
        Whether the unit is of the class.
    scores : ndarray of shape (n_units,), float64, in [0, 1]
        Predicted probability of the class.
    patient, fold
        See `Units`.
    """

    truth: Bools
    scores: Floats
    patient: Integers
    fold: Integers | None = None

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return int(self.patient.max()) + 1

    def patients_of(self, positive: bool) -> int:
        """Number of patients with a unit of the class, or with one of another class."""
        return len(np.unique(self.patient[self.truth == positive]))

    @property
    def shares_of_patients(self) -> tuple[float, float]:
        """Patients of the class and of all others; one who has units of both counts half in each."""
        one, rest = self.patients_of(True), self.patients_of(False)
        both = one + rest - len(np.unique(self.patient))
        return one - both / 2, rest - both / 2


@dataclass(frozen=True)
class Units:
    """Images or patients to score, and the patient that each belongs to.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes.
    truth : ndarray of shape (n_units,), int64, in [0, n_classes)
        The true class.
    scores : ndarray of shape (n_units, n_classes), float64, in [0, 1]
        Predicted probabilities; rows sum to 1.
    predicted : ndarray of shape (n_units,), int64, in [0, n_classes)
        The predicted class; see `predict_classes`.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        What varies from sample to sample; images and patients of one table share the numbering.
    fold : ndarray of shape (n_units,), int64, from 0 up, or None
        Of cross-validation, the fold of each repeat, each with a network of its own: ranks compare units of one
        fold only, since two networks' scores are not on one scale. None: all are of one.
    positive : int or None
        Of two classes, the number of the one that is looked for, if there is such a class.
    pooling : Pooling
        How images are put together where patients are made of them; of patients it says how they were.
    """

    classes: tuple[str, ...]
    truth: Integers
    scores: Floats
    predicted: Integers
    patient: Integers
    fold: Integers | None = None
    positive: int | None = None
    pooling: Pooling = field(default_factory=Pooling)

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return int(self.patient.max()) + 1

    @property
    def right(self) -> Bools:
        """Whether the predicted class is the true one; (n_units,)."""
        return self.truth == self.predicted

    @property
    def targets(self) -> tuple[int, ...]:
        """The classes whose ranks are scored, each against the rest: the positive one, or all."""
        return tuple(range(len(self.classes))) if self.positive is None else (self.positive,)

    @property
    def classes_of_patients(self) -> Bools:
        """Whether each patient has a unit of each class; (n_patients, n_classes)."""
        held = np.zeros((self.n_patients, len(self.classes)), bool)
        held[self.patient, self.truth] = True
        return held

    @property
    def shares_of_patients(self) -> Floats:
        """How many patients each class has, where one of several classes counts once, in equal parts; (n_classes,)."""
        held = self.classes_of_patients
        return (held / held.sum(axis=1, keepdims=True)).sum(axis=0)

    def against_rest(self, number: int) -> BinaryUnits:
        """One class against all others together."""
        return BinaryUnits(self.truth == number, self.scores[:, number], self.patient, self.fold)

    def with_threshold(self, threshold: float | Floats | None) -> "Units":
        """The same units, classes predicted anew; see `predict_classes`."""
        return replace(self, predicted=predict_classes(self.scores, self.positive, threshold))

    def select(self, rows: Bools) -> "Units":
        """Some of the units, their patients numbered anew; `rows` has shape (n_units,)."""
        return replace(
            self,
            truth=self.truth[rows],
            scores=self.scores[rows],
            predicted=self.predicted[rows],
            patient=renumber(self.patient[rows]),
            fold=None if self.fold is None else self.fold[rows],
        )


def predict_classes(scores: Floats, positive: int | None, threshold: float | Floats | None = None) -> Integers:
    """The predicted class of each unit.

    Parameters
    ----------
    scores : ndarray of shape (..., n_classes), float64, in [0, 1]
        Predicted probabilities.
    positive : int or None
        Of two classes, the positive one: predicted where its probability reaches the threshold. None: the most
        probable class is predicted, of equals the first.
    threshold : float, or ndarray of shape (...), float64, in [0, 1], or None
        Of all units, or of each; None: `HALF`. Without a positive class it says nothing.

    Returns
    -------
    ndarray of shape (...), int64, in [0, n_classes)
    """
    if positive is None:
        return scores.argmax(axis=-1).astype(np.int64)
    reached = scores[..., positive] >= (HALF if threshold is None else threshold)
    return np.where(reached, positive, 1 - positive).astype(np.int64)


def number_classes(labels: "pd.Series[str]", classes: Sequence[str]) -> Integers:
    """Class names as numbers; (n_units,), int64."""
    return pd.Index(classes).get_indexer(pd.Index(labels)).astype(np.int64)


def positive_number(classes: Sequence[str], positive: str | None) -> int | None:
    """The number of the positive class, if there is one of two."""
    return None if positive is None or len(classes) > 2 else list(classes).index(positive)


def image_units(
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
    name: Path,
    threshold: float | None = None,
) -> Units:
    """One unit an image.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.predictions`.
    manifest : DataFrame
        See `number_patients`.
    classes : sequence of str
        All classes.
    positive : str or None
        Of two classes, the one that is looked for.
    name : Path
        The predictions' file, named in errors.
    threshold : float, in [0, 1], or None
        See `predict_classes`.

    Raises
    ------
    UserError
        If an image is not in the manifest, or a class has no image.
    """
    patient = number_patients(predictions, manifest, name)
    check_every_class(predictions, classes, name)
    scores, number = predictions[list(classes)].to_numpy(np.float64), positive_number(classes, positive)
    return Units(
        classes=tuple(classes),
        truth=number_classes(predictions["label"], classes),
        scores=scores,
        predicted=predict_classes(scores, number, threshold),
        patient=patient,
        positive=number,
    )


def patient_units(images: Units, threshold: float | None = None) -> Units:
    """Score each patient by the images' probabilities, put together by their `pooling`, in each fold that has any.

    A patient with images of several classes counts as one unit a class, each of the images of that class alone: no
    single label would be true of such a patient. `threshold` is that of patients; see `predict_classes`.
    """
    first, group = number_patient_units(images)
    scores = images.pooling.pool(images.scores, group, images.positive)
    if images.positive is not None:
        scores[:, 1 - images.positive] = 1 - scores[:, images.positive]  # a sum of 1 to the last bit
    return replace(
        images,
        truth=images.truth[first],
        scores=scores,
        predicted=predict_classes(scores, images.positive, threshold),
        patient=images.patient[first],
        fold=None if images.fold is None else images.fold[first],
    )


def number_patient_units(images: Units) -> tuple[Integers, Integers]:
    """Number what `patient_units` makes of images: each fold, patient and true class, in that order.

    Returns
    -------
    first : ndarray of shape (n_patient_units,), int64
        An image of each.
    group : ndarray of shape (n_images,), int64, in [0, n_patient_units)
        To which each image belongs.
    """
    fold = 0 if images.fold is None else images.fold
    key = (fold * images.n_patients + images.patient) * len(images.classes) + images.truth
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first, group


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
