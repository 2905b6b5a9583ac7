"""The sections of `params.yaml` about images: where they come from, how they are checked, split and measured."""

import re
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from bycase.core.params_layouts import FoldersParams, Reading, Section, TableParams, Text

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


Multiple = Annotated[float, Field(ge=0.1, le=5)]
LightShare = Annotated[float, Field(gt=0, le=1)]
Correlation = Annotated[float, Field(ge=0, lt=1)]
Ordered = TypeVar("Ordered", bound=Section)


class LaboratoryParams(Section):
    """Another laboratory of the generated images in BreakHis' layout: its stains, lamp and scanner."""

    haematoxylin: Multiple
    eosin: Multiple
    cast: tuple[LightShare, LightShare, LightShare]
    gamma: Multiple
    blur: Annotated[float, Field(ge=0, le=20)]


class PhantomParams(Section):
    """Seed and size of the generated data set."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    cases: Annotated[int, Field(ge=8, le=400)]
    images: Count
    width: Annotated[int, Field(ge=64, le=2000)]
    height: Annotated[int, Field(ge=64, le=2000)]
    laboratory: LaboratoryParams | None = None


class DatasetParams(Section):
    """One entry of `datasets`: where the images come from and how they are stored."""

    layout: Literal["breakhis", "busi", "ham10000", "folders", "table"]
    source: Literal["kaggle", "huggingface", "url", "local", "phantom"]
    slug: Annotated[str, Field(pattern=r"^(\w[\w.-]*/)?\w[\w.-]*$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s@/]+/\S+$")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    revision: Annotated[str, Field(pattern=r"^\w[\w./-]*$")] | None = None
    path: str | None = None
    max_unpacked_gb: Annotated[float, Field(gt=0)] = 20
    folders: FoldersParams | None = None
    table: TableParams | None = None
    classes: Annotated[list[Text], Field(min_length=2)]
    positive: Text | None = None
    task: Literal["binary", "subtype"] | None = None
    image_size: Annotated[int, Field(ge=32, le=2048)]
    resize: Literal["squash", "crop", "pad"]
    max_bad_share: Share
    value_range: Literal["type", "data", "picture"] | tuple[float, float] | None = None
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
        for name in self.classes:
            if not name.strip() or name.strip() != name or name.startswith((".", "~")) or set(name) & set("/\\\0\n|"):
                raise ValueError(f"classes: '{name}' cannot be the name of a folder; map it to another by 'names'")
        self._check_layout()
        if (self.layout == "breakhis") != (self.task is not None):
            valid = "binary or subtype" if self.layout == "breakhis" else "null"
            raise ValueError(f"task: with layout {self.layout} it must be {valid}")
        needed = {"kaggle": "slug", "huggingface": "slug", "local": "path"}.get(self.source, self.source)
        if getattr(self, needed) is None:
            raise ValueError(f"source: {self.source} needs '{needed}', which is null")
        if isinstance(self.value_range, tuple) and not self.value_range[0] < self.value_range[1]:
            raise ValueError(f"value_range: {list(self.value_range)} must rise from black to white")
        if self.layout != "breakhis" and self.phantom and self.phantom.laboratory:
            raise ValueError(f"phantom.laboratory: images in layout {self.layout} have no stain; it must be null")
        # Owner and name are folders of the download.
        if self.source == "kaggle" and not re.fullmatch(r"[\w-]+/[\w-]+", str(self.slug)):
            raise ValueError(f"slug: '{self.slug}' is not owner/name, as Kaggle's slugs are")
        return self

    @property
    def names_patient(self) -> bool:
        """Whether anything says which images are of one patient (or case, or lesion)."""
        reading = self.folders or self.table
        return reading.names_patient if reading else self.layout != "busi"

    @property
    def edges(self) -> dict[str, list[float]]:
        """Where numbers among the subgroup columns are cut, instead of at their tertiles."""
        reading = self.folders or self.table
        return reading.edges if reading else {}

    def _check_layout(self) -> None:
        for section in ("folders", "table"):
            if (self.layout == section) != (getattr(self, section) is not None):
                valid = "a mapping, {} at least" if self.layout == section else "null"
                raise ValueError(f"{section}: with layout {self.layout} it must be {valid}")
        names = (self.folders or self.table or Reading()).names.values()
        unknown = sorted({name for name in names if name} - set(self.classes))
        if unknown:
            raise ValueError(f"{self.layout}.names: '{unknown[0]}' is not one of classes: {', '.join(self.classes)}")


class AuditParams(Section):
    """When two images count as duplicates, and which pairs may pass."""

    near_distance: Annotated[int, Field(ge=0, le=16)]
    near_similarity: Share
    embedding_similarity: Annotated[float, Field(ge=0.5, le=1)]
    batch_size: Count
    waive: dict[str, list[tuple[str, str]]]


class SplitParams(Section):
    """How images are divided into train, validation and test."""

    protocol: Literal["fractions", "official", "kfold", "file", "supplied", "supplied_leaky"]
    group: Literal["case", "folder", "image"]
    validation: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    magnifications: list[Literal[40, 100, 200, 400]]
    held_out_magnification: Literal[40, 100, 200, 400] | None
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


class LeakageParams(Section):
    """How the leakage meter scores frozen features under every split level."""

    folds: Annotated[int, Field(ge=2, le=20)]
    repeats: Annotated[int, Field(ge=1, le=100)]
    logistic_C: Annotated[float, Field(gt=0, le=1e6)]
    permutations: Annotated[int, Field(ge=20, le=1_000_000)]


class ModelCorrelations(Section):
    """Between two networks, from optimistic to pessimistic: of being right on an image, and of their AUCs."""

    accuracy: tuple[Correlation, Correlation, Correlation]
    auc: tuple[Correlation, Correlation, Correlation]

    @model_validator(mode="after")
    def _from_optimistic(self) -> "ModelCorrelations":
        return _check_order(self, falling=True)


class PatientCorrelations(Section):
    """Between images of one patient, of the difference between two networks; from optimistic to pessimistic."""

    accuracy: tuple[Share, Share, Share]
    auc: tuple[Share, Share, Share]

    @model_validator(mode="after")
    def _from_optimistic(self) -> "PatientCorrelations":
        return _check_order(self, falling=False)


class PowerParams(Section):
    """What is assumed of two models when asking which difference the data can resolve."""

    accuracy: Annotated[float, Field(gt=0, lt=1)]
    auc: Annotated[float, Field(ge=0.5, lt=1)]
    model_correlation: ModelCorrelations
    patient_correlation: PatientCorrelations
    alpha: Annotated[float, Field(gt=0, lt=1)]
    power: Annotated[float, Field(ge=0.5, lt=1)]


def _check_order(correlations: Ordered, falling: bool) -> Ordered:
    for metric in ("accuracy", "auc"):
        values = list(getattr(correlations, metric))
        if values != sorted(values, reverse=falling):
            order = "fall" if falling else "rise"
            raise ValueError(f"{metric}: {values} must {order} from optimistic to pessimistic")
    return correlations
