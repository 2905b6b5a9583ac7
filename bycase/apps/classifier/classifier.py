"""The classifier of one file: from pictures of any size to calibrated probabilities, decisions and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bycase.apps.classifier import BATCH_SIZE, CLASSIFIER
from bycase.apps.classifier.archive import Parts, read_parts
from bycase.apps.classifier.info import ClassifierInfo
from bycase.apps.classifier.network import open_network, split_outputs, with_features
from bycase.apps.classifier.reference import Reference
from bycase.core.errors import UserError
from bycase.core.params_data import PreprocessParams
from bycase.core.seeding import make_deterministic
from bycase.images.convert import resize
from bycase.images.preprocess import Steps, apply_steps
from bycase.images.ranges import UsedRange
from bycase.networks.forward import Forward, frozen_forward
from bycase.networks.repeated import turn
from bycase.statistics.conformal import make_sets
from bycase.statistics.uncertainty.members import combine_members
from bycase.statistics.units import Bools, Floats, Integers

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Predictions:
    """What the classifier predicts for images.

    Attributes
    ----------
    scores : ndarray of shape (n, n_classes), float64, in [0, 1]
        The network's own probabilities, as in ``data/predictions``.
    probabilities : ndarray of shape (n, n_classes), float64, in [0, 1]
        The same, calibrated.
    predicted : ndarray of shape (n,), int64, in [0, n_classes)
        The class that is decided for.
    sets, image_sets : ndarray of shape (n, n_classes), bool
        Conformal prediction sets, calibrated by patients and by images.
    entropy : ndarray of shape (n,), float64
        Of the calibrated probabilities, in nats.
    distance : ndarray of shape (n,), float64, in [0, 2]
        From the training images; see `bycase.apps.classifier.reference`.
    unlike : ndarray of shape (n,), bool
        Whether that is more than the classifier knows.
    features : ndarray of shape (n, n_features), float32
        What the network's head gets.
    low, high : ndarray of shape (n,), float64, in [0, 1], or None
        With several views, the smallest and the largest calibrated probability over them: of two classes of the
        positive one, else of the predicted class.
    disagreement : ndarray of shape (n,), float64, or None
        With several views, the mutual information of prediction and view, in nats.
    """

    scores: Floats
    probabilities: Floats
    predicted: Integers
    sets: Bools
    image_sets: Bools
    entropy: Floats
    distance: Floats
    unlike: Bools
    features: NDArray[np.float32]
    low: Floats | None = None
    high: Floats | None = None
    disagreement: Floats | None = None


@dataclass(frozen=True)
class Neighbours:
    """The nearest training images of each image, the nearest first.

    Attributes
    ----------
    images, labels : list of list of str
        Names as in the manifest, and their classes.
    distances : ndarray of shape (n, k), float64, in [0, 2]
    """

    images: list[list[str]]
    labels: list[list[str]]
    distances: Floats


@dataclass(frozen=True)
class Classifier:
    """A network with all that belongs to it.

    Attributes
    ----------
    info : ClassifierInfo
        What goes in, what comes out, and how it becomes a decision.
    reference : Reference
        The training images in feature space.
    forward : callable
        From prepared RGB in [0, 255], float32 (n, size, size, 3), n at most `batch_size`, to the outputs of
        `bycase.apps.classifier.network.with_features`.
    batch_size : int
        Images in the network at a time.
    network : keras.Model or None
        For maps of what the network looks at; None in another runtime.
    """

    info: ClassifierInfo
    reference: Reference
    forward: Forward
    batch_size: int
    network: "keras.Model | None" = None

    @property
    def pixel_ranges(self) -> dict[str, UsedRange]:
        """What becomes black and white of each kind of pixels, as of the training images."""
        return {kind: UsedRange(**known.model_dump()) for kind, known in self.info.pixel_ranges.items()}

    def prepare(self, image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring one RGB picture of any size, (height, width, 3), to the size and colours of the training images."""
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        square = np.asarray(resize(picture, self.info.image_size, self.info.resize))
        fitted = self.info.preprocess
        steps = Steps(PreprocessParams(**fitted.model_dump(exclude={"target"})), fitted.target)
        return apply_steps(square, steps)[0]

    def predict(self, images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], views: int = 1) -> Predictions:
        """Predict pictures of any sizes: a sequence of (height, width, 3) uint8 RGB, or one array of them."""
        return self.predict_prepared(np.stack([self.prepare(image) for image in images]), views)

    def predict_prepared(self, images: NDArray[np.uint8], views: int = 1) -> Predictions:
        """Predict images of `prepare`.

        Parameters
        ----------
        images : ndarray of shape (n, size, size, 3), uint8
            At least one.
        views : int, in [1, 8]
            In how many symmetries of the square each is looked at; the decision is that of the image as it is.
        """
        features, scores = self._run(images)
        probabilities = self.info.calibrate(scores, "image")
        predicted = self.info.decide(scores, "image")
        distance = self.reference.distance(features, self.info.unlike.neighbours)
        low = high = disagreement = None
        turned = (self._run(turn(images.astype(np.float32), number))[1] for number in range(1, views))
        members = np.stack([probabilities, *(self.info.calibrate(view, "image") for view in turned)])
        combined = combine_members(members)
        if views > 1:
            explained = np.ones_like(predicted) if self.info.positive else predicted
            by_view = members[:, np.arange(len(predicted)), explained]
            low, high, disagreement = by_view.min(axis=0), by_view.max(axis=0), combined.mutual_information
        return Predictions(
            scores=scores,
            probabilities=probabilities,
            predicted=predicted,
            sets=make_sets(scores, self.info.sets.patient_threshold),
            image_sets=make_sets(scores, self.info.sets.image_threshold),
            entropy=combine_members(probabilities[None]).entropy,
            distance=distance,
            unlike=distance > self.info.unlike.distance,
            features=features,
            low=low,
            high=high,
            disagreement=disagreement,
        )

    def nearest(self, features: NDArray[np.float32], k: int) -> Neighbours:
        """The `k` training images that are nearest to images of these features, (n, n_features)."""
        distances, rows = self.reference.nearest(features, k)
        labels = np.array(self.info.classes)[self.reference.labels[rows]]
        return Neighbours(self.reference.images[rows].tolist(), labels.tolist(), distances)

    def _run(self, images: NDArray[Any]) -> tuple[NDArray[np.float32], Floats]:
        """Features and scores; see `split_outputs`."""
        parts = (images[start : start + self.batch_size] for start in range(0, len(images), self.batch_size))
        outputs = np.concatenate([self.forward(part.astype(np.float32)) for part in parts])
        return split_outputs(outputs, len(self.info.classes))


