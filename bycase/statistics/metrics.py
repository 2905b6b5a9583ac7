"""Point metrics of a two-class prediction, the same keys whatever the network; more classes: `evaluate.multiclass`."""

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from bycase.statistics.units import Bools, Floats, Integers


def point_metrics(truth: Bools, scores: Floats, predicted: Bools) -> dict[str, float]:
    """Score predicted classes and probabilities; both classes must occur in `truth`.

    Parameters
    ----------
    truth : ndarray of shape (n_units,), bool
        True for the positive class.
    scores : ndarray of shape (n_units,), float64, in [0, 1]
        Predicted probability of the positive class.
    predicted : ndarray of shape (n_units,), bool
        Predicted class.

    Returns
    -------
    dict of str to float
        All in [0, 1], but for ``mcc`` in [-1, 1] and ``log_loss`` in nats, from 0 up. Where nothing is
        predicted positive, ``precision`` and ``f1`` are 0; where all predictions agree, ``mcc`` is 0
        (scikit-learn's conventions).
    """
    metrics = {
        "accuracy": accuracy_score(truth, predicted),
        "balanced_accuracy": balanced_accuracy_score(truth, predicted),
        "auc": roc_auc_score(truth, scores),
        "average_precision": average_precision_score(truth, scores),
        "sensitivity": recall_score(truth, predicted),
        "specificity": recall_score(truth, predicted, pos_label=False),
        "precision": precision_score(truth, predicted, zero_division=0),
        "f1": f1_score(truth, predicted, zero_division=0),
        "macro_f1": f1_score(truth, predicted, average="macro", zero_division=0),
        "mcc": matthews_corrcoef(truth, predicted),
        "log_loss": log_loss(truth, scores, labels=[False, True]),
        "brier": brier_score_loss(truth, scores, labels=[False, True], pos_label=True),
    }
    return {name: float(value) for name, value in metrics.items()}


def baseline_prediction(n_units: int, prior: float) -> tuple[Floats, Bools]:
    """Predict the training part's majority class for every unit, with its prior as the probability.

    Parameters
    ----------
    n_units : int
        Units to predict.
    prior : float, in [0, 1]
        Share of the positive class in the training part.

    Returns
    -------
    scores : ndarray of shape (n_units,), float64
        All equal to `prior`.
    predicted : ndarray of shape (n_units,), bool
        All true where `prior` is at least 0.5, else all false.
    """
    return np.full(n_units, prior), np.full(n_units, prior >= 0.5)


def training_priors(training: pd.DataFrame, positive: str) -> dict[str, float]:
    """Share of the positive class in the training part, among images and among patients.

    Parameters
    ----------
    training : DataFrame with the columns ``group`` (patient) and ``label``
        One row an image.
    positive : str
        The positive class.

    Returns
    -------
    dict with the keys ``image`` and ``patient``
        Shares in [0, 1]; as in `bycase.statistics.units.patient_units`, a patient with both labels counts
        once a label.
    """
    patients = training[["group", "label"]].drop_duplicates()
    return {
        "image": float((training["label"] == positive).mean()),
        "patient": float((patients["label"] == positive).mean()),
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


def weighted_recognition_rate(right: Bools, patient: Integers, counts: Integers) -> Floats:
    """The recognition rate of resampled patients.

    Parameters
    ----------
    right, patient : ndarray of shape (n_images,)
        See `patient_scores`.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    ndarray of shape (n_resamples,), float64, in [0, 1]
    """
    rates: Floats = counts @ patient_scores(right, patient) / counts.sum(axis=1)
    return rates
