"""`params.yaml`, read and checked as a whole: every key, its type, its range and its default place."""

from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages.common.errors import UserError

PARAMS_PATH = Path("params.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A mapping in `params.yaml` in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PhantomParams(Section):
    """Seed and size of the generated data set."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    cases: Annotated[int, Field(ge=8, le=400)]
    images: Count
    width: Annotated[int, Field(ge=64, le=2000)]
    height: Annotated[int, Field(ge=64, le=2000)]


class DatasetParams(Section):
    """One entry of `datasets`: where the images come from and how they are stored."""

    layout: Literal["breakhis", "busi", "ham10000"]
    source: Literal["kaggle", "local", "phantom"]
    slug: Annotated[str, Field(pattern=r"^[\w-]+/[\w-]+$")] | None = None
    path: str | None = None
    max_unpacked_gb: Annotated[float, Field(gt=0)] = 20
    classes: Annotated[list[str], Field(min_length=2)]
    positive: str | None = None
    task: Literal["binary", "subtype"] | None = None
    image_size: Annotated[int, Field(ge=32, le=2048)]
    resize: Literal["squash", "crop", "pad"]
    max_bad_share: Share
    weights: Literal["imagenet", "random"]
    phantom: PhantomParams | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "DatasetParams":
        if self.positive is None and len(self.classes) == 2:
            raise ValueError(f"positive: with two classes it must be one of them: {', '.join(self.classes)}")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError(f"positive: '{self.positive}' is not one of classes: {', '.join(self.classes)}")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes: {', '.join(self.classes)} names one class twice")
        if (self.layout == "breakhis") != (self.task is not None):
            valid = "binary or subtype" if self.layout == "breakhis" else "null"
            raise ValueError(f"task: with layout {self.layout} it must be {valid}")
        needed = {"kaggle": "slug", "local": "path", "phantom": "phantom"}[self.source]
        if getattr(self, needed) is None:
            raise ValueError(f"source: {self.source} needs '{needed}', which is null")
        return self


class SplitParams(Section):
    """How images are divided into train, validation and test."""

    protocol: Literal["fractions", "official", "kfold", "file"]
    group: Literal["case", "folder", "image"]
    validation: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    magnifications: list[Literal[40, 100, 200, 400]]
    official_fold: Annotated[int, Field(ge=1, le=5)]
    folds_file: str | None
    folds: Annotated[int, Field(ge=2, le=20)]
    fold: Annotated[int, Field(ge=0)]
    repeat: Annotated[int, Field(ge=0)]
    file: str | None
    merge_duplicates: bool

    @model_validator(mode="after")
    def _consistent(self) -> "SplitParams":
        if self.fold >= self.folds:
            raise ValueError(f"fold: {self.fold} is none of the {self.folds} folds, which count from 0")
        if self.protocol == "file" and not self.file:
            raise ValueError("protocol: file needs 'file', which is null")
        if self.protocol == "kfold" and self.validation + 1 / self.folds >= 1:
            raise ValueError(f"validation: {self.validation:g} and one of {self.folds} folds leave nothing to train on")
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test = {self.validation + self.test:g} leaves nothing to train on")
        return self


class PreprocessParams(Section):
    """What is done to every image before a network sees it; 0 or none leaves a step out."""

    stain: Literal["none", "macenko", "reinhard"]
    clip_limit: Annotated[float, Field(ge=0, le=40)]
    denoise: Annotated[float, Field(ge=0, le=50)]


class AugmentParams(Section):
    """Random changes of training images; 0 or false leaves one out."""

    flip: bool
    rotation: Annotated[float, Field(ge=0, le=0.5)]
    brightness: Share
    contrast: Annotated[float, Field(ge=0, lt=1)]
    rand_augment: Share


class EmbedParams(Section):
    """How the frozen backbone's features are computed."""

    views: Annotated[int, Field(ge=0, le=100)]
    batch_size: Count
    augment: AugmentParams


class TrainParams(Section):
    """Training settings shared by all networks."""

    class_weight: Literal["balanced", "none"]
    collapse_action: Literal["stop", "warn"]
    collapse_patience: Count


class EvaluateParams(Section):
    """How predictions are scored."""

    threshold: Literal["youden", "fixed"]
    fixed_threshold: Share
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    batch_size: Count


class AuditParams(Section):
    """When two images count as duplicates, and which pairs may pass."""

    near_distance: Annotated[int, Field(ge=0, le=16)]
    near_similarity: Share
    embedding_similarity: Annotated[float, Field(ge=0.5, le=1)]
    batch_size: Count
    waive: dict[str, list[tuple[str, str]]]


class LeakageParams(Section):
    """How the leakage meter scores frozen features under every split level."""

    folds: Annotated[int, Field(ge=2, le=20)]
    repeats: Annotated[int, Field(ge=1, le=100)]
    inverse_penalty: Annotated[float, Field(gt=0, le=1e6)]
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]
    permutations: Annotated[int, Field(ge=20, le=1_000_000)]


