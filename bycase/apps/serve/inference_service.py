"""Images in, predictions out: what the page and the API both show."""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.apps.classifier.info import ClassifierInfo
from bycase.apps.serve.limits import MEGABYTE, Limits, RefusedError, report_defect
from bycase.apps.serve.schema import Model, Prediction
from bycase.explain.overlay import overlay
from bycase.images.decode import FORMATS
from bycase.images.pictures import MAX_PIXELS, PictureError, read_picture

if TYPE_CHECKING:
    from bycase.apps.classifier.classifier import Classifier, Neighbours, Predictions


VIEWS = 4  # quarter turns, over which `low` and `high` are found
NEIGHBOURS = 5

Pixels = NDArray[np.uint8]
Explain = Callable[[Pixels, NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True)
class ImageResult:
    """One image's prediction and what is shown with it.

    Attributes
    ----------
    prediction : Prediction
        Its `heatmap` is None.
    image : ndarray of shape (size, size, 3), uint8
        RGB, as the network saw it.
    heatmap : ndarray of shape (size, size, 3), uint8, or None
        The heatmap of the predicted class, in colours.
    """

    prediction: Prediction
    image: Pixels
    heatmap: Pixels | None


@dataclass(frozen=True)
class ReadImage:
    """An image that could be read: its name here, its file's SHA-256, its pixels and notes on reading it."""

    name: str
    sha256: str
    image: Pixels
    notes: list[str]


class InferenceService:
    """Reads images and predicts them with one network, from one thread, however many requests there are at once.

    Parameters
    ----------
    classifier : Classifier
        The network with its thresholds and training features.
    explain : callable or None
        From images as the network sees them and class numbers to heatmaps; see `bycase.explain.maps.make_explainer`.
    limits : Limits
        How much is accepted.
    """

    def __init__(self, classifier: "Classifier", explain: Explain | None, limits: Limits) -> None:
        self.limits = limits
        self._classifier, self._explain = classifier, explain
        self._thread = ThreadPoolExecutor(1, "network")

    @property
    def model(self) -> Model:
        """What the API says of the network."""
        info = self._classifier.info
        return Model(
            **info.model_dump(include=set(Model.model_fields) & set(ClassifierInfo.model_fields)),
            coverage=info.sets.coverage,
            set_from=info.sets.patient_threshold,
            unlike_from=info.unlike.distance,
            heatmaps=self._explain is not None,
        )

    async def predict(
        self, contents: Sequence[bytes], heatmaps: bool, first: int = 1
    ) -> list[ImageResult | RefusedError]:
        """`predict_files`, without holding up others; a defect is a `RefusedError` too."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self.predict_files, contents, heatmaps, first)
        except RefusedError:
            raise
        except Exception as error:
            raise report_defect(error) from None

    def predict_files(
        self, contents: Sequence[bytes], heatmaps: bool, first: int = 1
    ) -> list[ImageResult | RefusedError]:
        """Predict each image file, or say why not; one result each, in order.

        Parameters
        ----------
        contents : sequence of bytes
            Image files.
        heatmaps : bool
            Whether to find out where the network looked, where it can.
        first : int
            The number of the first image, by which it is named.

        Raises
        ------
        RefusedError
            If there are no files, or too many.
        """
        if not contents:
            raise RefusedError(422, "no_images", "no image was sent; send one or more as form fields named 'images'")
        if len(contents) > self.limits.images:
            raise RefusedError(413, "too_many_images", f"more than {self.limits.images} images; send fewer at a time")
        read = [self._read(content, name_image(number)) for number, content in enumerate(contents, first)]
        results = iter(self._predict([each for each in read if isinstance(each, ReadImage)], heatmaps))
        return [next(results) if isinstance(each, ReadImage) else each for each in read]

    def _read(self, content: bytes, name: str) -> ReadImage | RefusedError:
        if len(content) > self.limits.image_bytes:
            most = f"{self.limits.image_bytes / MEGABYTE:g} MB"
            return RefusedError(413, "image_too_large", f"{name}: more than {most}; send a smaller file")
        if _count_pixels(content) > self.limits.pixels:
            most = f"{self.limits.pixels / 1e6:g} megapixels"
            return RefusedError(413, "too_many_pixels", f"{name}: more than {most}; send a smaller image")
        try:
            picture = read_picture(content, self._classifier.pixel_ranges)
        except PictureError as error:
            # Pillow's own words, in brackets, could repeat something of the file.
            reason = str(error).split(" (")[0]
            return RefusedError(422, "unreadable", f"{name}: {reason}; save it anew as PNG or JPEG")
        image = self._classifier.prepare(picture.image)
        return ReadImage(name, hashlib.sha256(content).hexdigest(), image, picture.notes)

    def _predict(self, read: Sequence[ReadImage], heatmaps: bool) -> list[ImageResult]:
        if not read:
            return []
        prepared = np.stack([each.image for each in read])
        predictions = self._classifier.predict_prepared(prepared, views=VIEWS)
        near = self._classifier.nearest(predictions.features, NEIGHBOURS)
        shown: Sequence[Pixels | None] = [None] * len(read)
        if heatmaps and self._explain is not None:
            shown = list(overlay(prepared, self._explain(prepared, predictions.predicted), opacity=1.0))
        classes = self._classifier.info.classes
        return [
            ImageResult(_make_prediction(each, row, classes, predictions, near), each.image, shown[row])
            for row, each in enumerate(read)
        ]


def _make_prediction(
    read: ReadImage, row: int, classes: Sequence[str], predictions: "Predictions", near: "Neighbours"
) -> Prediction:
    """The prediction for the image of one row."""
    # Several views were asked for.
    assert predictions.low is not None
    assert predictions.high is not None
    similar = zip(near.images[row], near.labels[row], near.distances[row].tolist(), strict=True)
    return Prediction.model_validate(
        {
            "image": read.name,
            "sha256": read.sha256,
            "class": classes[predictions.predicted[row]],
            "probabilities": dict(zip(classes, predictions.probabilities[row].tolist(), strict=True)),
            "low": predictions.low[row],
            "high": predictions.high[row],
            "set": [name for name, held in zip(classes, predictions.sets[row], strict=True) if held],
            "entropy": predictions.entropy[row],
            "distance": predictions.distance[row],
            "unlike": bool(predictions.unlike[row]),
            "similar": [{"image": image, "label": label, "distance": distance} for image, label, distance in similar],
            "notes": read.notes,
        }
    )


def _count_pixels(content: bytes) -> int:
    """What the header says; 0 where it cannot be read, which `read_picture` then says."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            return image.width * image.height
    except Image.DecompressionBombError:
        return 2 * MAX_PIXELS
    # Pillow's readers raise nearly anything on a damaged file.
    except Exception:
        return 0


def name_image(number: int) -> str:
    """The name of an image; its file's name may hold a patient's, and is never used."""
    return f"image {number}"


def data_uri(image: Pixels) -> str:
    """An image as a PNG in a ``data:`` URI; nothing of the file that was sent but its pixels is in it."""
    written = BytesIO()
    Image.fromarray(image).save(written, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
