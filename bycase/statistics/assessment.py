"""The content of `metrics/metrics.json`: every metric at image and patient level, with baseline and interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.core.params_training import EvaluateParams
from bycase.core.seeding import generator
from bycase.statistics.aggregation import describe_aggregation, with_rule
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.calibration.assessment import assess_calibration
from bycase.statistics.calibration.temperature import scale_units
from bycase.statistics.comparison.differences import differences_from
from bycase.statistics.decisions import describe_decisions
from bycase.statistics.interactions import assess_interactions
from bycase.statistics.intervals import metric_interval, metric_intervals
from bycase.statistics.metrics import (
    constant_units,
    point_metrics,
    recognition_rate,
    training_priors,
    weighted_metrics,
)
from bycase.statistics.subgroups import assess_subgroups, list_subgroups
from bycase.statistics.thresholds import (
    choose_operating_points,
    choose_threshold,
    describe_operating_points,
)
from bycase.statistics.units import Floats, Units, image_units, patient_units
from bycase.tables.predictions import TEST, VALIDATION

OVER_CONSTANT = ("auc", "accuracy", "balanced_accuracy", "brier", "log_loss")
VALIDATION_METRICS = ("auc", "accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def assess_predictions(
    validation: pd.DataFrame,
    test: pd.DataFrame,
    manifest: pd.DataFrame,
    training: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
    settings: EvaluateParams,
    seed: int,
    edges: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Score predictions by `assess`; their subgroups by `bycase.statistics.subgroups` and `...interactions`.

    Parameters
    ----------
    validation, test : DataFrame
        See `bycase.tables.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are; and of which subgroups, see `bycase.statistics.subgroups.list_subgroups`.
    training : DataFrame with the columns ``group``, ``label``
        One row an image of the training part.
    classes : sequence of str
        All classes.
    positive : str or None
        Of two classes, the one that is looked for.
    settings : EvaluateParams
        How the threshold of the positive class is chosen and patients are made of images, and the number of resamples.
    seed : int
        The pipeline's seed.
    edges : mapping, optional
        See `bycase.statistics.subgroups.list_subgroups`.

    Raises
    ------
    UserError
        If validation or test has an image that is not in the manifest, or none of some class.
    """
    images = {
        name: image_units(part, manifest, classes, positive, name)
        for name, part in ((VALIDATION, validation), (TEST, test))
    }
    metrics = assess(images[VALIDATION], images[TEST], training_priors(training, classes), settings, seed)
    _, images[TEST] = with_rule(images[VALIDATION], images[TEST], settings)
    thresholds = {level: metrics[level].get("threshold") for level in ("image", "patient")}
    subgroups, tested = list_subgroups(test, manifest, edges), images[TEST].with_threshold(thresholds["image"])
    return metrics | {
        "subgroups": assess_subgroups(images[TEST], subgroups, thresholds, settings.resamples, seed),
        "interactions": assess_interactions(tested, subgroups, thresholds["patient"], seed),
    }


@dataclass(frozen=True)
class _Level:
    """Images or patients of validation and test, and the positive class's threshold, which validation gives."""

    validation: Units | None
    test: Units
    threshold: float | None