def load_classifier(
    path: Path = CLASSIFIER, batch_size: int = BATCH_SIZE, forward: Forward | None = None
) -> Classifier:
    """Load a classifier file of `stages.bundle`; no code in it is run.

    Parameters
    ----------
    path : Path
        The file.
    batch_size : int
        Images in the network at a time.
    forward : callable, optional
        The same network in another runtime; see `Classifier`.

    Raises
    ------
    UserError
        If the file is missing, damaged, or its parts do not fit together.
    """
    parts = read_parts(path)
    network = None
    if forward is None:
        make_deterministic(0)
        network = open_network(path)
        _check_fit(path, network, parts.info)
        forward = frozen_forward(with_features(network), batch_size)
    classifier = Classifier(parts.info, parts.reference, forward, batch_size, network)
    _check_outputs(path, classifier, parts)
    return classifier


def _check_fit(path: Path, network: "keras.Model", info: ClassifierInfo) -> None:
    size = info.image_size
    if tuple(network.input_shape[1:]) != (size, size, 3) or "head" not in {layer.name for layer in network.layers}:
        raise UserError(f"{path}: the network is not the one that classifier.json describes; run 'dvc repro bundle'")


def _check_outputs(path: Path, classifier: Classifier, parts: Parts) -> None:
    """Run one black image through, which also moves the slow first batch to the start."""
    size = parts.info.image_size
    outputs = classifier.forward(np.zeros((1, size, size, 3), np.float32))
    n_outputs = 1 if len(parts.info.classes) == 2 else len(parts.info.classes)
    n_features = parts.reference.features.shape[1]
    if outputs.shape == (1, n_outputs):
        raise UserError(f"{path}: the exported network gives no features; export it again: bycase export")
    if outputs.shape != (1, n_features + n_outputs) or not np.isfinite(outputs).all():
        raise UserError(f"{path}: network, classes and reference do not fit together; run 'dvc repro bundle'")
    if parts.reference.labels.min() < 0 or parts.reference.labels.max() >= len(parts.info.classes):
        raise UserError(f"{path}: the reference has labels of no class; run 'dvc repro bundle'")
