"""Reading what restructuring and preprocessing wrote: batches of RGB images as arrays."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.core.errors import UserError
from bycase.tables.manifest import PREPROCESSED


def read_pixels(images: Sequence[str], folder: Path = PREPROCESSED) -> NDArray[np.uint8]:
    """Read images that all have one size.

    Parameters
    ----------
    images : sequence of str
        Paths below `folder`, as in the manifest.
    folder : Path
        ``data/preprocessed``, which networks see, or ``data/restructured``.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), uint8
        RGB in [0, 255].

    Raises
    ------
    UserError
        If one is missing or damaged.
    """
    with ThreadPoolExecutor(4) as pool:
        return np.stack(list(pool.map(lambda image: _read(folder / image), images)))


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise UserError(f"{path} cannot be read ({error}); run 'dvc repro -f restructure preprocess'") from None
