"""AUC and accuracy of out-of-fold predictions, on the images as they are and on resampled patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bycase.statistics.bootstrap import rank_metrics

METRICS = ("auc", "accuracy")
CHUNK = 4_000_000  # numbers in one array of resamples x images: 32 MB

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def draw_patients(truth: Integers, patient: Integers, resamples: int, random: np.random.Generator) -> Integers:
    """Draw patients with replacement; draws that lack a class, and so have no AUC, are left out.

    Parameters
    ----------
    truth : ndarray of shape (n_images,), int64, in [0, n_classes)
        Class numbers.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose image it is.
    resamples : int
        Draws.
    random : Generator
        Decides them.

    Returns
    -------
    ndarray of shape (n_used, n_patients), int64
        How often each patient was drawn.
    """
    n_patients = int(patient.max()) + 1
    counts = random.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=resamples)
    has_class = np.zeros((n_patients, int(truth.max()) + 1), np.int64)
    has_class[patient, truth] = 1
    return counts[(counts @ has_class > 0).all(axis=1)]


def point_scores(truth: Integers, predictions: Sequence[Floats]) -> dict[str, float]:
    """The scores of all images; see `resampled_scores`."""
    each_once = np.ones((1, len(truth)), np.int64)
    everyone = np.arange(len(truth))
    return {
        name: float(values[0]) for name, values in resampled_scores(truth, predictions, everyone, each_once).items()
    }


def resampled_scores(
    truth: Integers, predictions: Sequence[Floats], patient: Integers, counts: Integers
) -> dict[str, Floats]:
    """AUC and accuracy in every resample, each the mean over repeats of the cross-validation.

    Parameters
    ----------
    truth : ndarray of shape (n_images,), int64, in [0, n_classes)
        Class numbers.
    predictions : sequence of ndarray of shape (n_images, n_classes), float64
        Probabilities, one array a repeat.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose image it is.
    counts : ndarray of shape (n_resamples, n_patients), int64
        How often each patient was drawn.

    Returns
    -------
    dict of str to ndarray of shape (n_resamples,), float64, in [0, 1]
        ``auc`` (of several classes: the mean of each against the rest) and ``accuracy`` (of the most
        probable class).
    """
    at_once = max(1, CHUNK // len(truth))
    pieces = [
        _scores(truth, predictions, counts[start : start + at_once][:, patient])
        for start in range(0, len(counts), at_once)
    ]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in METRICS}


def _scores(truth: Integers, predictions: Sequence[Floats], weights: Integers) -> dict[str, Floats]:
    n_classes = predictions[0].shape[1]
    # Of two classes each has the same AUC against the other.
    classes = range(1, 2) if n_classes == 2 else range(n_classes)
    aucs = [rank_metrics(truth == k, each[:, k], weights)[0] for each in predictions for k in classes]
    right = [weights @ (each.argmax(axis=1) == truth) for each in predictions]
    return {"auc": np.mean(aucs, axis=0), "accuracy": np.mean(right, axis=0) / weights.sum(axis=1)}
