"""Images in which there is nothing to see, as the network would get them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DARK, LIGHT = 32, 223  # grey values
BUT = 0.5  # % of the pixels, which may differ: a label, a dead pixel
FLAT = 1.0  # grey value, by which pixels of one colour differ from their median
REPEATED = 0.95  # share of rows, or of columns, which are the one before

WORDS = {
    "constant": "of one colour",
    "flat": "nearly of one colour",
    "black": "nearly black",
    "white": "nearly white",
    "repeated": "one row or column repeated over",
}


def find_blank(image: Image.Image) -> str:
    """One of the `WORDS`, or an empty text where there is something to see in an RGB image.

    An image is nearly black, white or of one colour if all but `BUT` % of its pixels are, and ``repeated`` if
    `REPEATED` of its rows or columns are the one before and not of one colour, as where a decoder or a padding repeats
    a border.
    """
    pixels = np.asarray(image)
    if (pixels == pixels[:1, :1]).all():
        return "constant"
    grey = np.asarray(image.convert("L"))
    if np.percentile(grey, 100 - BUT) < DARK:
        return "black"
    if np.percentile(grey, BUT) > LIGHT:
        return "white"
    if (np.abs(grey - np.median(grey)) > FLAT).mean() * 100 <= BUT:
        return "flat"
    return "repeated" if max(_repeated(grey), _repeated(grey.T)) >= REPEATED else ""


def _repeated(grey: NDArray[np.uint8]) -> float:
    """The share of rows that are as the one before, and not of one colour."""
    same = (grey[1:] == grey[:-1]).all(axis=1) & (grey[1:] != grey[1:, :1]).any(axis=1)
    return float(same.mean()) if len(same) else 0.0