class PowerParams(Section):
    """What is assumed of two models when asking which difference the data can resolve."""

    accuracy: Annotated[float, Field(gt=0, lt=1)]
    auc: Annotated[float, Field(ge=0.5, lt=1)]
    model_correlation: Annotated[float, Field(ge=0, lt=1)]
    patient_correlation: Share
    alpha: Annotated[float, Field(gt=0, lt=1)]
    power: Annotated[float, Field(ge=0.5, lt=1)]


class DropoutLayer(Section):
    """A head's dropout layer: the share of inputs set to 0."""

    dropout: Annotated[float, Field(ge=0, lt=1)]


class DenseLayer(Section):
    """A head's hidden layer: the number of ReLU units."""

    dense: Count


class UnfreezeParams(Section):
    """Fine-tuning of the top of the backbone."""

    layers: Annotated[int, Field(ge=0)]
    epochs: Count
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    patience: Count


class ModelParams(Section):
    """One entry of `zoo`: a network and how it is trained."""

    weights: Annotated[str, Field(min_length=1)]
    pooling: Literal["avg", "max"]
    head: list[DropoutLayer | DenseLayer]
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=10)]
    weight_decay: Annotated[float, Field(ge=0, le=10)]
    batch_size: Count
    epochs: Count
    patience: Count
    unfreeze: UnfreezeParams


class Params(Section):
    """The whole of `params.yaml`."""

    model: str
    dataset: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[str, DatasetParams]
    audit: AuditParams
    split: SplitParams
    preprocess: PreprocessParams
    embed: EmbedParams
    train: TrainParams
    evaluate: EvaluateParams
    leakage: LeakageParams
    power: PowerParams
    zoo: dict[str, ModelParams]

    @model_validator(mode="after")
    def _names_exist(self) -> "Params":
        for key, name, table in (("model", self.model, self.zoo), ("dataset", self.dataset, self.datasets)):
            if name not in table:
                raise ValueError(f"{key}: unknown {key} '{name}'; choose one of: {', '.join(sorted(table))}")
        for name in self.audit.waive:
            if name not in self.datasets:
                raise ValueError(f"audit.waive: no dataset '{name}'; there are {', '.join(sorted(self.datasets))}")
        return self

    @property
    def data(self) -> DatasetParams:
        """The chosen data set's entry."""
        return self.datasets[self.dataset]

    @property
    def network(self) -> ModelParams:
        """The chosen network's entry."""
        return self.zoo[self.model]

    @property
    def weights(self) -> str:
        """The chosen network's weights: 'imagenet', 'random' or a path."""
        return self.data.weights if self.network.weights == "by_dataset" else self.network.weights


def load_params(path: Path = PARAMS_PATH) -> Params:
    """Read and check `params.yaml`.

    Raises
    ------
    UserError
        If the file is missing or not YAML, or a key or value is not valid; names the key and the
        valid choices.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run from the project's top folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no keys; valid keys there: {', '.join(sorted(Params.model_fields))}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {_describe(error)}") from None


def _describe(error: ValidationError) -> str:
    """Say one thing that is wrong, by its dotted key, with the choices there are."""
    # A misspelt key is missing as well, and of a union's branches those that were not meant miss keys too.
    first = min(error.errors(), key=lambda each: {"extra_forbidden": 1, "missing": 2}.get(each["type"], 0))
    location = first["loc"]
    # A union's branches add their class name to the location, which is no key of the file.
    keys = [str(part) for part in location if str(part) not in ("DropoutLayer", "DenseLayer")]
    key = ".".join(keys)
    if first["type"] == "extra_forbidden":
        valid = _fields_at(Params, keys[:-1])
        choices = ", ".join(sorted(valid))
        if keys[-1] in valid:
            return f"key '{key}' stands beside another where only one of them may: {choices}"
        return f"unknown key '{key}'; valid keys there: {choices}"
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (it is {first['input']!r})" if first["type"] != "value_error" else _join(key, message)


def _join(key: str, message: str) -> str:
    return f"{key}.{message}" if key else message


def _fields_at(annotation: Any, keys: list[str]) -> set[str]:
    """The field names of the section that `keys` lead to from `annotation`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _fields_at(get_args(annotation)[0], keys)
    if origin in (Union, UnionType):
        return set().union(*(_fields_at(branch, keys) for branch in get_args(annotation)))
    if origin in (dict, list):
        return _fields_at(get_args(annotation)[-1], keys[1:])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not keys:
            return set(annotation.model_fields)
        field = annotation.model_fields.get(keys[0])
        return _fields_at(field.annotation, keys[1:]) if field else set()
    return set()
