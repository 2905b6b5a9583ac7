"""The content of `metrics/metrics.json` with more than two classes."""

from collections.abc import Mapping
from typing import Any

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Statistic, bootstrap
from bycase.statistics.calibration.assessment import assess_calibration
from bycase.statistics.metrics import recognition_rate, weighted_recognition_rate
from bycase.statistics.multiclass.bootstrap import weighted_class_metrics
from bycase.statistics.multiclass.intervals import class_intervals
from bycase.statistics.multiclass.metrics import baseline_metrics, point_metrics
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units
from bycase.statistics.units import Floats

VALIDATION_METRICS = ("auc", "accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def assess(
    validation: ClassUnits, test: ClassUnits, priors: Mapping[str, Floats], resamples: int, seed: int
) -> dict[str, Any]:
    """Score the test part; the predicted class is the most probable one, so that nothing is chosen.

    Parameters
    ----------
    validation, test : ClassUnits
        One unit an image.
    priors : mapping
        Shares of the classes among the training part's images (``image``) and patients (``patient``).
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``image`` and ``patient``: metrics on test, ``per_class``, ``n`` (units), ``n_patients``, ``baseline`` (the
        class shares of the training part), ``ci`` (95 % intervals, and ``resamples``, the number used); the
        patient level also has ``recognition_rate``. ``validation``: the main metrics on validation.
        ``calibration``: see `bycase.statistics.calibration.assessment`. All leaves are numbers.
    """
    image = _assess_level(test, priors["image"])
    image["ci"] = _intervals(test, image, lambda counts: weighted_class_metrics(test, counts), resamples, seed)

    patients = patient_class_units(test)
    patient = _assess_level(patients, priors["patient"])
    patient["recognition_rate"] = recognition_rate(test.right, test.patient)
    majority = test.truth == priors["image"].argmax()
    patient["baseline"]["recognition_rate"] = recognition_rate(majority, test.patient)
    patient["ci"] = _intervals(
        patients,
        patient,
        lambda counts: {
            **weighted_class_metrics(patients, counts),
            "recognition_rate": weighted_recognition_rate(test.right, test.patient, counts),
        },
        resamples,
        seed,
    )
    return {
        "image": image,
        "patient": patient,
        "validation": {
            "image": _assess_validation(validation),
            "patient": _assess_validation(patient_class_units(validation)),
        },
        "calibration": assess_calibration(validation, test, resamples, seed),
    }


def _assess_level(test: ClassUnits, priors: Floats) -> dict[str, Any]:
    return {
        **point_metrics(test),
        "n": len(test.truth),
        "n_patients": test.n_patients,
        "baseline": baseline_metrics(test, priors),
    }


def _assess_validation(validation: ClassUnits) -> dict[str, float]:
    metrics = point_metrics(validation)
    return {name: metrics[name] for name in VALIDATION_METRICS} | {"n": len(validation.truth)}


def _intervals(
    units: ClassUnits, metrics: Mapping[str, Any], statistic: Statistic, resamples: int, seed: int
) -> dict[str, Any]:
    """Intervals of all that `statistic` returns; both levels draw the same patients."""
    values = bootstrap(units, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    return {**class_intervals(metrics, values, units), "resamples": len(values["auc"])}
