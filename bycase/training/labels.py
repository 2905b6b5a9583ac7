"""Class labels as numbers and as targets, and how much each training image counts."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def order_classes(classes: list[str], positive: str | None) -> list[str]:
    """The order of a network's outputs: with two classes the positive one last, else as listed."""
    if positive is None or len(classes) != 2:
        return list(classes)
    return [*(label for label in classes if label != positive), positive]


def encode(labels: "pd.Series[str]", classes: list[str]) -> NDArray[np.int64]:
    """Positions of `labels` in `classes`; shape (n_images,)."""
    return pd.Index(classes).get_indexer(pd.Index(labels)).astype(np.int64)


def make_targets(y: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """What the network's output is compared with.

    Parameters
    ----------
    y : ndarray of shape (n_images,)
        Classes as numbers.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_images, 1) or (n_images, n_classes), float32
        With two classes the probability of the second, else one column a class; 0 or 1.
    """
    return y[:, None].astype(np.float32) if n_classes == 2 else np.eye(n_classes, dtype=np.float32)[y]


def image_weights(y: NDArray[np.int64], n_classes: int, class_weight: str) -> NDArray[np.float32]:
    """How much each image counts in the loss; the mean is 1.

    Parameters
    ----------
    y : ndarray of shape (n_images,)
        Classes as numbers.
    n_classes : int
        Number of classes.
    class_weight : {'balanced', 'none'}
        Balanced: every class counts the same in all.
    """
    if class_weight == "none":
        return np.ones(len(y), np.float32)
    counts = np.bincount(y, minlength=n_classes)
    weights: NDArray[np.float32] = (len(y) / (n_classes * counts[y])).astype(np.float32)
    return weights


def class_shares(y: NDArray[np.int64], weights: NDArray[np.float32], n_classes: int) -> NDArray[np.float64]:
    """Each class's share of the images' weights; shape (n_classes,), sums to 1."""
    totals = np.bincount(y, weights=weights.astype(np.float64), minlength=n_classes)
    shares: NDArray[np.float64] = totals / totals.sum()
    return shares
