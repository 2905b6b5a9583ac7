"""Files to batches of prepared images, in order, while the network is busy with the batch before."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.apps.predict.found import Failure, Found, Skipped, Source
from bycase.core.parallel import prefetch
from bycase.images.pictures import Picture, PictureError, read_picture

Prepare = Callable[[Image.Image], NDArray[np.uint8]]
THREADS = 4


@dataclass(frozen=True)
class Batch:
    """What became of some files.

    Attributes
    ----------
    names, notes : list of str
        Of the pictures, in the files' order.
    images : ndarray of shape (n, size, size, 3), uint8
        As the network wants them.
    failures : list of Failure
        In the files' order.
    n_skipped : int
        Files that are no pictures by their names.
    """

    names: list[str]
    notes: list[str]
    images: NDArray[np.uint8]
    failures: list[Failure]
    n_skipped: int


def prepare_batches(found: Iterator[Found], prepare: Prepare, batch_size: int) -> Iterator[Batch]:
    """Read, decode and prepare files.

    Parameters
    ----------
    found : iterator
        Of `bycase.apps.predict.sources.find_sources`; not run ahead of by more than two batches.
    prepare : callable
        From an RGB image to (size, size, 3), uint8.
    batch_size : int
        Files of a batch; pictures are as many or fewer.
    """

    def batches() -> Iterator[Batch]:
        with ThreadPoolExecutor(THREADS) as pool:
            while some := list(islice(found, batch_size)):
                yield _collect(list(pool.map(lambda one: _prepare(one, prepare), some)))

    return prefetch(batches())


def _prepare(found: Found, prepare: Prepare) -> tuple[str, str, NDArray[np.uint8]] | Failure | Skipped:
    if not isinstance(found, Source):
        return found
    try:
        picture: Picture = read_picture(found.read())
        return found.name, "; ".join(picture.notes), prepare(picture.image)
    except PictureError as error:
        return Failure(found.name, str(error))
    except OSError as error:
        return Failure(found.name, error.strerror or str(error))
    except MemoryError:
        return Failure(found.name, "too large for the memory")


def _collect(results: list[tuple[str, str, NDArray[np.uint8]] | Failure | Skipped]) -> Batch:
    pictures = [one for one in results if isinstance(one, tuple)]
    names, notes, images = zip(*pictures, strict=True) if pictures else ((), (), ())
    return Batch(
        names=list(names),
        notes=list(notes),
        images=np.stack(images) if pictures else np.zeros((0, 0, 0, 3), np.uint8),
        failures=[one for one in results if isinstance(one, Failure)],
        n_skipped=sum(isinstance(one, Skipped) for one in results),
    )
