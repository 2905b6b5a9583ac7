"""Images of which one is the other turned or mirrored: perceptual hashes of all eight orientations of the square."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.datasets.pairs import HASHES_AT_A_TIME, Pairs, collect_pairs

SIDE = 32  # pixels, of which a perceptual hash is made
LOW = 8  # frequencies in each direction that it keeps
ORIENTATIONS = 8
PAIRS_AT_A_TIME = 4096
# Least correlation of two thumbnails in one orientation: hashes of round spots agree by chance. Turned images that were
# saved as JPEG of quality 75 correlate by 0.998 and more (20 images in 3 orientations, of BreakHis, BUSI and HAM10000
# each, at 224 pixels).
CORRELATION = 0.995

Thumbnails = NDArray[np.uint8]


def make_thumbnail(pixels: NDArray[np.uint8]) -> Thumbnails:
    """Grey values (`SIDE`, `SIDE`), uint8, of an RGB image (height, width, 3)."""
    grey = Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(grey)


def orient(thumbnails: Thumbnails, number: int) -> Thumbnails:
    """Thumbnails (n, side, side), turned by `number` % 4 quarters; from number 4 up mirrored before."""
    mirrored = thumbnails if number < 4 else thumbnails[:, :, ::-1]
    return np.rot90(mirrored, number % 4, axes=(1, 2))


def hash_thumbnails(thumbnails: Thumbnails) -> NDArray[np.uint8]:
    """Perceptual hashes of thumbnails (n, `SIDE`, `SIDE`), as ImageHash has them; (n, 8), uint8, 64 bits each."""
    from scipy.fft import dctn

    low = dctn(thumbnails.astype(np.float64), axes=(1, 2))[:, :LOW, :LOW].reshape(len(thumbnails), -1)
    return np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)


def turned_pairs(thumbnails: Thumbnails, distance: int) -> Pairs:
    """All pairs that are alike when one image is turned or mirrored, with the bits in which their hashes differ.

    Parameters
    ----------
    thumbnails : ndarray of shape (n_images, `SIDE`, `SIDE`), uint8
        See `make_thumbnail`.
    distance : int
        Most bits, 0 to 64.

    Raises
    ------
    TooManyPairsError
        If there are more than `bycase.datasets.pairs.MOST_PAIRS`.
    """
    return collect_pairs(_search(thumbnails, distance))


def _search(thumbnails: Thumbnails, distance: int) -> Iterator[Pairs]:
    import faiss

    index = faiss.IndexBinaryFlat(LOW * LOW)
    index.add(hash_thumbnails(thumbnails))
    for start in range(0, len(thumbnails), HASHES_AT_A_TIME):
        chunk = thumbnails[start : start + HASHES_AT_A_TIME]
        for number in range(1, ORIENTATIONS):
            turned = orient(chunk, number)
            limits, apart, second = index.range_search(hash_thumbnails(turned), distance + 1)
            row = np.repeat(np.arange(len(chunk)), np.diff(limits.astype(np.int64)))
            other = row + start != second
            row, second, apart = row[other], second[other], apart[other]
            for begin in range(0, len(row), PAIRS_AT_A_TIME):
                part = slice(begin, begin + PAIRS_AT_A_TIME)
                alike = _correlate(turned[row[part]], thumbnails[second[part]]) >= CORRELATION
                first, last = np.sort([row[part][alike] + start, second[part][alike]], axis=0)
                yield first, last, apart[part][alike].astype(np.float64)


def _correlate(one: Thumbnails, other: Thumbnails) -> NDArray[np.float64]:
    """Pearson's correlation of each pair of thumbnails; 0 where one has a single grey value."""
    a, b = (each.reshape(len(each), SIDE * SIDE).astype(np.float64) for each in (one, other))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    lengths = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(lengths > 0, lengths, 1), np.float64)
