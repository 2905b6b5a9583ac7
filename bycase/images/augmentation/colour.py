"""Brightness and contrast, as Keras' RandomBrightness and RandomContrast define them."""

import numpy as np
from numpy.typing import NDArray

WHITE = 255.0


def jitter_brightness(images: NDArray[np.float32], strength: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Make each image lighter or darker by up to a share of the range.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    strength : float
        Every value is shifted by the same U(-strength, strength) of 255, then clipped.
    random : Generator
        One number an image is drawn from it.
    """
    shift = WHITE * random.uniform(-strength, strength, (len(images), 1, 1, 1)).astype(np.float32)
    return np.clip(images + shift, 0, WHITE)


def jitter_contrast(images: NDArray[np.float32], strength: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Stretch or squeeze each image's values about the mean of each channel.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    strength : float
        Distances from the mean are multiplied by U(1 - strength, 1 + strength), then values are clipped.
    random : Generator
        One number an image is drawn from it.
    """
    factor = random.uniform(1 - strength, 1 + strength, (len(images), 1, 1, 1)).astype(np.float32)
    mean = images.mean(1, keepdims=True).mean(2, keepdims=True)
    return np.clip(images * factor + mean * (1 - factor), 0, WHITE)
