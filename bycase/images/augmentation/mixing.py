"""MixUp and CutMix: images of a batch mixed with one another, and their targets with them."""

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
    """Mix the images of a batch with one another; a batch of one stays as it is.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    targets : ndarray of shape (n_images, n_outputs), float32
        One-hot classes, or one column with the positive class as 1.
    weights : ndarray of shape (n_images,), float32
        How much each image counts; above 0.
    params : AugmentParams
        `mixup` and `cutmix`, the alphas; where both are on, one of them is drawn for the batch.
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
    choices = [name for name in ("mixup", "cutmix") if getattr(params, name)]
    name = choices[random.integers(len(choices))]
    # Planes that are mixed as the images are show the shares: keras-cv's CutMix reckons its labels as if no
    # rectangle reached beyond the edge.
    planes = np.column_stack([targets * weights[:, None], weights]).astype(np.float32)
    spread = np.broadcast_to(planes[:, None, None], (*images.shape[:3], planes.shape[1]))
    images, spread = _mixed(images, spread, name, getattr(params, name), int(random.integers(2**31)))
    means = spread.mean((1, 2), dtype=np.float64).astype(np.float32)
    return images, means[:, :-1] / means[:, -1:], means[:, -1]


def _mixed(
    images: NDArray[np.float32], planes: NDArray[np.float32], name: str, alpha: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mix images and planes alike."""
    import keras_cv
    import tensorflow as tf

    kind = {"mixup": keras_cv.layers.MixUp, "cutmix": keras_cv.layers.CutMix}[name]
    # Both layers draw from the seed of the graph that they are in: in one of their own, training in another thread
    # neither disturbs them nor is disturbed.
    with tf.Graph().as_default() as graph, tf.device("CPU:0"):
        tf.compat.v1.set_random_seed(seed)
        layer = kind(alpha=alpha, seed=seed, dtype="float32")
        batch = [tf.compat.v1.placeholder(tf.float32, each.shape) for each in (images, planes)]
        mixed = layer(dict(zip(("images", "segmentation_masks"), batch, strict=True)))
        with tf.compat.v1.Session(graph=graph) as session:
            result = session.run(mixed, dict(zip(batch, (images, planes), strict=True)))
    return result["images"], result["segmentation_masks"]
