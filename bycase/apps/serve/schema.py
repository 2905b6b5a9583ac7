"""The API's responses, as its OpenAPI description states them."""

from pydantic import BaseModel, ConfigDict, Field

NOTICE = "Research use, not a diagnosis"


class Message(BaseModel):
    """What a program and a person need to know of a mistake."""

    code: str = Field(description="for programs; never changes")
    message: str = Field(description="what, and the way out")


class Problem(BaseModel):
    """A request that is refused."""

    error: Message


class Model(BaseModel):
    """The network that predicts."""

    notice: str = NOTICE
    model: str
    weights: str
    dataset: str = Field(description="what it was trained on")
    phantom: bool = Field(description="whether that was generated images; then predictions say nothing about tissue")
    patients_known: bool = Field(
        description="whether it was trained on images whose patients are named; if not, `coverage` is of images"
    )
    classes: list[str]
    positive: str | None = Field(description="the class that is looked for; null where there are more than two")
    image_size: int = Field(description="pixels; what every image is resized to")
    coverage: float = Field(description="share of new patients' images whose `set` is meant to hold the true class")
    set_from: float = Field(
        description="network's probability from which a class is in `set`; 0, every class, if validation was too small"
    )
    unlike_from: float = Field(description="`distance` above which an image counts as unlike the training images")
    heatmaps: bool = Field(description="whether the network can show where it looked")


class SimilarImage(BaseModel):
    """A training image near to the one asked about."""

    image: str
    label: str
    distance: float = Field(description="between the features, as in `Prediction.distance`")


class Prediction(BaseModel):
    """What the network predicts for one image."""

    model_config = ConfigDict(populate_by_name=True)

    image: str = Field(description="'image 1' for the first one sent; file names are never repeated")
    sha256: str = Field(description="of the bytes sent, by which they can be told apart")
    predicted: str = Field(alias="class", description="by the threshold chosen on validation images")
    probabilities: dict[str, float] = Field(description="of each class, calibrated on validation images")
    low: float = Field(description="smallest probability over turned views, of the positive or the predicted class")
    high: float = Field(description="largest such probability")
    classes_set: list[str] = Field(alias="set", description="the conformal prediction set; see `Model.coverage`")
    entropy: float = Field(description="of the probabilities, in nats")
    distance: float = Field(description="to the nearest training images, between features")
    unlike: bool = Field(description="too far from all training images: the prediction should not be relied on")
    similar: list[SimilarImage] = Field(description="the nearest training images, nearest first")
    notes: list[str] = Field(description="what reading the file had to decide, such as 'first of 3 frames'")
    heatmap: str | None = Field(
        default=None, description="a PNG as a data URI, of the resized image's size, if asked for with `heatmaps=true`"
    )


class UnreadImage(BaseModel):
    """An image that could not be read; the others are predicted all the same."""

    image: str
    error: Message


class PredictResponse(BaseModel):
    """One request's predictions."""

    notice: str = NOTICE
    answers: list[Prediction]
    unanswered: list[UnreadImage]
