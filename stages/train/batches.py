"""The training part in batches: of cached features, or of augmented images; the order follows from the epoch."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.common.seeding import derive_seed, generator
from stages.common.training_params import AugmentParams
from stages.embed.augment import augment
from stages.restructure.pixels import read_pixels
from stages.train.loop import Batch


def feature_batches(
    features: NDArray[np.float32],
    rows: NDArray[np.intp],
    y: NDArray[np.int64],
    weights: NDArray[np.float32],
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Every training image once, each by one of its views drawn at random.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_views, n_features), float32
        Of all images; may be a memory map.
    rows : ndarray of shape (n_training_images,)
        Where the training images are in `features`.
    y, weights : ndarray of shape (n_training_images,)
        Classes as numbers, and how much each image counts.
    batch_size, seed, epoch : int
        Seed and epoch decide order and views.
    """
    random = generator(seed, "head", epoch)
    order = random.permutation(len(rows))
    view = random.integers(0, features.shape[1], len(rows))
    for start in range(0, len(rows), batch_size):
        chosen = order[start : start + batch_size]
        yield features[rows[chosen], view[chosen]], y[chosen], weights[chosen]


def image_batches(
    images: "pd.Series[str]",
    y: NDArray[np.int64],
    weights: NDArray[np.float32],
    params: AugmentParams,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Every training image once, augmented anew; parameters as in `feature_batches`."""
    order = generator(seed, "fine_tune", epoch).permutation(len(images))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        pixels = read_pixels(images.iloc[chosen].tolist())
        yield augment(pixels, params, derive_seed(seed, "augment", epoch, start)), y[chosen], weights[chosen]
