"""The content of `metrics/metrics.json`: every metric at image and patient level, with baseline and interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stages.common.seeding import generator
from stages.common.training_params import EvaluateParams
from stages.evaluate.bootstrap import Statistic, bootstrap, weighted_metrics
from stages.evaluate.intervals import metric_interval
from stages.evaluate.metrics import (
    baseline_prediction,
    point_metrics,
    recognition_rate,
    training_priors,
    weighted_recognition_rate,
)
from stages.evaluate.multiclass import assessment as multiclass
from stages.evaluate.multiclass.metrics import training_priors as class_priors
from stages.evaluate.multiclass.units import class_units
from stages.evaluate.predictions import TEST, VALIDATION
from stages.evaluate.threshold import choose_threshold
from stages.evaluate.units import Units, image_units, patient_units

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
    """Score predictions of two classes by `assess`, of more by `stages.evaluate.multiclass.assessment.assess`.

    Parameters
    ----------
    validation, test : DataFrame
        See `stages.evaluate.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
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
    if len(classes) > 2 or positive is None:
        several = {name: class_units(part, manifest, classes, name) for name, part in parts.items()}
        shares = class_priors(training, classes)
        return multiclass.assess(several[VALIDATION], several[TEST], shares, settings.resamples, seed)
    two = {name: image_units(part, manifest, classes, positive, name) for name, part in parts.items()}
    return assess(two[VALIDATION], two[TEST], training_priors(training, positive), settings, seed)


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
        ``baseline`` (the majority class of the training part), ``ci`` (95 % intervals, and ``resamples``,
        the number used); the patient level also has ``recognition_rate``. ``validation``: the main
        metrics where the threshold was chosen, which flatters its accuracies. All leaves are numbers.
    """
    image_threshold = choose_threshold(validation.truth, validation.scores, settings)
    image_predicted = test.scores >= image_threshold
    image_baseline = baseline_prediction(len(test.truth), priors["image"])[1]
    image = _assess_level(test, image_threshold, priors["image"])
    image["ci"] = _intervals(
        test, image, lambda counts: weighted_metrics(test, image_predicted, counts), settings.resamples, seed
    )

    patients, validation_patients = patient_units(test), patient_units(validation)
    patient_threshold = choose_threshold(validation_patients.truth, validation_patients.scores, settings)
    patient_predicted = patients.scores >= patient_threshold
    patient = _assess_level(patients, patient_threshold, priors["patient"])
    right = test.truth == image_predicted
    patient["recognition_rate"] = recognition_rate(right, test.patient)
    patient["baseline"]["recognition_rate"] = recognition_rate(test.truth == image_baseline, test.patient)
    patient["ci"] = _intervals(
        patients,
        patient,
        lambda counts: {
            **weighted_metrics(patients, patient_predicted, counts),
            "recognition_rate": weighted_recognition_rate(right, test.patient, counts),
        },
        settings.resamples,
        seed,
    )
    return {
        "image": image,
        "patient": patient,
        "validation": {
            "image": _assess_validation(validation, image_threshold),
            "patient": _assess_validation(validation_patients, patient_threshold),
        },
    }


def _assess_level(test: Units, threshold: float, prior: float) -> dict[str, Any]:
    scores, predicted = baseline_prediction(len(test.truth), prior)
    return {
        **point_metrics(test.truth, test.scores, test.scores >= threshold),
        "threshold": threshold,
        "n": len(test.truth),
        "n_patients": test.n_patients,
        "baseline": point_metrics(test.truth, scores, predicted),
    }


def _assess_validation(validation: Units, threshold: float) -> dict[str, float]:
    metrics = point_metrics(validation.truth, validation.scores, validation.scores >= threshold)
    return {name: metrics[name] for name in VALIDATION_METRICS} | {"n": len(validation.truth)}


def _intervals(
    units: Units, metrics: Mapping[str, float], statistic: Statistic, resamples: int, seed: int
) -> dict[str, Any]:
    """Intervals of all that `statistic` returns; both levels draw the same patients."""
    values = bootstrap(units, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    intervals: dict[str, Any] = {
        name: metric_interval(name, metrics[name], drawn, units) for name, drawn in values.items()
    }
    return intervals | {"resamples": len(values["auc"])}
