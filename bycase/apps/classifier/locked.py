"""A classifier on whole folders of images, with all that it decides by as it was written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from bycase.apps.classifier.classifier import Classifier
from bycase.apps.classifier.info import ClassifierInfo
from bycase.images.pixels import read_pixels
from bycase.statistics.conformal import make_sets
from bycase.statistics.external import Locked, Sample
from bycase.statistics.units import Bools, Floats, image_units

AT_ONCE = 256  # images in memory


def run_folder(
    classifier: Classifier, images: Sequence[str], folder: Path, prepared: bool, label: str
) -> tuple[Floats, Bools]:
    """Predict images that all have the classifier's size.

    Parameters
    ----------
    classifier : Classifier
        Of a classifier file.
    images : sequence of str
        Paths below `folder`.
    folder : Path
        ``data/preprocessed``, or another folder of restructured images.
    prepared : bool
        Whether they are preprocessed already, as by `Classifier.prepare`.
    label : str
        Said beside the progress bar, which is drawn on a terminal only.

    Returns
    -------
    scores : ndarray of shape (n_images, n_classes), float64, in [0, 1]
        The network's own probabilities.
    unlike : ndarray of shape (n_images,), bool
        Whether each is flagged as unlike the training images.
    """
    scores, unlike = [], []
    with tqdm(total=len(images), desc=label, unit="image", disable=None, leave=False) as bar:
        for start in range(0, len(images), AT_ONCE):
            pixels = read_pixels(images[start : start + AT_ONCE], folder)
            predictions = classifier.predict_prepared(pixels) if prepared else classifier.predict(pixels)
            scores.append(predictions.scores)
            unlike.append(predictions.unlike)
            bar.update(len(pixels))
    return np.concatenate(scores), np.concatenate(unlike)


def lock(info: ClassifierInfo, metrics: Mapping[str, Any]) -> Locked:
    """What a classifier decides by, and the operating points of ``metrics/metrics.json``, chosen with it."""
    levels = {"image": info.image, "patient": info.patient}
    return Locked(
        thresholds={level: each.threshold for level, each in levels.items()},
        temperatures={level: each.temperature for level, each in levels.items()},
        points={
            level: {name: point["threshold"] for name, point in metrics[level].get("operating_points", {}).items()}
            for level in levels
        },
        coverage=info.sets.coverage,
        pooling=info.pooling,
    )


def make_sample(
    info: ClassifierInfo, predictions: pd.DataFrame, manifest: pd.DataFrame, unlike: Bools, name: Path
) -> Sample:
    """What the classifier says of images whose predictions and flags are known; `name` is said in errors."""
    images = image_units(predictions, manifest, info.classes, info.positive, name)
    thresholds = {"image": info.sets.image_threshold, "patient": info.sets.patient_threshold}
    return Sample(images, {level: make_sets(images.scores, least) for level, least in thresholds.items()}, unlike)
