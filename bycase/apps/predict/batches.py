"""Files to predictions, batch by batch and in order; files are read while the network is busy with the batch before."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.apps.classifier.classifier import Classifier, Predictions
from bycase.apps.predict.sources import Entry, Failure, Skipped, Source
from bycase.core.parallel import prefetch
from bycase.images.pictures import Picture, PictureError, read_picture
from bycase.images.ranges import UsedRange

Prepare = Callable[[Image.Image], NDArray[np.uint8]]
Prepared = tuple[str, str, NDArray[np.uint8]]  # name, notes, image
THREADS = 4


@dataclass(frozen=True)
class Batch:
    """What became of some files.

    Attributes
    ----------
    names, notes : list of str
        Of the pictures, in the files' order.
    images : ndarray of shape (n, size, size, 3), uint8
        RGB, prepared for the network.
    failures : list of Failure
        In the files' order.
    skipped : list of str
        Files that are no pictures by their names.
    """

    names: list[str]
    notes: list[str]
    images: NDArray[np.uint8]
    failures: list[Failure]
    skipped: list[str]


PredictedBatch = tuple[Batch, Predictions | None]  # None where no file of the batch is a picture
PredictEntries = Callable[[Iterator[Entry], int], Iterator[PredictedBatch]]  # their number serves to divide the work


def predict_entries(
    classifier: Classifier, entries: Iterator[Entry], views: int = 1, value_range: tuple[float, float] | None = None
) -> Iterator[PredictedBatch]:
    """Predict files in their order, as many at a time as the classifier takes; see `Classifier.predict_prepared`.

    `value_range` is what is black and white in pixels with more than 8 bits, where it is not that of the training
    images.
    """
    ranges = classifier.pixel_ranges
    if value_range is not None:
        ranges |= dict.fromkeys(("integer", "float"), UsedRange(*value_range, "given"))
    for batch in prepare_batches(entries, classifier.prepare, classifier.batch_size, ranges):
        yield batch, classifier.predict_prepared(batch.images, views) if batch.names else None


def prepare_batches(
    entries: Iterator[Entry], prepare: Prepare, batch_size: int, ranges: Mapping[str, UsedRange] | None = None
) -> Iterator[Batch]:
    """Read, decode and prepare files, `batch_size` at a time; runs ahead by no more than two batches."""

    def batches() -> Iterator[Batch]:
        with ThreadPoolExecutor(THREADS) as pool:
            while portion := list(islice(entries, batch_size)):
                yield _collect(list(pool.map(lambda entry: _prepare(entry, prepare, ranges), portion)))

    return prefetch(batches())


def _prepare(entry: Entry, prepare: Prepare, ranges: Mapping[str, UsedRange] | None) -> Prepared | Failure | Skipped:
    if not isinstance(entry, Source):
        return entry
    try:
        picture: Picture = read_picture(entry.read(), ranges)
        return entry.name, "; ".join(picture.notes), prepare(picture.image)
    except PictureError as error:
        return Failure(entry.name, str(error))
    except OSError as error:
        return Failure(entry.name, error.strerror or str(error))
    except MemoryError:
        return Failure(entry.name, "too large for the memory")


def _collect(results: list[Prepared | Failure | Skipped]) -> Batch:
    pictures = [result for result in results if isinstance(result, tuple)]
    names, notes, images = zip(*pictures, strict=True) if pictures else ((), (), ())
    return Batch(
        names=list(names),
        notes=list(notes),
        images=np.stack(images) if pictures else np.zeros((0, 0, 0, 3), np.uint8),
        failures=[result for result in results if isinstance(result, Failure)],
        skipped=[result.name for result in results if isinstance(result, Skipped)],
    )
