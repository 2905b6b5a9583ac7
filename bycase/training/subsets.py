"""The training and validation parts as arrays; the test part is not read here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.training.labels import encode, image_weights, make_targets


@dataclass(frozen=True)
class Subset:
    """Images of one part.

    Attributes
    ----------
    images : Series of str
        Paths below ``data/preprocessed``.
    y : ndarray of shape (n_images,), int64
        Classes as numbers.
    targets : ndarray of shape (n_images, width), float32
        See `bycase.training.labels.make_targets`.
    weights : ndarray of shape (n_images,), float32
        How much each image counts in the loss; the mean is 1.
    """

    images: "pd.Series[str]"
    y: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def take_subset(
    part: str, splits: pd.DataFrame, manifest: pd.DataFrame, classes: list[str], class_weight: str
) -> Subset:
    """Collect one part.

    Parameters
    ----------
    part : {'train', 'val'}
        Which.
    splits, manifest : DataFrame
        See `bycase.tables.splits` and `bycase.tables.manifest`.
    classes : list of str
        In the order of the network's outputs.
    class_weight : {'balanced', 'none'}
        See `bycase.training.labels.image_weights`.

    Raises
    ------
    UserError
        If the part lacks a class.
    """
    images = splits.loc[splits["part"] == part, "image"]
    labels = manifest.set_index("image")["label"].reindex(images)
    y = encode(labels, classes)
    for number, label in enumerate(classes):
        if not (y == number).any():
            raise UserError(f"part {part} holds no image of class {label}; change seed or the split's shares")
    return Subset(images, y, make_targets(y, len(classes)), image_weights(y, len(classes), class_weight))
