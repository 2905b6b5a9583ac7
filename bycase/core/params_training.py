"""The sections of `params.yaml` about networks: augmentation, training, the zoo's entries, evaluation."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from bycase.core.params_data import Count, Section, Share

IMPORTED = "imported"  # the name among the networks of features that another program computed
ALL = "all"  # layers: the whole backbone
# Heads that are not trained in epochs but fitted at once on cached features, in words.
FITTED_HEADS = {"logistic": "logistic regression", "neighbours": "k nearest neighbours"}
# Of an entry of `zoo`, all that its frozen features depend on.
BACKBONE = ("variant", "weights", "stride", "mode", "rescale", "pooling")
LearningRate = Annotated[float, Field(gt=0, le=10)]


def family_of(model: str) -> str:
    """The network that an entry of `zoo` is of: what stands before the first hyphen of its name.

    So one network may stand in several entries, such as ``efficientnetlite`` and ``efficientnetlite-finetuned``.
    """
    return model.partition("-")[0]


def is_imported(model: str) -> bool:
    """Whether an entry of `zoo` is features that another program computed."""
    return family_of(model) == IMPORTED


class AugmentParams(Section):
    """Random changes of training images; 0, 1 for `crop`, or none leaves one out."""

    flip: Literal["none", "horizontal", "vertical", "both"]
    rotation: Annotated[float, Field(ge=0, le=0.5)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    crop: Annotated[float, Field(gt=0, le=1)]
    brightness: Share
    contrast: Annotated[float, Field(ge=0, lt=1)]
    stain_jitter: Annotated[float, Field(ge=0, le=1)]
    rand_augment: Share
    mixup: Annotated[float, Field(ge=0, le=10)]
    cutmix: Annotated[float, Field(ge=0, le=10)]


class EmbedParams(Section):
    """How the frozen backbone's features are computed."""

    views: Annotated[int, Field(ge=0, le=100)]
    batch_size: Count


class TrainParams(Section):
    """Training settings shared by all networks."""

    loss: Literal["cross_entropy", "focal"]
    focal_gamma: Annotated[float, Field(ge=0, le=10)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    class_weight: Literal["balanced", "by_patient", "none"]
    sampling: Literal["uniform", "class", "patient", "magnification"]
    schedule: Literal["constant", "cosine", "plateau"]
    warmup_epochs: Annotated[float, Field(ge=0)]
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    plateau_patience: Count
    momentum: Annotated[float, Field(ge=0, lt=1)]
    gradient_clip: Annotated[float, Field(ge=0)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)]
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"]
    strategy: Literal["single", "mirrored"]
    monitor: Literal["auc", "accuracy", "balanced_accuracy", "f1", "loss"]
    contract_action: Literal["stop", "warn"]
    collapse_action: Literal["stop", "warn"]
    collapse_patience: Count

    @model_validator(mode="after")
    def _balance_once(self) -> "TrainParams":
        if self.sampling != "uniform" and self.class_weight != "none":
            raise ValueError(
                f"sampling: {self.sampling} draws the classes equally often, and with class_weight: "
                f"{self.class_weight} the rare ones would count twice; set class_weight to none"
            )
        return self


class DropoutLayer(Section):
    """A head's dropout layer: the share of inputs set to 0."""

    dropout: Annotated[float, Field(ge=0, lt=1)]


class DenseLayer(Section):
    """A head's hidden layer: the number of ReLU units."""

    dense: Count


def _head_branch(value: Any) -> str:
    return "HeadName" if isinstance(value, str) else "HeadLayers"


Head = Annotated[
    Annotated[Literal["logistic", "neighbours"], Tag("HeadName")]
    | Annotated[list[DropoutLayer | DenseLayer], Tag("HeadLayers")],
    Discriminator(_head_branch),
]


