"""The images that training reads in every epoch, decoded once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from stages.common.files import replace_file
from stages.common.rows import RowFile
from stages.restructure.pixels import read_pixels

PIXELS = Path("data/checkpoints/pixels.npy")
BATCH = 64


def decode_once(images: Sequence[str], size: int, path: Path = PIXELS) -> RowFile:
    """Decode images into one file of pixels, 150 kB an image at 224 pixels.

    Parameters
    ----------
    images : sequence of str
        Paths below ``data/preprocessed``, in the order of the rows.
    size : int
        Side of the images, in pixels.
    path : Path
        Written anew; whoever trains deletes it in the end.

    Returns
    -------
    RowFile
        uint8 RGB (n_images, size, size, 3).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as partial:
        pixels = open_memmap(partial, "w+", np.uint8, (len(images), size, size, 3))
        for start in tqdm(range(0, len(images), BATCH), desc="decode", disable=None, leave=False):
            batch = images[start : start + BATCH]
            pixels[start : start + len(batch)] = read_pixels(batch)
        pixels.flush()
        del pixels
    return RowFile(path)
