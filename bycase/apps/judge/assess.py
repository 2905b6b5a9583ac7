"""The metrics of one table: those that `metrics/metrics.json` has of this project's own networks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from bycase.apps.judge.table import PREFIX, UNKNOWN_PATIENTS, Table
from bycase.core.errors import UserError
from bycase.core.nested import without
from bycase.core.params_training import EvaluateParams
from bycase.figures.run_info import RunInfo
from bycase.statistics.assessment import assess
from bycase.statistics.interactions import assess_interactions
from bycase.statistics.metrics import training_priors
from bycase.statistics.pooling import ATTENTION, MEAN, pooling_of
from bycase.statistics.subgroups import AS_THEY_ARE, assess_subgroups, list_subgroups
from bycase.statistics.units import HALF, Bools, Units, patient_units

OF_PROBABILITIES = ("auc", "average_precision", "brier", "log_loss")
BANDED = ("magnification", "age")  # subgroups that are read as numbers
PARTS = {
    "train": "the most frequent class of the part train for every image.",
    "val": "the most frequent class of the part val for every image, since the file has no rows of the part train.",
    "test": "the most frequent class of the judged images themselves, which flatters it.",
}


@dataclass(frozen=True)
class JudgeSettings:
    """How tables are judged.

    Attributes
    ----------
    threshold : float or None
        Of the positive class, if it is fixed.
    resamples, seed : int
        Of the bootstrap.
    prevalence : float or None
        Of the positive class where the classifier is to be used.
    aggregation : str
        How patients are made of images; see `bycase.statistics.pooling.Pooling`.
    top_k : float
        Of aggregation 'top_k'.
    """

    threshold: float | None
    resamples: int
    seed: int
    prevalence: float | None = None
    aggregation: Literal["mean", "median", "top_k", "attention"] = "mean"
    top_k: float = 0.25

    @property
    def fixed(self) -> float:
        """The threshold where validation gives none."""
        return HALF if self.threshold is None else self.threshold


@dataclass(frozen=True)
class JudgedInfo(RunInfo):
    """What figures say of a judged table, in place of what they say of a run."""

    table: Table

    @property
    def clusters(self) -> str:
        """What intervals are over."""
        return self.table.clusters

    @property
    def decided(self) -> str:
        """Where a curve's dots are."""
        if self.table.by_class:
            return "the predicted classes of the file"
        return super().decided if self.table.has_validation else "at the fixed threshold"

    def decision(self, level: str) -> str:
        """How the predicted class is chosen."""
        if self.table.by_class and (level == "image" or not self.table.probabilities):
            return "the class in the file" if level == "image" else "the class of most of a patient's images"
        if self.positive is None or self.table.has_validation:
            return super().decision(level)
        threshold = HALF if self.table.by_class else self.threshold(level)
        return f"{self.positive} is predicted from p = {threshold:.3f} up (fixed)"

    @property
    def network(self) -> str:
        """The file."""
        return self.table.name

    @property
    def data(self) -> str:
        """What the file is."""
        return f"predictions of {self.table.file}"

    @property
    def split(self) -> str:
        """What was judged, and what of it is not as it should be."""
        words = "rows of the part test" if (self.table.rows["part"] != "test").any() else "all rows"
        if self.table.folds > 1:
            words = f"{words}, out of {self.table.folds} folds"
        leaks = "".join("; LEAKS" for warning in self.table.warnings[:1] if warning.startswith("LEAK"))
        return f"{words}{leaks}" if self.table.patients_known else f"{words}{leaks}; {UNKNOWN_PATIENTS}"

    @property
    def size(self) -> str:
        """Images and, where they are known, patients."""
        return super().size if self.table.patients_known else f"{self.metrics['image']['n']} images"


def info_of(table: Table, metrics: dict[str, Any], seed: int) -> JudgedInfo:
    """What figures say of a table."""
    model_info = {"model": table.name, "classes": table.classes, "positive": table.positive, "seed": seed}
    return JudgedInfo(model_info, {}, metrics, table)


