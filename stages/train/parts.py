"""The training and validation parts as arrays; the test part is not read here."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.common.errors import UserError
from stages.embed.table import Features
from stages.train.labels import encode, image_weights


@dataclass(frozen=True)
class Part:
    """Images of one part: their names, classes as numbers, loss weights and rows of the features."""

    images: "pd.Series[str]"
    y: NDArray[np.int64]
    weights: NDArray[np.float32]
    rows: NDArray[np.intp]


def take_part(
    part: str, splits: pd.DataFrame, manifest: pd.DataFrame, features: Features, classes: list[str], class_weight: str
) -> Part:
    """Collect one part.

    Parameters
    ----------
    part : {'train', 'val'}
        Which.
    splits, manifest : DataFrame
        See `stages.split.table` and `stages.common.manifest`.
    features : Features
        Of all images.
    classes : list of str
        In the order of the network's outputs.
    class_weight : {'balanced', 'none'}
        See `stages.train.labels.image_weights`.

    Raises
    ------
    UserError
        If the part lacks a class, or an image has no features.
    """
    images = splits.loc[splits["part"] == part, "image"]
    labels = manifest.set_index("image")["label"].reindex(images)
    y = encode(labels, classes)
    for number, label in enumerate(classes):
        if not (y == number).any():
            raise UserError(f"part {part} holds no image of class {label}; change seed or the split's shares")
    return Part(images, y, image_weights(y, len(classes), class_weight), features.rows(images))
