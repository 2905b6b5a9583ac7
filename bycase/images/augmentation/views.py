"""The views of images that features are computed of: each image itself, then augmented copies."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bycase.core.params_training import AugmentParams
from bycase.core.seeding import derive_seed
from bycase.images.augmentation.images import augment

Views = Callable[[NDArray[np.uint8], int], Iterator[NDArray[np.float32]]]


def augmented_views(params: AugmentParams, n_views: int, seed: int) -> Views:
    """What `bycase.tables.partial_features.fill` takes as ``views``.

    Parameters
    ----------
    params : AugmentParams
        How the copies are changed.
    n_views : int
        Copies of each image, besides the image itself.
    seed : int
        The pipeline's; with it, the copy's number and the place of the batch decide its changes.
    """

    def views(pixels: NDArray[np.uint8], start: int) -> Iterator[NDArray[np.float32]]:
        yield pixels.astype(np.float32)
        for view in range(n_views):
            yield augment(pixels, params, derive_seed(seed, "view", view, start))

    return views