def assess(
    validation: Units | None, test: Units, priors: Mapping[str, Floats], settings: EvaluateParams, seed: int
) -> dict[str, Any]:
    """Choose thresholds on validation and score the test part with them.

    Parameters
    ----------
    validation, test : Units
        One unit an image; with a positive class, its threshold is yet to be chosen. Without validation, images keep the
        classes that they come with, patients are decided by the fixed threshold, and all that is chosen on validation
        is left out.
    priors : mapping
        Shares of the classes among the training part's images (``image``) and patients (``patient``).
    settings : EvaluateParams
        How the threshold is chosen and patients are made of images, and the number of resamples.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``image`` and ``patient``: metrics on test (see `bycase.statistics.metrics.weighted_metrics`), ``n`` (units),
        ``n_patients``, ``baseline`` (the class shares of the training part, its majority class predicted), ``ci`` (95 %
        intervals, and ``resamples``, the number drawn), ``over_constant`` (`OVER_CONSTANT` less those of the baseline,
        paired; see `bycase.statistics.comparison.differences.differences_from`); the patient level also has
        ``recognition_rate``. With a positive class ``threshold`` and ``operating_points`` (see
        `bycase.statistics.thresholds`); without one ``per_class``, also ``n``. ``validation``: the main metrics where
        the threshold was chosen, which flatters its accuracies. ``calibration``: see
        `bycase.statistics.calibration.assessment`. ``decisions``, with a positive class: see
        `bycase.statistics.decisions.describe_decisions`. ``aggregation``: how patients are made of images, see
        `bycase.statistics.aggregation.describe_aggregation`; the rules in it are the only leaves that are no numbers.
    """
    validation, test = with_rule(validation, test, settings)
    if validation is None:
        image, patient = (_Level(None, units, None) for units in (test, patient_units(test, settings.fixed_threshold)))
    else:
        image, patient = (
            _decide(*units, settings)
            for units in ((validation, test), (patient_units(validation), patient_units(test)))
        )
    images, resamples = image.test, settings.resamples
    content: dict[str, Any] = {
        "image": _with_baseline(image, priors["image"], None, resamples, seed),
        "patient": _with_baseline(patient, priors["patient"], images, resamples, seed),
    }
    constant = constant_units(images, priors["image"])
    content["patient"]["baseline"]["recognition_rate"] = recognition_rate(constant.right, images.patient)
    if image.validation is not None and patient.validation is not None:
        content["validation"] = {
            "image": _assess_validation(image.validation),
            "patient": _assess_validation(patient.validation),
        }
    content["aggregation"] = describe_aggregation(validation, test, settings)
    content["calibration"] = assess_calibration(validation, test, seed)
    levels = {"image": image.test, "patient": patient.test}
    scaled = scale_units(patient.test, content["calibration"]["patient"].get("temperature", 1.0))
    decisions = describe_decisions(levels, scaled, settings.prevalence, seed)
    return content | ({"decisions": decisions} if decisions else {})


def _decide(validation: Units, test: Units, settings: EvaluateParams) -> _Level:
    threshold = choose_threshold(validation, settings)
    return _Level(validation.with_threshold(threshold), test.with_threshold(threshold), threshold)


def _with_baseline(level: _Level, priors: Floats, images: Units | None, resamples: int, seed: int) -> dict[str, Any]:
    """One level's `assess_level`, and what the class shares of the training part alone would reach."""
    points = {} if level.validation is None else choose_operating_points(level.validation)
    content = assess_level(level.test, level.threshold, points, images, resamples, seed)
    constant = constant_units(level.test, priors)
    content["baseline"] = point_metrics(constant)
    content["baseline"].pop("per_class", None)
    content["over_constant"] = differences_from(level.test, constant, OVER_CONSTANT)
    return content


def assess_level(
    test: Units,
    threshold: float | None,
    points: Mapping[str, float],
    images: Units | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Score images, or patients, by what was chosen elsewhere; images and patients of one seed draw the same patients.

    Parameters
    ----------
    test : Units
        Images or patients, classes predicted with `threshold`.
    threshold : float, in [0, 1], or None
        The positive class's; None without one.
    points : mapping of str to float
        Thresholds of operating points, see `bycase.statistics.thresholds.choose_operating_points`.
    images : Units or None
        The images of the patients, for the recognition rate.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        As ``image`` and ``patient`` of `assess`, without ``baseline`` and ``over_constant``.
    """
    random = generator(seed, "evaluate", "bootstrap")
    values = bootstrap(test, lambda counts: weighted_metrics(test, counts), resamples, random)
    metrics = point_metrics(test)
    content = {
        **metrics,
        "n": len(test.truth),
        "n_patients": test.n_patients,
        "ci": metric_intervals(metrics, values, test),
    }
    if images is not None:
        rate = recognition_rate(images.right, images.patient)
        content["recognition_rate"] = rate
        content["ci"]["recognition_rate"] = metric_interval("recognition_rate", rate, None, images)
    if test.positive is None:
        for number, label in enumerate(test.classes):
            content["per_class"][label]["n"] = int((test.truth == number).sum())
    if threshold is None:
        return content
    return content | {"threshold": threshold, "operating_points": describe_operating_points(test, points)}


def _assess_validation(validation: Units) -> dict[str, float]:
    metrics = point_metrics(validation)
    return {name: metrics[name] for name in VALIDATION_METRICS} | {"n": len(validation.truth)}