def assess_table(table: Table, settings: JudgeSettings) -> dict[str, Any]:
    """Score a table by image and by patient, and its subgroups; see `bycase.statistics.assessment.assess`.

    Returns
    -------
    dict
        As ``metrics/metrics.json``, without what is chosen on validation where there is none; ``threshold`` is then the
        fixed one, and absent where the file's own class decides. `tidy` removes what has no meaning.
    """
    validation = table.units("val", settings.fixed) if table.has_validation else None
    images = table.units("test", settings.fixed)
    rows = table.part(prior_part(table)).rename(columns={"patient": "group"})
    priors = training_priors(rows[["group", "label"]], table.classes)
    chosen = EvaluateParams(
        threshold="youden" if settings.threshold is None else "fixed",
        fixed_threshold=settings.fixed,
        resamples=settings.resamples,
        batch_size=1,
        prevalence=settings.prevalence,
        aggregation=settings.aggregation,
        top_k=settings.top_k,
    )
    metrics = assess(validation, images, priors, chosen, settings.seed)
    if validation is None and images.positive is not None and not table.by_class:
        for level in ("image", "patient"):
            metrics[level]["threshold"] = settings.fixed
    thresholds = {level: metrics[level].get("threshold") for level in ("image", "patient")}
    subgroups, images = subgroups_of(table), replace(images, pooling=pooling_of(metrics))
    decided = images if thresholds["image"] is None else images.with_threshold(thresholds["image"])
    return metrics | {
        "subgroups": assess_subgroups(images, subgroups, thresholds, settings.resamples, settings.seed),
        "interactions": assess_interactions(decided, subgroups, thresholds["patient"], settings.seed),
    }


def check_aggregation(table: Table, rule: str) -> None:
    """Refuse a rule other than the mean where a table lacks what it is made of.

    Raises
    ------
    UserError
        Naming the file.
    """
    if rule == MEAN:
        return
    if not table.patients_known or not table.probabilities or table.by_class:
        raise UserError(
            f"{table.file}: --aggregation {rule} needs patients and probabilities that decide; leave it out"
        )
    if rule == ATTENTION and not table.has_validation:
        raise UserError(
            f"{table.file}: --aggregation attention is fitted on validation patients, and there is no part val; choose "
            "median or top_k"
        )


def prior_part(table: Table) -> str:
    """The part whose class shares a constant prediction knows."""
    return next(part for part in ("train", "val", "test") if (table.rows["part"] == part).any())


def constant_words(table: Table) -> str:
    """What the constant prediction is."""
    return f"Constant: predicting {PARTS[prior_part(table)]}"


def subgroups_of(table: Table) -> dict[str, dict[str, Bools]]:
    """Which judged images are of which subgroup; see `bycase.statistics.subgroups.list_subgroups`."""
    judged = table.part("test")
    manifest = pd.DataFrame({"image": judged["image"]})
    for column in table.subgroups:
        values = judged[PREFIX + column]
        name = column.lower() if column.lower() in (*AS_THEY_ARE, *BANDED) else column
        if name in BANDED and pd.to_numeric(values[values != ""], errors="coerce").isna().any():
            name = f"{column} group"  # such as 40-49: no number
        manifest[name] = pd.to_numeric(values).fillna(0).astype(int) if name == "magnification" else values
    more = [str(name) for name in manifest if name not in ("image", *AS_THEY_ARE, *BANDED)]
    return list_subgroups(judged, manifest, more=more)


def tidy(metrics: Mapping[str, Any], table: Table, probabilities: bool | None = None) -> dict[str, Any]:
    """The metrics without the patient level where patients are unknown, and without ranks where there are only classes.

    Parameters
    ----------
    metrics : mapping
        See `assess_table`.
    table : Table
        What they are of.
    probabilities : bool
        Whether there are any; by default those of the table.
    """
    content = dict(metrics)
    if not table.patients_known:
        content = without(content, ("patient", "n_patients", "aggregation")) | {"note": UNKNOWN_PATIENTS}
    if not (table.probabilities if probabilities is None else probabilities):
        content = without(content, (*OF_PROBABILITIES, "calibration", "net_benefit", "aggregation"))
    return content


def judged_units(table: Table, metrics: Mapping[str, Any], settings: JudgeSettings) -> dict[str, Units]:
    """The judged images and, where they are known, patients, with their predicted classes."""
    images = table.units("test", metrics["image"].get("threshold", settings.fixed))
    if not table.patients_known:
        return {"image": images}
    pooled = replace(images, pooling=pooling_of(metrics))
    return {"image": images, "patient": patient_units(pooled, metrics["patient"].get("threshold", settings.fixed))}
