"""`classifier.json`: what goes into a network, what its outputs mean, and how they become decisions."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from bycase.core.errors import UserError
from bycase.core.params_data import PreprocessParams, Section, Share
from bycase.statistics.calibration.temperature import apply_temperature
from bycase.statistics.pooling import MEAN, Pooling, read_pooling
from bycase.statistics.units import Floats, Integers

VERSION: Literal[2] = 2
Level = Literal["image", "patient"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Stain = dict[str, list[float] | list[list[float]]]


class PreprocessInfo(PreprocessParams):
    """What is done to every image before the network, and the stain fitted on training images."""

    target: Stain | None


class LevelInfo(Section):
    """How probabilities of images, or patients, become decisions; fitted on validation.

    Attributes
    ----------
    threshold : float or None
        Of two classes, the network's probability from which the positive one is predicted; None: the most probable one.
    temperature : float
        See `bycase.statistics.calibration.temperature`.
    """

    threshold: Annotated[float, Field(ge=0, le=1.001)] | None
    temperature: Positive


class SetsInfo(Section):
    """Conformal prediction sets.

    Attributes
    ----------
    coverage : float
        The share of sets that shall hold the true class.
    image_threshold, patient_threshold : float
        The network's probability from which a class is in the set; calibrated by images, and by patients.
    n_patients : int
        Validation patients.
    """

    coverage: Share
    image_threshold: Share
    patient_threshold: Share
    n_patients: Count


class UnlikeInfo(Section):
    """When an image counts as unlike the training images; see `bycase.apps.classifier.reference`.

    Attributes
    ----------
    neighbours : int
        The distance is that to the training image of this rank, counted from the nearest.
    quantile : float
        Of the validation images' distances.
    distance : float
        That quantile, above which an image is flagged.
    validation_flagged, test_flagged : float
        The share of validation and of test images above it.
    """

    neighbours: Count
    quantile: Share
    distance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    validation_flagged: Share
    test_flagged: Share


class PatientsInfo(Section):
    """Where an image's path says its patient; see `bycase.core.params_layouts.FoldersParams`.

    Attributes
    ----------
    place : int or str
        A folder level, or an expression.
    depth : int or None
        Folders above each training image; a level or expression counts within so many. None: they differed.
    """

    place: int | str
    depth: Annotated[int, Field(ge=0)] | None


class RangeInfo(Section):
    """What was made black and white of one kind of pixels; see `bycase.images.ranges.UsedRange`."""

    low: float
    high: float
    origin: Literal["type", "tags", "bits", "given", "data", "picture"]


class ClassifierInfo(Section):
    """`classifier.json`.

    Attributes
    ----------
    version : int
        Of this content; see `read_info`.
    model, variant, weights : str
        The network, as in ``models/model.json``.
    dataset : str
        What it was trained on; ``phantom``: whether that was generated.
    layout : str
        The data set's, whose file names may say which patient an image is of; ``patients``: how, where its entry of
        ``datasets`` says it; ``patients_known``: whether training had patients at all.
    pixel_ranges : dict of str to RangeInfo
        By kind (``8-bit``, ``integer``, ``float``) of the training images' pixels.
    classes : list of str
        In the order of the probabilities; of two, the negative one first.
    positive : str or None
        The class that is looked for; None with more than two.
    image_size, resize
        See `bycase.images.convert.resize`.
    preprocess, image, patient, sets, unlike
        See their classes.
    aggregation : str
        How a patient's images are put together; see `bycase.statistics.pooling.read_pooling`.
    versions : dict of str to str
        Of the libraries that made the file.
    """

    version: Literal[2]
    model: str
    variant: str | None
    weights: str
    dataset: str
    phantom: bool
    layout: Literal["breakhis", "busi", "ham10000", "folders", "table"]
    patients: PatientsInfo | None = None
    patients_known: bool = True
    pixel_ranges: dict[Literal["8-bit", "integer", "float"], RangeInfo] = Field(default_factory=dict)
    classes: Annotated[list[str], Field(min_length=2)]
    positive: str | None
    image_size: Annotated[int, Field(ge=32, le=2048)]
    resize: Literal["squash", "crop", "pad"]
    preprocess: PreprocessInfo
    image: LevelInfo
    patient: LevelInfo
    aggregation: str = MEAN
    sets: SetsInfo
    unlike: UnlikeInfo
    versions: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> "ClassifierInfo":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: one stands twice")
        two = len(self.classes) == 2
        if two != (self.positive is not None) or (two and self.positive != self.classes[1]):
            raise ValueError("positive: must be the second of two classes, null with more")
        if any((level.threshold is not None) != two for level in (self.image, self.patient)):
            raise ValueError("threshold: with two classes it must be a number, with more null")
        try:
            read_pooling(self.aggregation)
        except UserError as error:
            raise ValueError(f"aggregation: {error}") from None
        return self

    @property
    def pooling(self) -> Pooling:
        """How a patient's images are put together."""
        return read_pooling(self.aggregation)

    @property
    def positive_number(self) -> int | None:
        """Of two classes, the number of the one that is looked for."""
        return None if self.positive is None else self.classes.index(self.positive)

    def calibrate(self, scores: Floats, level: Level) -> Floats:
        """Calibrated probabilities of images, or of patients as `pooling` makes them of images; (n, n_classes)."""
        return apply_temperature(scores, (self.image if level == "image" else self.patient).temperature)

    def decide(self, scores: Floats, level: Level) -> Integers:
        """The class that is decided for, from the network's own probabilities (n, n_classes); (n,), int64."""
        threshold = (self.image if level == "image" else self.patient).threshold
        predicted = scores.argmax(axis=1) if threshold is None else scores[:, 1] >= threshold
        return predicted.astype(np.int64)


def read_info(path: Path, content: bytes) -> ClassifierInfo:
    """Check the content of ``classifier.json``, of this version or an older one.

    Raises
    ------
    UserError
        If it is damaged, or of a version that is not known; `path` is the classifier file that the message names.
    """
    try:
        return ClassifierInfo.model_validate(upgrade(json.loads(content)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "classifier.json"
        reason = f"{place}: {first['msg']}"
    except UserError as error:
        reason = str(error)
    raise UserError(f"{path}: {reason}; this bycase cannot read it, run 'dvc repro bundle'")


def upgrade(content: Any) -> Any:
    """Rename what version 1 had under other names: its version, `format`, and the thresholds of conformal sets.

    Raises
    ------
    UserError
        If the version is unknown.
    """
    version = content.get("version", content.get("format")) if isinstance(content, dict) else None
    if version == 1:
        sets = {f"{key}_threshold" if key in ("image", "patient") else key: v for key, v in content["sets"].items()}
        return {key: v for key, v in content.items() if key != "format"} | {"version": VERSION, "sets": sets}
    if version != VERSION:
        raise UserError(f"classifier.json is of version {version}, where 1 and {VERSION} are known")
    if "pixel_range" in content:
        known = content["pixel_range"]
        ranges = {"integer": known | {"origin": "bits"}} if known else {}
        return {key: value for key, value in content.items() if key != "pixel_range"} | {"pixel_ranges": ranges}
    return content
