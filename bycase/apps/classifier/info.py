"""What a classifier says of itself, so that nobody has to feed it the right numbers from elsewhere."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bycase.core.params_data import PreprocessParams, Section, Share

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Stain = dict[str, list[float] | list[list[float]]]


class PreprocessCard(PreprocessParams):
    """What is done to every image before the network, and the stain fitted on training images."""

    target: Stain | None


class LevelCard(Section):
    """How probabilities of images, or patients, become decisions; fitted on validation.

    Attributes
    ----------
    threshold : float or None
        Of two classes, the network's probability from which the positive one is called; None: the most probable one is.
    temperature : float
        See `bycase.statistics.calibration.temperature`.
    """

    threshold: Annotated[float, Field(ge=0, le=1.001)] | None
    temperature: Positive


class SetsCard(Section):
    """Conformal prediction sets.

    Attributes
    ----------
    coverage : float
        The share of sets that shall hold the true class.
    image, patient : float
        The network's probability from which a class is in the set; calibrated by images, and by patients.
    n_patients : int
        Validation patients.
    """

    coverage: Share
    image: Share
    patient: Share
    n_patients: Count


class UnlikeCard(Section):
    """When an image counts as unlike the training images; see `bycase.apps.classifier.reference`.

    Attributes
    ----------
    neighbours : int
        The distance is that to the so many-th nearest training image.
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


class ClassifierCard(Section):
    """`classifier.json`.

    Attributes
    ----------
    format : int
        Of the file.
    model, variant, weights : str
        The network, as in ``models/model.json``.
    dataset : str
        What it was trained on; ``phantom``: whether that was generated.
    layout : str
        The data set's, whose file names may say which patient an image is of.
    classes : list of str
        In the order of the probabilities; of two, the negative one first.
    positive : str or None
        The class that is looked for; None with more than two.
    image_size, resize
        See `bycase.images.convert.resize`.
    preprocess, image, patient, sets, unlike
        See their classes.
    versions : dict of str to str
        Of the libraries that made the file.
    """

    format: Literal[1]
    model: str
    variant: str | None
    weights: str
    dataset: str
    phantom: bool
    layout: Literal["breakhis", "busi", "ham10000"]
    classes: Annotated[list[str], Field(min_length=2)]
    positive: str | None
    image_size: Annotated[int, Field(ge=32, le=2048)]
    resize: Literal["squash", "crop", "pad"]
    preprocess: PreprocessCard
    image: LevelCard
    patient: LevelCard
    sets: SetsCard
    unlike: UnlikeCard
    versions: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> "ClassifierCard":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: one stands twice")
        two = len(self.classes) == 2
        if two != (self.positive is not None) or (two and self.positive != self.classes[1]):
            raise ValueError("positive: must be the second of two classes, null with more")
        if any((level.threshold is not None) != two for level in (self.image, self.patient)):
            raise ValueError("threshold: with two classes it must be a number, with more null")
        return self
