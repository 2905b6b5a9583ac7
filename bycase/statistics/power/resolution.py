"""What a data set can resolve: detectable differences, and the patients that finer ones would take."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from bycase.statistics.power.clusters import Sample, design_effect, effective_images
from bycase.statistics.power.detectable import detectable_accuracy, detectable_auc, enlargement_needed, pairs_needed

POINTS = (1, 2, 5)
PARTS = {"test": "test part of the single split", "all": "all, cross-validated"}


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of two models before either is trained.

    Attributes
    ----------
    accuracy, auc : float, in (0, 1)
        Of the worse model, at image level.
    model_correlation : float, in [0, 1)
        Between the models: of being right on an image (phi), and of the two estimated AUCs.
    patient_correlation : float, in [0, 1]
        Between images of one patient, of the difference between the models on them, which is what a
        paired comparison averages. Between images' being classified rightly it is higher. Measured with
        linear heads cross-validated by case on 1,107 BreakHis images: 0.03 to 0.07 for heads on halves of
        one network's features, 0.6 for a head that predicts everything malignant against one that does not,
        and 0.30 for being right.
    alpha, power : float, in (0, 1)
        Of the two-sided test.
    """

    accuracy: float
    auc: float
    model_correlation: float
    patient_correlation: float
    alpha: float
    power: float


def resolution(everyone: Sample, test: Sample | None, assumed: Assumptions, positive: str) -> dict[str, Any]:
    """The content of ``metrics/power.json``.

    Under cross-validation every patient is predicted once, so that all count. The models of the folds
    share training images and differ a little from one another, and with few patients a variance is
    itself uncertain. Both are left out, so that the difference that can be detected is rather larger.

    Parameters
    ----------
    everyone : Sample
        All images: what cross-validation compares on.
    test : Sample or None
        The test part of the single split, if there is one.
    assumed : Assumptions
        What is assumed.
    positive : str
        The class that the AUC sets against the rest.

    Returns
    -------
    dict
        ``assumptions``, with ``auc_class``; ``test`` and ``all``, see `detectable`;
        ``patients_needed``, by metric and points.
    """
    return {
        "assumptions": {**asdict(assumed), "auc_class": positive},
        "test": detectable(test, assumed),
        "all": detectable(everyone, assumed),
        "patients_needed": patients_needed(everyone, assumed),
    }


def detectable(sample: Sample | None, assumed: Assumptions) -> dict[str, float | int | None]:
    """Size of a sample and the smallest differences that it resolves, in points.

    Returns
    -------
    dict
        ``accuracy_points`` and ``auc_points`` are None where no model, however good, could be told from the assumed
        one; all are None without a sample, and ``auc_points`` also without images of both classes.
    """
    keys = ("n_patients", "n_images", "design_effect", "effective_images", "accuracy_points", "auc_points")
    if sample is None:
        return dict.fromkeys(keys)
    images = effective_images(sample.sizes, assumed.patient_correlation)
    test = (assumed.model_correlation, assumed.alpha, assumed.power)
    gains = [detectable_accuracy(images, assumed.accuracy, *test), None]
    if len(sample.positive) and len(sample.negative):
        gains[1] = detectable_auc(*_effective_classes(sample, assumed), assumed.auc, *test)
    effect = design_effect(sample.sizes, assumed.patient_correlation)
    points = (None if gain is None else 100 * gain for gain in gains)
    return dict(zip(keys, (sample.n_patients, sample.n_images, effect, images, *points), strict=True))


def patients_needed(sample: Sample, assumed: Assumptions) -> dict[str, dict[str, int | None]]:
    """Patients that would resolve each of `POINTS`, with as many images and positives a patient as `sample` has.

    Returns
    -------
    dict
        ``accuracy`` and ``auc``, each from ``1_points`` on; None where the assumed value plus the gain exceeds 1.
    """
    per_patient = effective_images(sample.sizes, assumed.patient_correlation) / sample.n_patients
    test = (assumed.model_correlation, assumed.alpha, assumed.power)
    needed: dict[str, dict[str, int | None]] = {"accuracy": {}, "auc": {}}
    for points in POINTS:
        gain, key = points / 100, f"{points}_points"
        accuracy = auc = None
        if assumed.accuracy + gain <= 1:
            pairs = pairs_needed(assumed.accuracy, assumed.accuracy + gain, *test)
            accuracy = math.ceil(pairs / per_patient)
        if assumed.auc + gain <= 1 and len(sample.positive) and len(sample.negative):
            factor = enlargement_needed(gain, *_effective_classes(sample, assumed), assumed.auc, *test)
            auc = math.ceil(factor * sample.n_patients)
        needed["accuracy"][key], needed["auc"][key] = accuracy, auc
    return needed


def _effective_classes(sample: Sample, assumed: Assumptions) -> tuple[float, float]:
    correlation = assumed.patient_correlation
    return effective_images(sample.positive, correlation), effective_images(sample.negative, correlation)


def format_table(content: dict[str, Any]) -> str:
    """Lay out the content of `resolution`, with its assumptions and its ``note``, if any, as a table for people."""
    assumed = content["assumptions"]
    lines = [
        f"Smallest difference between two models found with a power of {assumed['power']:.0%} "
        f"(two-sided, alpha {assumed['alpha']:g}), in points",
        f"{'':31}{'patients':>9}{'images':>8}{'worth':>7}{'accuracy':>10}{'AUC':>7}",
    ]
    for part, name in PARTS.items():
        sample = content[part]
        if sample["n_patients"] is None:
            lines.append(f"{name:31}{'no data/splits.csv':>18}")
            continue
        lines.append(
            f"{name:31}{sample['n_patients']:9d}{sample['n_images']:8d}{sample['effective_images']:7.0f}"
            f"{_points(sample['accuracy_points']):>10}{_points(sample['auc_points']):>7}"
        )
    lines.append("")
    lines.append(f"{'Patients that would resolve':31}" + "".join(f"{f'{p} pt':>9}" for p in POINTS))
    for metric, name in (("accuracy", "in accuracy"), ("auc", "in AUC")):
        needed = content["patients_needed"][metric].values()
        lines.append(f"  {name:29}" + "".join(f"{'never' if n is None else f'{n:,}':>9}" for n in needed))
    lines.append("")
    lines += [
        f"Assumed of the worse model: accuracy {assumed['accuracy']:g}, AUC ({assumed['auc_class']} against the rest) "
        f"{assumed['auc']:g}.",
        f"Correlation {assumed['model_correlation']:g} between models, and of their difference "
        f"{assumed['patient_correlation']:g} between images of one patient.",
    ]
    lines.append("'worth': independent images of the same information. 'none': not even a perfect model.")
    lines += [f"{content['note'].capitalize()}."] if "note" in content else []
    return "\n".join(lines) + "\n"


def _points(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
