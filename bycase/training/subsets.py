"""Train and val as arrays: classes as numbers and targets, and how much each image counts; test is not read here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError

BY_MAGNIFICATION = "magnification"  # of `train.sampling`
BY_PATIENT = "by_patient"  # of `train.class_weight`


def encode(labels: "pd.Series[str]", classes: list[str]) -> NDArray[np.int64]:
    """Positions of `labels` in `classes`; shape (n_images,)."""
    return pd.Index(classes).get_indexer(pd.Index(labels)).astype(np.int64)


def make_targets(y: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """What the network's output is compared with: float32 of 0 and 1.

    With two classes of shape (n_images, 1), the probability of the second; else (n_images, n_classes), one a class.
    """
    return y[:, None].astype(np.float32) if n_classes == 2 else np.eye(n_classes, dtype=np.float32)[y]


def image_weights(
    y: NDArray[np.int64], n_classes: int, class_weight: str, unit: NDArray[np.int64]
) -> NDArray[np.float32]:
    """How much each image counts in the loss; the mean is 1.

    Parameters
    ----------
    y : ndarray of shape (n_images,), int64
        Classes as numbers; each of `n_classes` has an image.
    n_classes : int
        How many there are.
    class_weight : {'none', 'balanced', 'by_patient'}
        'none': all alike. 'balanced': every class counts the same in all. 'by_patient': likewise, and the patients of a
        class, whatever number of images they have. In clustered data this is weighting by the inverse of cluster size
        (Williamson, Datta, Satten 2003, Marginal analyses of clustered data when cluster size is informative,
        Biometrics 59(1)), which makes the typical patient count and not the typical image.
    unit : ndarray of shape (n_images,), int64
        Whose image each is.

    Returns
    -------
    ndarray of shape (n_images,), float32
    """
    if class_weight == "none":
        return np.ones(len(y), np.float32)
    patients = pd.Series(unit) if class_weight == BY_PATIENT else pd.Series(np.arange(len(y)))
    images_of_each = patients.groupby([y, patients]).transform("size").to_numpy()
    patients_of_class = np.bincount(y, weights=1 / images_of_each, minlength=n_classes)
    weights: NDArray[np.float32] = (len(y) / (n_classes * patients_of_class[y] * images_of_each)).astype(np.float32)
    return weights


def class_shares(y: NDArray[np.int64], weights: NDArray[np.float32], n_classes: int) -> NDArray[np.float64]:
    """Each class's share of the images' weights; shape (n_classes,), sums to 1."""
    totals = np.bincount(y, weights=weights.astype(np.float64), minlength=n_classes)
    shares: NDArray[np.float64] = totals / totals.sum()
    return shares


@dataclass(frozen=True)
class Subset:
    """Images of train or val.

    Attributes
    ----------
    images : Series of str
        Paths below ``data/preprocessed``.
    y : ndarray of shape (n_images,), int64
        Classes as numbers.
    targets : ndarray of shape (n_images, width), float32
        See `make_targets`.
    weights : ndarray of shape (n_images,), float32
        How much each image counts in the loss; the mean is 1.
    unit : ndarray of shape (n_images,), int64
        What draws may balance within a class: whose image each is, by the manifest's ``group``, or of which
        magnification.
    """

    images: "pd.Series[str]"
    y: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]
    unit: NDArray[np.int64]


def take_subset(
    name: str,
    splits: pd.DataFrame,
    manifest: pd.DataFrame,
    classes: list[str],
    class_weight: str,
    sampling: str = "uniform",
) -> Subset:
    """Collect the images of one subset.

    Parameters
    ----------
    name : {'train', 'val'}
        The subset's name in ``part``.
    splits, manifest : DataFrame
        See `bycase.tables.splits` and `bycase.tables.manifest`.
    classes : list of str
        In the order of the network's outputs.
    class_weight : {'none', 'balanced', 'by_patient'}
        See `image_weights`.
    sampling : str
        See `bycase.training.sampling.draw_images`; 'magnification' makes magnifications the units, which are patients
        otherwise.

    Raises
    ------
    UserError
        If the subset lacks a class, or magnifications are asked for and the data set has none.
    """
    images = splits.loc[splits["part"] == name, "image"]
    about = manifest.set_index("image").reindex(images)
    y = encode(about["label"], classes)
    for number, label in enumerate(classes):
        if not (y == number).any():
            raise UserError(f"part {name} holds no image of class {label}; change seed or the split's shares")
    if sampling == BY_MAGNIFICATION and not about["magnification"].any():
        raise UserError("train.sampling: this data set's images have no magnification; choose class or patient")
    unit = pd.factorize(about["magnification" if sampling == BY_MAGNIFICATION else "group"])[0].astype(np.int64)
    return Subset(images, y, make_targets(y, len(classes)), image_weights(y, len(classes), class_weight, unit), unit)
