"""The sections of `params.yaml` about networks: augmentation, training, the zoo's entries, evaluation."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bycase.core.params_data import Count, Section, Share

IMPORTED = "imported"  # the name among the networks of features that another program computed
LearningRate = Annotated[float, Field(gt=0, le=10)]


def family_of(model: str) -> str:
    """The network that an entry of `zoo` is of: what stands before the first hyphen of its name.

    So one network may stand in several entries, such as ``efficientnetlite`` and ``efficientnetlite-finetuned``.
    """
    return model.partition("-")[0]


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
    class_weight: Literal["balanced", "none"]
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


class DropoutLayer(Section):
    """A head's dropout layer: the share of inputs set to 0."""

    dropout: Annotated[float, Field(ge=0, lt=1)]


class DenseLayer(Section):
    """A head's hidden layer: the number of ReLU units."""

    dense: Count


class UnfreezeParams(Section):
    """Fine-tuning of the top of the backbone."""

    layers: Annotated[int, Field(ge=0)]
    steps: Count
    lowest_rate: Annotated[float, Field(gt=0, le=1)]
    epochs: Count
    learning_rate: LearningRate
    patience: Count

    @model_validator(mode="after")
    def _an_epoch_a_step(self) -> "UnfreezeParams":
        if self.layers and self.steps > min(self.layers, self.epochs):
            raise ValueError(f"steps: {self.steps} steps need as many layers and epochs ({self.layers}, {self.epochs})")
        return self


class ModelParams(Section):
    """One entry of `zoo`: a network and how it is trained."""

    variant: str | None
    weights: Annotated[str, Field(min_length=1)]
    mode: Literal["frozen", "end_to_end"]
    rescale: Annotated[float, Field(gt=0, le=1000)]
    pooling: Literal["avg", "max"]
    standardise: bool
    head: list[DropoutLayer | DenseLayer]
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: LearningRate
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    batch_size: Count
    epochs: Count
    patience: Count
    unfreeze: UnfreezeParams

    @model_validator(mode="after")
    def _consistent(self) -> "ModelParams":
        if self.mode == "end_to_end" and self.unfreeze.layers:
            raise ValueError("unfreeze.layers: mode end_to_end trains every layer from the start; set it to 0")
        return self


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
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    external: str | None = None
    external_classes: dict[str, str | None] = Field(default={})  # the external data set's class -> the classifier's
    external_magnifications: list[Literal[40, 100, 200, 400]] = Field(default=[])