class UnfreezeParams(Section):
    """Fine-tuning of the top of the backbone."""

    layers: Annotated[int, Field(ge=0)] | Literal["all"]
    steps: Count
    lowest_rate: Annotated[float, Field(gt=0, le=1)]
    batch_norm: Literal["frozen", "trained"]
    epochs: Count
    learning_rate: LearningRate
    patience: Count

    @model_validator(mode="after")
    def _an_epoch_a_step(self) -> "UnfreezeParams":
        layers = self.epochs if isinstance(self.layers, str) else self.layers
        if layers and self.steps > min(layers, self.epochs):
            raise ValueError(f"steps: {self.steps} steps need as many layers and epochs ({self.layers}, {self.epochs})")
        return self


class ModelParams(Section):
    """One entry of `zoo`: a network and how it is trained."""

    variant: str | None
    weights: Annotated[str, Field(min_length=1)]
    stride: Literal[2, 4, 8, 16, 32] | None
    mode: Literal["frozen", "end_to_end"]
    rescale: Annotated[float, Field(gt=0, le=1000)]
    pooling: Literal["avg", "max"]
    standardise: bool
    head: Head
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: LearningRate
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    batch_size: Count
    epochs: Count
    patience: Count
    unfreeze: UnfreezeParams

    @model_validator(mode="after")
    def _consistent(self) -> "ModelParams":
        if self.fitted_head and self.mode == "end_to_end":
            raise ValueError(f"head: {self.fitted_head} is fitted on a frozen backbone's features; set mode to frozen")
        if self.fitted_head and self.unfreeze.layers:
            raise ValueError(
                f"head: {self.fitted_head} has no gradients to fine-tune with; set unfreeze.layers to 0, or head to a "
                "list of layers"
            )
        if self.mode == "end_to_end" and self.unfreeze.layers:
            raise ValueError("unfreeze.layers: mode end_to_end trains every layer from the start; set it to 0")
        return self

    @property
    def fitted_head(self) -> str | None:
        """One of `FITTED_HEADS`; None where the head is layers that are trained in epochs."""
        return self.head if isinstance(self.head, str) else None

    @property
    def head_layers(self) -> list[DropoutLayer | DenseLayer]:
        """The head's layers below the last; of a fitted head none."""
        return [] if isinstance(self.head, str) else self.head


class UncertaintyParams(Section):
    """How sure the network is of each image: repeated predictions, prediction sets, abstention."""

    dropout_passes: Annotated[int, Field(ge=2, le=1000)]
    views: Annotated[int, Field(ge=2, le=8)]
    coverage: Annotated[float, Field(gt=0, lt=1)]


class RobustnessParams(Section):
    """Which damage is done to test images, and how much of it."""

    corruptions: Annotated[
        list[Literal["stain", "brightness", "contrast", "blur", "jpeg", "noise", "rotation", "magnification"]],
        Field(min_length=1),
    ]
    severities: Annotated[list[Annotated[int, Field(ge=1, le=5)]], Field(min_length=1)]


class ExplainParams(Section):
    """How maps of where the network sees its class are drawn and scored."""

    method: Literal["grad_cam", "grad_cam_plus_plus"]
    examples: Annotated[int, Field(ge=1, le=6)]
    images: Annotated[int, Field(ge=2, le=10_000)]
    steps: Annotated[int, Field(ge=1, le=1000)]
    randomisations: Annotated[int, Field(ge=1, le=100)]


class EvaluateParams(Section):
    """How predictions are scored, and on which other data set the finished classifier is tested."""

    threshold: Literal["youden", "fixed"]
    fixed_threshold: Share
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    batch_size: Count
    aggregation: Literal["mean", "median", "top_k", "attention"] = "mean"
    top_k: Annotated[float, Field(gt=0, le=1000)] = 0.25
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    external: str | None = None
    external_classes: dict[str, str | None] = Field(default={})  # the external data set's class -> the classifier's
    external_magnifications: list[Literal[40, 100, 200, 400]] = Field(default=[])

    @model_validator(mode="after")
    def _whole_images(self) -> "EvaluateParams":
        if self.top_k >= 1 and self.top_k % 1:
            raise ValueError(f"top_k: {self.top_k:g} is neither a whole number of images nor a share below 1")
        return self
