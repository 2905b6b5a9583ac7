"""Metrics of any number of classes, the same keys whatever the network, on patients as they are or resampled.

A class of few patients is missing from many resamples. Leaving all of those out would leave few resamples
and none in which such a patient is not drawn; so a class's own metrics rest on the resamples that hold it, and a
mean over classes is one over those that the resample holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.bootstrap import divide, log_losses, on_all_patients, rank_metrics_within, weighted_sums
from bycase.statistics.units import Bools, Floats, Integers, Units

# Means over the classes, by the metric of a class.
MEANS = {"balanced_accuracy": "recall", "macro_f1": "f1", "auc": "auc", "average_precision": "average_precision"}
CLASS = "class_"  # before the names of metrics by class among resampled values


def weighted_metrics(units: Units, counts: Integers) -> dict[str, Floats]:
    """The metrics that get an interval, for every resample; with counts of 1, those of the units themselves.

    Parameters
    ----------
    units : Units
        Images or patients.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    dict of str to ndarray
        Of shape (n_resamples,), float64: ``accuracy``; unweighted means over the classes, ``balanced_accuracy`` (of
        recall) and ``macro_f1``; ``auc`` and ``average_precision``, of the positive class or means over each class
        against the rest, with ranks compared within folds; ``log_loss`` in nats, from 0 up; ``brier``, half the squared
        distance from the true class's corner, in [0, 1] (Brier, 1950, did not halve). With a positive class also its
        ``sensitivity``, ``specificity``, ``precision``, ``npv`` (the other class's precision) and ``f1``, and ``mcc``
        in [-1, 1]. Without one, of shape (n_resamples, n_classes) and each after `CLASS`: ``recall``, ``specificity``,
        ``precision``, ``f1``, ``auc``, ``average_precision``. A class that is never predicted has a precision and F1 of
        0; with one predicted class ``mcc`` is 0. NaN where a resample lacks the class, or what it is compared with.
    """
    n_classes = len(units.classes)
    identity = np.eye(n_classes)
    truth, predicted = identity[units.truth], identity[units.predicted]
    squares = ((units.scores - truth) ** 2).sum(axis=1) / 2
    losses = log_losses(units.scores[np.arange(len(truth)), units.truth])
    sums = weighted_sums(units, np.column_stack([truth, predicted, truth * predicted, squares, losses]), counts)
    n_true, n_predicted, n_right = np.split(sums[:, : 3 * n_classes], 3, axis=1)
    n_units, held = n_true.sum(axis=1), n_true > 0
    n_others = n_units[:, None] - n_true
    of_classes = {
        "recall": divide(n_right, n_true),
        "specificity": divide(n_others - n_predicted + n_right, n_others),
        "precision": divide(n_right, n_predicted, 0),
        "f1": divide(2 * n_right, n_true + n_predicted),
    }
    by_class = {name: np.where(held, values, np.nan) for name, values in of_classes.items()}
    ranks = [rank_metrics_within(units.against_rest(number), counts) for number in units.targets]
    by_class |= dict(zip(("auc", "average_precision"), map(np.column_stack, zip(*ranks, strict=True)), strict=True))
    several = held.sum(axis=1) > 1
    metrics = {
        "accuracy": n_right.sum(axis=1) / n_units,
        "brier": sums[:, -2] / n_units,
        "log_loss": sums[:, -1] / n_units,
        **{name: np.where(several, _mean(by_class[of_class]), np.nan) for name, of_class in MEANS.items()},
    }
    if units.positive is None:
        return metrics | {CLASS + name: values for name, values in by_class.items()}
    own, other = units.positive, 1 - units.positive
    agreement = n_right[:, own] * n_right[:, other] - (n_true - n_right).prod(axis=1)
    return metrics | {
        "sensitivity": by_class["recall"][:, own],
        "specificity": by_class["recall"][:, other],
        "precision": by_class["precision"][:, own],
        "npv": by_class["precision"][:, other],
        "f1": by_class["f1"][:, own],
        "mcc": np.where(several, divide(agreement, np.sqrt(n_true.prod(axis=1) * n_predicted.prod(axis=1)), 0), np.nan),
    }


def point_metrics(units: Units) -> dict[str, Any]:
    """The metrics of the units themselves, plain numbers; those by class are ``per_class``, by class and name."""
    values = on_all_patients(units, lambda counts: weighted_metrics(units, counts))
    metrics: dict[str, Any] = {name: float(value) for name, value in values.items() if not np.ndim(value)}
    by_class = {name.removeprefix(CLASS): value for name, value in values.items() if np.ndim(value)}
    if by_class:
        metrics["per_class"] = {
            label: {name: float(value[number]) for name, value in by_class.items()}
            for number, label in enumerate(units.classes)
        }
    return metrics


def constant_units(units: Units, shares: Floats) -> Units:
    """The units as predicted by one who knows the training part's class shares, (n_classes,), and nothing else."""
    return replace(units, scores=np.tile(shares, (len(units.truth), 1))).with_threshold(None)


def training_priors(training: pd.DataFrame, classes: Sequence[str]) -> dict[str, Floats]:
    """Shares of the classes in the training part, among images and among patients.

    Parameters
    ----------
    training : DataFrame with the columns ``group`` (patient) and ``label``
        One row an image.
    classes : sequence of str
        All classes.

    Returns
    -------
    dict with the keys ``image`` and ``patient``
        Arrays of shape (n_classes,), float64; as in `bycase.statistics.units.patient_units`, a patient with several
        labels counts once a label.
    """
    levels = {"image": training, "patient": training[["group", "label"]].drop_duplicates()}
    return {
        level: np.array([(rows["label"] == label).mean() for label in classes], np.float64)
        for level, rows in levels.items()
    }


def patient_scores(right: Bools, patient: Integers) -> Floats:
    """Share of each patient's images that are classified rightly: the patient score of Spanhol et al. (2016).

    Parameters
    ----------
    right : ndarray of shape (n_images,), bool
        Whether each image's class is predicted.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose it is.

    Returns
    -------
    ndarray of shape (n_patients,), float64, in [0, 1]
    """
    total: Integers = np.bincount(patient)
    return np.bincount(patient, weights=right) / total


def recognition_rate(right: Bools, patient: Integers) -> float:
    """Mean of the patient scores over patients, so that every patient weighs the same.

    Spanhol, F. A. et al. (2016). A Dataset for Breast Cancer Histopathological Image Classification.
    IEEE Transactions on Biomedical Engineering 63(7), equations 1 and 2.
    """
    return float(patient_scores(right, patient).mean())


def _mean(values: Floats) -> Floats:
    """Over the classes that have a value; NaN where none has."""
    return divide(np.nansum(values, axis=1), np.isfinite(values).sum(axis=1))
