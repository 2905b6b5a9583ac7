"""Colours of the restructured images."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BATCH = 256  # images in memory at a time

ReadPixels = Callable[[Sequence[str]], NDArray[np.uint8]]


def colour_sums(images: Sequence[str], read: ReadPixels) -> NDArray[np.float64]:
    """Mean and mean square of every image's channels.

    Parameters
    ----------
    images : sequence of str
        As in the manifest.
    read : callable
        Gives an array of shape (n_images, size, size, 3), uint8; see `bycase.images.pixels`.

    Returns
    -------
    ndarray of shape (n_images, 2, 3), float64
        Over the pixels of each image; red, green, blue.
    """
    sums = [np.zeros((0, 2, 3))]
    for start in range(0, len(images), BATCH):
        pixels = read(images[start : start + BATCH])
        sums.append(np.stack([_channel_means(image) for image in pixels]))
    return np.concatenate(sums)


def colour_table(sums: NDArray[np.float64], labels: "pd.Series[str]") -> pd.DataFrame:
    """Colour statistics of all images and of each class.

    Parameters
    ----------
    sums : ndarray of shape (n_images, 2, 3)
        See `colour_sums`; all images have the same number of pixels.
    labels : Series of str
        Each image's class.

    Returns
    -------
    DataFrame with the columns ``class``, ``mean``, ``pixels_sd``, ``images_sd``
        Each statistic a tuple of red, green and blue, in [0, 255]. ``pixels_sd`` is the standard
        deviation over all pixels, ``images_sd`` that of the images' means: how far light and stain
        differ from image to image.
    """
    selections = {"all": np.ones(len(labels), bool)} | {
        str(label): (labels == label).to_numpy(bool) for label in sorted(set(labels))
    }
    rows = []
    for name, selection in selections.items():
        mean, square = sums[selection].mean(axis=0)
        # The difference may be a little below 0 where an image has one colour.
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        statistics = {"mean": mean, "pixels_sd": spread, "images_sd": sums[selection, 0].std(axis=0)}
        rows.append({"class": name} | {key: tuple(value.tolist()) for key, value in statistics.items()})
    return pd.DataFrame(rows)


def _channel_means(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = image.reshape(-1, 3).astype(np.int64)
    means: NDArray[np.float64] = np.stack([values.sum(axis=0), (values**2).sum(axis=0)]) / len(values)
    return means
