"""The features of all images and views, computed in batches into a file that an interruption leaves usable."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.parallel import map_in_threads

Extract = Callable[[NDArray[np.float32]], NDArray[np.float32]]

# Below this spread over images a feature says nothing in single precision.
SMALLEST_SPREAD = 1e-7


class PartialFeatures:
    """An array on disk that is filled batch by batch, and how far it is.

    Parameters
    ----------
    folder : Path
        Where the array and its progress lie; one folder a fingerprint.
    shape : tuple of int
        (n_images, n_views, n_features), float32.
    fingerprint : str
        See `bycase.core.fingerprint`: a partial array of another one is begun anew.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int], fingerprint: str) -> None:
        self.path = folder / "features.npy"
        self.shape = shape
        self._progress = folder / "progress.json"
        self._fingerprint = fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        self.done = self._read_progress()
        if self.done == 0 or not self.path.is_file():
            self.done = 0
            np.lib.format.open_memmap(self.path, "w+", np.float32, shape).flush()

    @property
    def array(self) -> "np.memmap[Any, np.dtype[np.float32]]":
        """The whole array, opened anew each time: what an open memory map has once touched stays in memory."""
        return np.lib.format.open_memmap(self.path, "r+")

    def _read_progress(self) -> int:
        if not self._progress.is_file():
            return 0
        progress = json.loads(self._progress.read_text(encoding="utf-8"))
        return int(progress["done"]) if progress["fingerprint"] == self._fingerprint else 0

    def store(self, start: int, features: NDArray[np.float32]) -> None:
        """Write the features of the images from `start` on, (n, n_views, n_features)."""
        array = self.array
        array[start : start + len(features)] = features
        array.flush()
        self.done = start + len(features)
        write_json(self._progress, {"fingerprint": self._fingerprint, "done": self.done})


def fill(
    partial: PartialFeatures,
    images: list[str],
    read: Callable[[list[str]], NDArray[np.uint8]],
    views: Callable[[NDArray[np.uint8], int], Iterator[NDArray[np.float32]]],
    extract: Extract,
    batch_size: int,
    label: str = "embed",
) -> None:
    """Compute the features that `partial` still lacks.

    Parameters
    ----------
    partial : PartialFeatures
        Filled in place, from its ``done`` on.
    images : list of str
        All images, in order.
    read : callable
        Image names to uint8 RGB (n, size, size, 3); like `views`, it runs in several threads at a time.
    views : callable
        ``views(pixels, start)`` yields the image itself and its augmented copies, float32 in [0, 255].
    extract : callable
        The backbone: float32 RGB (n, size, size, 3) to float32 (n, n_features).
    batch_size : int
        Images at a time.
    label : str
        Said beside the progress bar, which is drawn on a terminal only.
    """

    def make(start: int) -> tuple[int, list[NDArray[np.float32]]]:
        return start, list(views(read(images[start : start + batch_size]), start))

    starts = range(partial.done, len(images), batch_size)
    with tqdm(total=len(images), initial=partial.done, desc=label, disable=None) as bar:
        for start, of_batch in map_in_threads(make, starts):
            partial.store(start, np.stack([extract(view) for view in of_batch], axis=1))
            bar.update(len(of_batch[0]))


def check_spread(features: NDArray[np.float32], model: str, weights: str) -> None:
    """Refuse features that are not finite or the same for every image.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features)
        Of the unchanged images.
    model, weights : str
        For the message.

    Raises
    ------
    UserError
        Since nothing can be learned from them.
    """
    spread = float(features.std(axis=0).max())
    if not np.isfinite(spread) or spread < SMALLEST_SPREAD:
        raise UserError(
            f"features of {model} with {weights} weights do not differ between images (largest spread {spread:.1e}): "
            f"set zoo.{model}.weights to imagenet or a weights file"
        )
