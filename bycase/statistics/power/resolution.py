"""What a data set can resolve: detectable differences, and the patients that finer ones would take."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.power.clusters import Sample, design_effect, effective_images
from bycase.statistics.power.detectable import (
    Required,
    auc_freedom,
    enlargement,
    quantiles,
    required_accuracy,
    required_auc,
    smallest_gain,
)

SCENARIOS = ("optimistic", "middle", "pessimistic")
METRICS = ("accuracy", "auc")
POINTS = (1, 2, 5)
PARTS = {"test": "test part of the single split", "all": "all, cross-validated"}
FEWEST = 2  # patients, to tell how they differ
GRID = np.geomspace(10, 2000, 30).round().astype(int)  # patients of a curve

Correlations = Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of two models before either is trained.

    Attributes
    ----------
    accuracy, auc : float, in (0, 1)
        Of the worse model, at image level.
    model_correlation : mapping of metric to tuple of float, in [0, 1)
        Between the models, in each of the `SCENARIOS`: of being right on an image (phi), and of the two estimated AUCs
        if images were independent.
    patient_correlation : mapping of metric to tuple of float, in [0, 1]
        Between images of one patient, of the difference between the models on them, which is what a paired comparison
        averages. Both are what `bycase.statistics.comparison.correlations` measures.
    alpha, power : float, in (0, 1)
        Of the two-sided test.
    """

    accuracy: float
    auc: float
    model_correlation: Correlations
    patient_correlation: Correlations
    alpha: float
    power: float


def resolution(everyone: Sample, test: Sample | None, assumed: Assumptions, positive: str) -> dict[str, Any]:
    """The content of ``metrics/power.json``.

    Under cross-validation every patient is predicted once, so that all count. The models of the folds share training
    images and differ a little from one another, which is left out.

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
        ``assumptions``, with ``auc_class``; ``test`` and ``all``, each with ``n_patients``, ``n_images`` and, by
        scenario, see `detectable`, all None without a sample; ``patients_needed``, by scenario, metric and points.
    """
    return {
        "assumptions": {**asdict(assumed), "auc_class": positive},
        "test": _describe(test, assumed),
        "all": _describe(everyone, assumed),
        "patients_needed": {name: patients_needed(everyone, assumed, number) for number, name in enumerate(SCENARIOS)},
    }


def _describe(sample: Sample | None, assumed: Assumptions) -> dict[str, Any]:
    if sample is None:
        return dict.fromkeys(("n_patients", "n_images", *SCENARIOS))
    sizes = {"n_patients": sample.n_patients, "n_images": sample.n_images}
    return sizes | {name: detectable(sample, assumed, number) for number, name in enumerate(SCENARIOS)}


def detectable(sample: Sample, assumed: Assumptions, scenario: int) -> dict[str, float | None]:
    """What a sample is worth in one of the `SCENARIOS`, by number, and the smallest differences that it resolves.

    Returns
    -------
    dict
        ``design_effect`` and ``effective_images``, for accuracies; ``accuracy_points`` and ``auc_points``, None where
        no model, however good, could be told from the assumed one, or a class has too few patients.
    """
    correlation = assumed.patient_correlation["accuracy"][scenario]
    worth: dict[str, float | None] = {
        "design_effect": design_effect(sample.sizes, correlation),
        "effective_images": effective_images(sample.sizes, correlation),
    }
    for metric, required in _tests(sample, assumed, scenario):
        gain = None if required is None else smallest_gain(required, 1 - getattr(assumed, metric))
        worth[f"{metric}_points"] = None if gain is None else 100 * gain
    return worth


def patients_needed(sample: Sample, assumed: Assumptions, scenario: int) -> dict[str, dict[str, int | None]]:
    """Patients that would resolve each of `POINTS`, with as many images and positives a patient as `sample` has.

    Returns
    -------
    dict
        ``accuracy`` and ``auc``, each from ``1_points`` on; None where the assumed value plus the gain exceeds 1.
    """
    needed: dict[str, dict[str, int | None]] = {}
    for metric, required in _tests(sample, assumed, scenario):
        needed[metric] = {f"{points}_points": None for points in POINTS}
        for points in POINTS:
            if required is not None and getattr(assumed, metric) + points / 100 <= 1:
                times = enlargement(required, points / 100, FEWEST / _rarer(sample, metric))
                needed[metric][f"{points}_points"] = math.ceil(times * sample.n_patients)
    return needed


