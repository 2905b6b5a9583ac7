"""MixUp and CutMix: images of a batch mixed with one another, and their targets with them.

Zhang et al. (2018), mixup: Beyond empirical risk minimization, ICLR, arXiv:1710.09412.
Yun et al. (2019), CutMix: Regularization strategy to train strong classifiers with localizable features, ICCV,
arXiv:1905.04899.
"""

import numpy as np
from numpy.typing import NDArray

from bycase.core.params_training import AugmentParams
from bycase.core.seeding import generator

Mixed = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def mixes(params: AugmentParams) -> bool:
    """Whether `mix` changes anything."""
    return bool(params.mixup or params.cutmix)


def mix(
    images: NDArray[np.float32],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    params: AugmentParams,
    seed: int,
) -> Mixed:
    """Mix each image of a batch with another one; a batch of one stays as it is.

    Neither reads nor writes any global random state, so that a background thread may call it.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    targets : ndarray of shape (n_images, n_outputs), float32
        One-hot classes, or one column with the positive class as 1.
    weights : ndarray of shape (n_images,), float32
        How much each image counts; above 0.
    params : AugmentParams
        `mixup` and `cutmix`, the alphas of Beta(alpha, alpha), from which each image's share is drawn; where both are
        on, one of them is drawn for the batch.
    seed : int
        The same seed and batch give the same result.

    Returns
    -------
    tuple of images, targets and weights, float32
        An image that is `share` of one and the rest of another weighs the same shares of their weights, and its
        target is the mean of theirs by share times weight. So a loss that is linear in the target, such as
        cross-entropy, is what it would be for two images that weigh ``share * weight`` each: a class weight stays
        with its class. Where all weigh the same, targets mix as pixels do.
    """
    if len(images) < 2 or not mixes(params):
        return images, targets, weights
    random = generator(seed, "mix")
    methods = [name for name in ("mixup", "cutmix") if getattr(params, name)]
    method = methods[random.integers(len(methods))]
    alpha = getattr(params, method)
    partners = random.permutation(len(images))
    share = random.beta(alpha, alpha, len(images))
    mask = share[:, None, None, None].astype(np.float32)
    if method == "cutmix":
        size = images.shape[1]
        centres = random.integers(size, size=(len(images), 2))
        mask = keep_outside(centres, np.sqrt(1 - share) * size, size)[..., None].astype(np.float32)
    kept = mask.mean((1, 2), dtype=np.float64)
    own, other = kept * weights[:, None], (1 - kept) * weights[partners, None]
    mixed_targets = (own * targets + other * targets[partners]) / (own + other)
    mixed = mask * images + (1 - mask) * images[partners]
    return mixed, mixed_targets.astype(np.float32), (own + other)[:, 0].astype(np.float32)


def keep_outside(centres: NDArray[np.int64], sides: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    """Which pixels lie outside a square of each image; what reaches beyond the edge is cut off.

    Parameters
    ----------
    centres : ndarray of shape (n_images, 2), int64
        Row and column, in pixels.
    sides : ndarray of shape (n_images,), float64
        In pixels; rounded down to whole ones.
    size : int
        Of an image, in pixels.

    Returns
    -------
    ndarray of shape (n_images, size, size), bool
    """
    whole = sides.astype(np.int64)[:, None]
    first = centres - whole // 2
    pixels = np.arange(size)
    rows, columns = np.moveaxis((pixels >= first[..., None]) & (pixels < (first + whole)[..., None]), 1, 0)
    return ~(rows[:, :, None] & columns[:, None, :])
