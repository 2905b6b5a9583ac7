"""The card of a classifier from what the stages before have written, and the check that all of it is of one network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bycase.apps.classifier.info import ClassifierCard, LevelCard, PreprocessCard, SetsCard, UnlikeCard
from bycase.apps.classifier.reference import NEIGHBOURS, QUANTILE
from bycase.core.errors import UserError
from bycase.core.params_data import DatasetParams
from bycase.core.versions import installed_versions
from bycase.images.preprocess import Steps
from bycase.statistics.units import Floats

LIBRARIES = ("keras", "tensorflow", "numpy", "pillow", "opencv-python-headless", "scikit-learn")
TOLERANCE = 1e-4  # the same network in another graph differs by about 1e-7


def assemble_card(
    trained: Mapping[str, Any],
    data: DatasetParams,
    steps: Steps,
    metrics: Mapping[str, Any],
    uncertainty: Mapping[str, Any],
    unlike: UnlikeCard,
) -> ClassifierCard:
    """Put together what a prediction needs beside the network.

    Parameters
    ----------
    trained : mapping
        ``models/model.json``.
    data : DatasetParams
        How the images were made.
    steps : Steps
        What is done to them before the network.
    metrics, uncertainty : mapping
        ``metrics/metrics.json`` and ``metrics/uncertainty.json``.
    unlike : UnlikeCard
        Of `calibrate_distance`.
    """
    calibration, sets = metrics["calibration"], uncertainty["conformal"]
    return ClassifierCard(
        format=1,
        model=trained["model"],
        variant=trained["variant"],
        weights=Path(trained["weights"]).name,
        dataset=trained["dataset"],
        phantom=trained["phantom"],
        layout=data.layout,
        classes=trained["classes"],
        positive=trained["positive"],
        image_size=trained["image_size"],
        resize=data.resize,
        preprocess=PreprocessCard(**steps.params.model_dump(), target=steps.target),
        image=LevelCard(threshold=metrics["image"].get("threshold"), temperature=calibration["temperature"]),
        patient=LevelCard(
            threshold=metrics["patient"].get("threshold"), temperature=calibration["patient"]["temperature"]
        ),
        sets=SetsCard(
            coverage=uncertainty["coverage"],
            image=sets["image"]["conformal_threshold"],
            patient=sets["patient"]["conformal_threshold"],
            n_patients=sets["patient"]["n_calibration"],
        ),
        unlike=unlike,
        versions=installed_versions(LIBRARIES),
    )


def calibrate_distance(validation: Floats, test: Floats) -> UnlikeCard:
    """From which distance an image is flagged, chosen on validation; and how many are, also on test.

    Parameters
    ----------
    validation, test : ndarray of shape (n_images,), float64, in [0, 2]
        Distances from the training images; see `bycase.apps.classifier.reference`.
    """
    limit = float(np.quantile(validation, QUANTILE))
    return UnlikeCard(
        neighbours=NEIGHBOURS,
        quantile=QUANTILE,
        distance=limit,
        validation_flagged=float((validation > limit).mean()),
        test_flagged=float((test > limit).mean()),
    )


def check_scores(name: Path, found: Floats, stored: Floats) -> None:
    """Refuse a network that does not give the stored predictions, from which thresholds and temperatures come.

    Parameters
    ----------
    name : Path
        The stored predictions' file.
    found, stored : ndarray of shape (n_images, n_classes), float64, in [0, 1]
        What the network gives for the same images now, and what the file says.

    Raises
    ------
    UserError
        If they differ by more than `TOLERANCE`.
    """
    difference = float(np.abs(found - stored).max())
    if not difference <= TOLERANCE:  # so that NaN fails too
        raise UserError(
            f"{name} is not of models/model.keras (probabilities differ by {difference:.2g}); run 'dvc repro evaluate'"
        )
