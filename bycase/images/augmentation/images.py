"""Random changes of single images: geometry first, then colour.

Geometry comes first because contrast is measured on what is left of an image after cropping. Among colours the
stain comes first, as in the laboratory; brightness and contrast follow, as in the scanner; RandAugment, whose
operations expect a finished photograph, comes last.
"""

import numpy as np
from numpy.typing import NDArray

from bycase.core.params_training import AugmentParams
from bycase.core.seeding import generator
from bycase.images.augmentation.colour import jitter_brightness, jitter_contrast
from bycase.images.augmentation.geometry import transform
from bycase.images.augmentation.rand_augment import rand_augment
from bycase.images.augmentation.stain import jitter_stain


def augment(images: NDArray[np.uint8], params: AugmentParams, seed: int) -> NDArray[np.float32]:
    """Change a batch of images at random, each in its own way.

    Neither reads nor writes any global random state, so that a background thread may call it.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    params : AugmentParams
        Which changes, and how strong; `mixup` and `cutmix` are another module's, `mixing`.
    seed : int
        The same seed and batch give the same result, whatever the backend of Keras.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    """
    batch = transform(images, params, generator(seed, "geometry"))
    if params.stain_jitter:
        batch = jitter_stain(batch, params.stain_jitter, generator(seed, "stain"))
    if params.brightness:
        batch = jitter_brightness(batch, params.brightness, generator(seed, "brightness"))
    if params.contrast:
        batch = jitter_contrast(batch, params.contrast, generator(seed, "contrast"))
    if params.rand_augment:
        batch = rand_augment(batch, params.rand_augment, generator(seed, "rand_augment"))
    return batch


def per_image(params: AugmentParams) -> bool:
    """Whether `augment` changes anything; mixing images with one another does not count."""
    return (
        params.flip != "none"
        or params.crop < 1
        or any(
            (params.rotation, params.zoom, params.brightness, params.contrast, params.stain_jitter, params.rand_augment)
        )
    )
