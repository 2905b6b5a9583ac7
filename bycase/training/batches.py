"""Training images in batches, of cached features or of augmented images; the order follows from the epoch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray
from tqdm import tqdm

from bycase.core.parallel import map_in_threads
from bycase.core.params_training import AugmentParams
from bycase.core.rows import RowFile
from bycase.core.seeding import derive_seed, generator
from bycase.images.augmentation.images import augment
from bycase.images.augmentation.mixing import mix
from bycase.images.pixels import read_pixels
from bycase.training.sampling import UNIFORM, draw_images
from bycase.training.subsets import Subset

PIXELS = Path("data/checkpoints/pixels.npy")
DECODED_AT_A_TIME = 64


def decode_once(images: Sequence[str], size: int, path: Path = PIXELS) -> RowFile:
    """Decode images into one file of pixels, uint8 RGB (n_images, size, size, 3): 150 kB an image at 224 pixels.

    Parameters
    ----------
    images : sequence of str
        Paths below ``data/preprocessed``, in the order of the rows.
    size : int
        Side of the images, in pixels.
    path : Path
        Written anew; whoever trains deletes it in the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written as a stream: the pages of a memory map would count as memory until it is closed.
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), size, size, 3)}
    # Under its own name: nothing reads it but this run, and a killed one leaves no second file.
    with path.open("wb") as file:
        write_array_header_1_0(file, header)
        for start in tqdm(range(0, len(images), DECODED_AT_A_TIME), desc="decode", disable=None, leave=False):
            file.write(read_pixels(images[start : start + DECODED_AT_A_TIME]).tobytes())
    return RowFile(path)


Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def feature_batches(
    features: RowFile,
    rows: NDArray[np.intp],
    train: Subset,
    batch_size: int,
    seed: int,
    epoch: int,
    sampling: str = UNIFORM,
) -> Iterator[Batch]:
    """The training images that `draw_images` draws, each by one of its views drawn at random.

    Parameters
    ----------
    features : RowFile
        Of all images, float32 (n_images, n_views, n_features).
    rows : ndarray of shape (n_training_images,)
        Where the training images are in `features`.
    train : Subset
        Its targets, weights and units.
    batch_size, seed, epoch : int
        Seed and epoch decide order and views.
    sampling : str
        See `bycase.training.sampling.draw_images`.

    Returns
    -------
    iterator of tuple
        Features (n, n_features), targets (n, width) and weights (n,), all float32.
    """
    random = generator(seed, "head", epoch)
    order = draw_images(train.y, train.unit, sampling, random)
    view = random.integers(0, features.shape[1], len(rows))

    def make(start: int) -> Batch:
        chosen = order[start : start + batch_size]
        views = features.read(rows[chosen])
        return views[np.arange(len(chosen)), view[chosen]], train.targets[chosen], train.weights[chosen]

    return map_in_threads(make, range(0, len(rows), batch_size), workers=1)


def image_batches(
    pixels: RowFile,
    train: Subset,
    params: AugmentParams,
    batch_size: int,
    seed: int,
    epoch: int,
    sampling: str = UNIFORM,
    workers: int | None = None,
) -> Iterator[Batch]:
    """The training images that `draw_images` draws, augmented anew; parameters as in `feature_batches`.

    What does not fill the last batch is left out, other images in every epoch: a batch of another length
    would be traced or compiled anew.

    Parameters
    ----------
    pixels : RowFile
        uint8 RGB (n, size, size, 3), the training images first, in the subset's order.
    workers : int, optional
        Threads that make batches; all cores where left out. The batches are the same whatever their number.

    Returns
    -------
    iterator of tuple
        Images (n, size, size, 3) in [0, 255], targets (n, width) and weights (n,), all float32.
    """
    order = draw_images(train.y, train.unit, sampling, generator(seed, "images", epoch))

    def make(start: int) -> Batch:
        chosen = order[start : start + batch_size]
        own_seed = derive_seed(seed, "augment", epoch, start)
        images = augment(pixels.read(chosen), params, own_seed)
        return mix(images, train.targets[chosen], train.weights[chosen], params, derive_seed(own_seed, "mix"))

    starts = range(0, batch_size * steps_per_epoch(len(order), batch_size), batch_size)
    return map_in_threads(make, starts, workers)


def steps_per_epoch(n_images: int, batch_size: int) -> int:
    """Full batches in an epoch of images; at least one, which may be short."""
    return max(n_images // batch_size, 1)
