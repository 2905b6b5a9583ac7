"""`classifier.json` from what earlier stages have written, and the check that all of it is of one network."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bycase.apps.classifier.info import (
    VERSION,
    ClassifierInfo,
    LevelInfo,
    PreprocessInfo,
    RangeInfo,
    SetsInfo,
    UnlikeInfo,
)
from bycase.apps.classifier.patients import describe_patients
from bycase.apps.classifier.reference import NEIGHBOURS, QUANTILE
from bycase.core.errors import UserError
from bycase.core.params_data import DatasetParams
from bycase.core.versions import installed_versions
from bycase.images.preprocess import Steps
from bycase.statistics.pooling import pooling_of
from bycase.statistics.units import Floats

LIBRARIES = ("keras", "tensorflow", "numpy", "pillow", "opencv-python-headless", "scikit-learn")
TOLERANCE = 1e-4  # the same network in another graph differs by about 1e-7


def assemble_info(
    trained: Mapping[str, Any],
    data: DatasetParams,
    steps: Steps,
    metrics: Mapping[str, Any],
    uncertainty: Mapping[str, Any],
    unlike: UnlikeInfo,
    restructured: Mapping[str, Any],
    sources: Iterable[str],
) -> ClassifierInfo:
    """Put together what a prediction needs beside the network.

    `trained` is ``models/model.json``; `metrics`, `uncertainty` and `restructured` are the JSON files of these names;
    `sources` are the training images' paths below the raw folder.
    """
    calibration, sets = metrics["calibration"], uncertainty["conformal"]
    return ClassifierInfo(
        version=VERSION,
        model=trained["model"],
        variant=trained["variant"],
        weights=Path(trained["weights"]).name,
        dataset=trained["dataset"],
        phantom=trained["phantom"],
        layout=data.layout,
        patients=describe_patients(data, sources),
        patients_known=data.names_patient,
        pixel_ranges={
            kind: RangeInfo(**{name: values[name] for name in ("low", "high", "origin")})
            for kind, values in restructured.get("pixel_values", {}).items()
        },
        classes=trained["classes"],
        positive=trained["positive"],
        image_size=trained["image_size"],
        resize=data.resize,
        preprocess=PreprocessInfo(**steps.params.model_dump(), target=steps.target),
        image=LevelInfo(threshold=metrics["image"].get("threshold"), temperature=calibration["temperature"]),
        patient=LevelInfo(
            threshold=metrics["patient"].get("threshold"), temperature=calibration["patient"]["temperature"]
        ),
        aggregation=str(pooling_of(metrics)),
        sets=SetsInfo(
            coverage=uncertainty["coverage"],
            image_threshold=sets["image"]["conformal_threshold"],
            patient_threshold=sets["patient"]["conformal_threshold"],
            n_patients=sets["patient"]["n_calibration"],
        ),
        unlike=unlike,
        versions=installed_versions(LIBRARIES),
    )


def calibrate_distance(validation: Floats, test: Floats) -> UnlikeInfo:
    """From which distance an image is flagged, chosen on validation; and how many are, also on test.

    Parameters
    ----------
    validation, test : ndarray of shape (n_images,), float64, in [0, 2]
        Distances from the training images; see `bycase.apps.classifier.reference`.
    """
    limit = float(np.quantile(validation, QUANTILE))
    return UnlikeInfo(
        neighbours=NEIGHBOURS,
        quantile=QUANTILE,
        distance=limit,
        validation_flagged=float((validation > limit).mean()),
        test_flagged=float((test > limit).mean()),
    )


def check_scores(name: Path, scores: Floats, stored: Floats) -> None:
    """Refuse a network that does not give the stored predictions, from which thresholds and temperatures come.

    Raises
    ------
    UserError
        If `scores`, what the network gives now, and `stored`, what the file `name` says, both (n_images, n_classes) and
        in [0, 1], differ by more than `TOLERANCE`.
    """
    difference = float(np.abs(scores - stored).max())
    if not difference <= TOLERANCE:  # so that NaN fails too
        raise UserError(
            f"{name} is not of models/model.keras (probabilities differ by {difference:.2g}); run 'dvc repro evaluate'"
        )
