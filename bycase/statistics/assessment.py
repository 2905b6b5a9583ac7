"""The content of `metrics/metrics.json`: every metric at image and patient level, with baseline and interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.params_training import EvaluateParams
from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Statistic, bootstrap, weighted_metrics
from bycase.statistics.calibration.assessment import assess_calibration
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metrics import (
    baseline_prediction,
    point_metrics,
    recognition_rate,
    training_priors,
    weighted_recognition_rate,
)
from bycase.statistics.multiclass import assessment as multiclass
from bycase.statistics.multiclass.metrics import training_priors as class_priors
from bycase.statistics.multiclass.subgroups import assess_class_subgroups
from bycase.statistics.multiclass.units import class_units
from bycase.statistics.operating_points import choose_operating_points, describe_operating_points, weighted_rates
from bycase.statistics.subgroups import assess_subgroups, list_subgroups
from bycase.statistics.threshold import choose_threshold
from bycase.statistics.units import Floats, Integers, Units, image_units, patient_units
from bycase.tables.predictions import TEST, VALIDATION

VALIDATION_METRICS = ("auc", "accuracy", "balanced_accuracy", "log_loss")


def assess_predictions(
    validation: pd.DataFrame,
    test: pd.DataFrame,
    manifest: pd.DataFrame,
    training: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
    settings: EvaluateParams,
    seed: int,
) -> dict[str, Any]:
    """Score predictions of two classes by `assess`, of more by `bycase.statistics.multiclass.assessment.assess`.

    Either also has ``subgroups``; see `bycase.statistics.subgroups.assess_subgroups`.

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
        How the threshold of two classes is chosen, and the number of resamples.
    seed : int
        The pipeline's seed.

    Raises
    ------
    UserError
        If validation or test has an image that is not in the manifest, or none of some class.
    """
    parts = {VALIDATION: validation, TEST: test}
    members = list_subgroups(test, manifest)
    resamples = settings.resamples
    if len(classes) > 2 or positive is None:
        several = {name: class_units(part, manifest, classes, name) for name, part in parts.items()}
        shares = class_priors(training, classes)
        metrics = multiclass.assess(several[VALIDATION], several[TEST], shares, resamples, seed)
        return metrics | {"subgroups": assess_class_subgroups(several[TEST], members, resamples, seed)}
    two = {name: image_units(part, manifest, classes, positive, name) for name, part in parts.items()}
    metrics = assess(two[VALIDATION], two[TEST], training_priors(training, positive), settings, seed)
    thresholds = {level: metrics[level]["threshold"] for level in ("image", "patient")}
    return metrics | {"subgroups": assess_subgroups(two[TEST], members, thresholds, resamples, seed)}


def assess(
    validation: Units, test: Units, priors: Mapping[str, float], settings: EvaluateParams, seed: int
) -> dict[str, Any]:
    """Choose thresholds on validation and score the test part with them.

    Parameters
    ----------
    validation, test : Units
        One unit an image.
    priors : mapping
        Share of the positive class among the training part's images (``image``) and patients (``patient``).
    settings : EvaluateParams
        How the threshold is chosen, and the number of resamples.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``image`` and ``patient``: metrics on test, ``threshold``, ``n`` (units), ``n_patients``,
        ``baseline`` (the majority class of the training part), ``operating_points`` (see
        `bycase.statistics.operating_points`), ``ci`` (95 % intervals, and ``resamples``, the number used); the
        patient level also has ``recognition_rate``. ``validation``: the main metrics where the threshold was
        chosen, which flatters its accuracies. ``calibration``: see `bycase.statistics.calibration.assessment`. All
        leaves are numbers.
    """
    image_threshold = choose_threshold(validation.truth, validation.scores, settings)
    image = _assess_level(validation, test, image_threshold, priors["image"], lambda _: {}, settings.resamples, seed)

    patients, validation_patients = patient_units(test), patient_units(validation)
    patient_threshold = choose_threshold(validation_patients.truth, validation_patients.scores, settings)
    right = test.truth == (test.scores >= image_threshold)
    patient = _assess_level(
        validation_patients,
        patients,
        patient_threshold,
        priors["patient"],
        lambda counts: {"recognition_rate": weighted_recognition_rate(right, test.patient, counts)},
        settings.resamples,
        seed,
    )
    constant = baseline_prediction(len(test.truth), priors["image"])[1]
    patient["baseline"]["recognition_rate"] = recognition_rate(test.truth == constant, test.patient)
    return {
        "image": image,
        "patient": patient,
        "validation": {
            "image": _assess_validation(validation, image_threshold),
            "patient": _assess_validation(validation_patients, patient_threshold),
        },
        "calibration": assess_calibration(validation, test, settings.resamples, seed),
    }


def _assess_level(
    validation: Units, test: Units, threshold: float, prior: float, more: Statistic, resamples: int, seed: int
) -> dict[str, Any]:
    """The metrics of one level and of `more`, with intervals; both levels draw the same patients."""
    predicted = test.scores >= threshold
    thresholds = choose_operating_points(validation)

    def statistic(counts: Integers) -> dict[str, Floats]:
        rates = weighted_rates(test, thresholds, counts)
        return {**weighted_metrics(test, predicted, counts), **more(counts), **rates}

    values = bootstrap(test, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    whole = {name: float(of[0]) for name, of in more(np.ones((1, test.n_patients), np.int64)).items()}
    metrics = {**point_metrics(test.truth, test.scores, predicted), **whole}
    limits: dict[str, Any] = {name: metric_interval(name, metrics[name], values[name], test) for name in metrics}
    return {
        **metrics,
        "threshold": threshold,
        "n": len(test.truth),
        "n_patients": test.n_patients,
        "baseline": point_metrics(test.truth, *baseline_prediction(len(test.truth), prior)),
        "operating_points": describe_operating_points(test, thresholds, values),
        "ci": limits | {"resamples": len(values["auc"])},
    }


def _assess_validation(validation: Units, threshold: float) -> dict[str, float]:
    metrics = point_metrics(validation.truth, validation.scores, validation.scores >= threshold)
    return {name: metrics[name] for name in VALIDATION_METRICS} | {"n": len(validation.truth)}
