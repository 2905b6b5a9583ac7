"""How many independent images the images of a few patients are worth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """The images on which two models are compared.

    Attributes
    ----------
    sizes : ndarray of shape (n_patients,), int64
        Images of each patient.
    positive, negative : ndarray of int64
        Images of the positive class, and of the others, of each patient who has any.
    """

    sizes: Integers
    positive: Integers
    negative: Integers

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.sizes)

    @property
    def n_images(self) -> int:
        """Number of images."""
        return int(self.sizes.sum())


def count_sample(images: pd.DataFrame, positive: str) -> Sample:
    """Count each patient's images.

    Parameters
    ----------
    images : DataFrame with the columns ``group`` (patient) and ``label``
        One row an image.
    positive : str
        The class that the AUC sets against the rest.
    """
    is_positive = images["label"] == positive
    return Sample(*(_sizes(part["group"]) for part in (images, images[is_positive], images[~is_positive])))


def rarest_class(images: pd.DataFrame) -> str:
    """The class with the fewest patients, by name among equals.

    Where a data set has no positive class, a mean of one-vs-rest AUCs varies mostly with this class', which thus
    stands for it.

    Parameters
    ----------
    images : DataFrame with the columns ``group`` (patient) and ``label``
        One row an image.
    """
    return str(images.groupby("label")["group"].nunique().sort_index().idxmin())


def _sizes(patients: "pd.Series[str]") -> Integers:
    return np.asarray(patients.value_counts(), np.int64)


def design_effect(sizes: Integers, correlation: float) -> float:
    """The factor by which clustering multiplies the variance of a mean over images.

    ``1 + (m - 1) * correlation``, where ``m`` is the mean number of images in the patient of an image drawn at
    random, which allows for unequal patients (Kish, 1965, "Survey Sampling", chapter 5; Donner and Klar, 2000).

    Parameters
    ----------
    sizes : ndarray of shape (n_patients,), int64
        Images of each patient.
    correlation : float, in [0, 1]
        Between images of one patient, of what is averaged.

    Returns
    -------
    float, from 1 up
    """
    return float(1 + ((sizes**2).sum() / sizes.sum() - 1) * correlation)


def effective_images(sizes: Integers, correlation: float) -> float:
    """Number of independent images of the same worth: all of them at 0, about the number of patients at 1."""
    return float(sizes.sum() / design_effect(sizes, correlation))
