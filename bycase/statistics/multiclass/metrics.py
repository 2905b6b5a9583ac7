"""Point metrics of a prediction of several classes, the same keys whatever the network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Floats


def point_metrics(units: ClassUnits) -> dict[str, Any]:
    """Score predicted classes and probabilities; every class must occur.

    Parameters
    ----------
    units : ClassUnits
        Images or patients.

    Returns
    -------
    dict
        ``accuracy``; unweighted means over the classes, each against the rest: ``balanced_accuracy`` (of recall),
        also called ``sensitivity``, ``specificity``, ``macro_f1``, ``auc`` and ``average_precision``; ``log_loss`` in
        nats, from 0 up; ``brier``, half the squared distance from the true class's corner, in [0, 1] as with two
        classes (Brier, 1950, did not halve). ``per_class``: for each class ``recall`` (its sensitivity),
        ``specificity``, ``precision``, ``f1``, ``auc``, ``average_precision`` and ``n``. Where a class is never
        predicted, its precision and F1 are 0.
    """
    numbers = range(len(units.classes))
    precision, recall, f1, n = precision_recall_fscore_support(
        units.truth, units.predicted, labels=list(numbers), zero_division=0
    )
    rest = [units.against_rest(number) for number in numbers]
    columns = {
        "recall": recall,
        "specificity": np.array([(units.predicted[~of.truth] != number).mean() for number, of in enumerate(rest)]),
        "precision": precision,
        "f1": f1,
        "auc": np.array([roc_auc_score(of.truth, of.scores) for of in rest]),
        "average_precision": np.array([average_precision_score(of.truth, of.scores) for of in rest]),
    }
    metrics = {
        "accuracy": accuracy_score(units.truth, units.predicted),
        "balanced_accuracy": recall.mean(),
        "sensitivity": recall.mean(),
        "specificity": columns["specificity"].mean(),
        "macro_f1": f1.mean(),
        "auc": columns["auc"].mean(),
        "average_precision": columns["average_precision"].mean(),
        "log_loss": log_loss(units.truth, units.scores, labels=list(numbers)),
        "brier": brier_score_loss(units.truth, units.scores, labels=list(numbers), scale_by_half=True),
    }
    per_class = {
        label: {name: float(values[number]) for name, values in columns.items()} | {"n": int(n[number])}
        for number, label in enumerate(units.classes)
    }
    return {name: float(value) for name, value in metrics.items()} | {"per_class": per_class}


def baseline_metrics(units: ClassUnits, priors: Floats) -> dict[str, float]:
    """The metrics, but those of single classes, of predicting the training part's class shares for every unit.

    Parameters
    ----------
    units : ClassUnits
        Images or patients.
    priors : ndarray of shape (n_classes,), float64
        Shares of the classes in the training part; they sum to 1.
    """
    constant = ClassUnits(units.classes, units.truth, np.tile(priors, (len(units.truth), 1)), units.patient)
    metrics = point_metrics(constant)
    del metrics["per_class"]
    return metrics


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
        Arrays of shape (n_classes,), float64; as in `bycase.statistics.multiclass.units.patient_class_units`,
        a patient with several labels counts once a label.
    """
    levels = {"image": training, "patient": training[["group", "label"]].drop_duplicates()}
    return {
        level: np.array([(rows["label"] == label).mean() for label in classes], np.float64)
        for level, rows in levels.items()
    }
