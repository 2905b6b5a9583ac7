"""Validation scores after an epoch, and which of them decides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def score(y: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Scores of predicted probabilities; a class is predicted where it is the most probable.

    Parameters
    ----------
    y : ndarray of shape (n_images,)
        Classes as numbers; every class occurs.
    probabilities : ndarray of shape (n_images, n_classes)
        Rows sum to 1.

    Returns
    -------
    dict
        ``val_loss`` (cross-entropy, nats), ``val_accuracy``, ``val_auc`` (beyond two classes macro, one
        against the rest), ``val_balanced_accuracy``, ``val_f1`` (of the second of two classes, else
        macro) and ``val_top_share``, the share of images that are predicted the most often predicted class.
    """
    from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, roc_auc_score

    n_classes = probabilities.shape[1]
    binary = n_classes == 2
    predicted = probabilities.argmax(axis=1)
    return {
        "val_loss": float(log_loss(y, probabilities, labels=np.arange(n_classes))),
        "val_accuracy": float((predicted == y).mean()),
        "val_auc": float(roc_auc_score(y, probabilities[:, 1] if binary else probabilities, multi_class="ovr")),
        "val_balanced_accuracy": float(balanced_accuracy_score(y, predicted)),
        "val_f1": float(f1_score(y, predicted, average="binary" if binary else "macro", zero_division=0)),
        "val_top_share": float(np.bincount(predicted).max() / len(y)),
    }


def monitor_score(row: dict[str, Any], monitor: str) -> float:
    """The score of a row of the history that decides about the best epoch, higher being better.

    `monitor` is 'auc', 'accuracy', 'balanced_accuracy', 'f1' or 'loss', of validation.
    """
    value = float(row[f"val_{monitor}"])
    return -value if monitor == "loss" else value