def resolution_curves(sample: Sample, assumed: Assumptions) -> pd.DataFrame:
    """What more patients, or fewer, of the same kind would resolve.

    Returns
    -------
    DataFrame with the columns ``metric``, ``scenario``, ``patients``, ``points``
        A row a number of patients that resolves anything.
    """
    rows = []
    for number, name in enumerate(SCENARIOS):
        for metric, required in _tests(sample, assumed, number):
            for patients in GRID:
                times = patients / sample.n_patients
                if required is None or times * _rarer(sample, metric) < FEWEST:
                    continue
                gain = smallest_gain(required, 1 - getattr(assumed, metric), times)
                if gain is not None:
                    rows.append((metric, name, int(patients), 100 * gain))
    return pd.DataFrame(rows, columns=["metric", "scenario", "patients", "points"])


def _tests(sample: Sample, assumed: Assumptions, scenario: int) -> Iterator[tuple[str, Required | None]]:
    """Each metric, and its test on these patients; None where a class that it rests on has too few."""
    for metric, test in (("accuracy", _accuracy_test), ("auc", _auc_test)):
        enough = _rarer(sample, metric) >= FEWEST
        correlations = (values[metric][scenario] for values in (assumed.model_correlation, assumed.patient_correlation))
        yield metric, test(sample, assumed, *correlations) if enough else None


def _rarer(sample: Sample, metric: str) -> int:
    """Patients of the smallest sample that a metric is estimated from."""
    return sample.n_patients if metric == "accuracy" else min(len(sample.positive), len(sample.negative))


def _accuracy_test(sample: Sample, assumed: Assumptions, models: float, patients: float) -> Required:
    images = effective_images(sample.sizes, patients)

    def required(gain: float, times: float) -> float:
        test = quantiles(assumed.alpha, assumed.power, times * sample.n_patients - 1)
        return required_accuracy(assumed.accuracy, assumed.accuracy + gain, times * images, models, test)

    return required


def _auc_test(sample: Sample, assumed: Assumptions, models: float, patients: float) -> Required:
    classes = [(effective_images(sizes, patients), len(sizes)) for sizes in (sample.positive, sample.negative)]

    def required(gain: float, times: float) -> float:
        positive, negative = ((times * images, times * n) for images, n in classes)
        freedom = auc_freedom(assumed.auc, positive, negative)
        test = quantiles(assumed.alpha, assumed.power, freedom)
        return required_auc(assumed.auc, assumed.auc + gain, positive[0], negative[0], models, test)

    return required


def format_table(content: dict[str, Any]) -> str:
    """Lay out the content of `resolution`, with its assumptions and its ``note``, if any, as a table for people."""
    assumed = content["assumptions"]
    header = "".join(f"{name:>13}" for name in SCENARIOS)
    lines = [
        f"Smallest difference between two models found with a power of {assumed['power']:.0%} "
        f"(two-sided, alpha {assumed['alpha']:g}), in points",
        f"{'':46}{header}",
    ]
    for part, name in PARTS.items():
        sample = content[part]
        if sample["n_patients"] is None:
            lines.append(f"{name}: no data/splits.csv")
            continue
        lines.append(f"{name} ({sample['n_patients']:,} patients, {sample['n_images']:,} images)")
        for metric, words in (("accuracy", "accuracy"), ("auc", "AUC")):
            values = (_points(sample[scenario][f"{metric}_points"]) for scenario in SCENARIOS)
            lines.append(f"  {words:44}" + "".join(f"{value:>13}" for value in values))
    lines += ["", "Patients that would resolve"]
    for metric, words in (("accuracy", "accuracy"), ("auc", "AUC")):
        for points in POINTS:
            needed = (content["patients_needed"][name][metric][f"{points}_points"] for name in SCENARIOS)
            cells = "".join(f"{'never' if n is None else f'{n:,}':>13}" for n in needed)
            lines.append(f"  {f'{points} {_plural(points)} of {words}':44}{cells}")
    lines += ["", "Assumed correlations"]
    for metric, words in (("accuracy", "accuracy"), ("auc", "AUC")):
        for key, what in (
            ("model_correlation", "between models"),
            ("patient_correlation", "between a patient's images"),
        ):
            lines.append(f"  {f'{words}, {what}':44}" + "".join(f"{value:>13g}" for value in assumed[key][metric]))
    lines += [
        "",
        f"Assumed of the worse model: accuracy {assumed['accuracy']:g}, AUC ({assumed['auc_class']} against the rest) "
        f"{assumed['auc']:g}.",
        "'none': not even a perfect model. Measure the correlations of your own networks: bycase power PREDICTIONS.csv",
    ]
    lines += [f"{content['note'].capitalize()}."] if "note" in content else []
    return "\n".join(lines) + "\n"


def _plural(points: int) -> str:
    return "point" if points == 1 else "points"


def _points(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
