"""Selective prediction: how often the network errs on the images that it is surest of.

Geifman, Y. and El-Yaniv, R. (2017). Selective Classification for Deep Neural Networks. NeurIPS. The area under the
risk-coverage curve: Geifman, Y., Uziel, G. and El-Yaniv, R. (2019). Bias-Reduced Uncertainty Estimation for Deep
Neural Classifiers. ICLR.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import entr, expit, logit
from scipy.stats import rankdata

from bycase.statistics.bootstrap import divide
from bycase.statistics.units import Bools, Floats, Integers

KEPT = {"accuracy_80": 0.8, "accuracy_90": 0.9}
FLOOR = 1e-7  # float32 outputs of a network are no nearer to 0 or 1
ROUNDING = 1e-9


def centre(scores: Floats, threshold: float) -> Floats:
    """Shift the log odds of two classes so that the threshold lies at one half.

    Parameters
    ----------
    scores : ndarray of shape (n_images, 2), float64, in [0, 1]
        Probabilities, of the positive class last.
    threshold : float, in [0, 1]
        Of the positive class.

    Returns
    -------
    ndarray of shape (n_images, 2), float64
        The predicted class has the larger value.
    """
    positive, cut = np.clip(scores[:, 1], FLOOR, 1 - FLOOR), float(np.clip(threshold, FLOOR, 1 - FLOOR))
    shifted = expit(logit(positive) - logit(cut))
    return np.column_stack([1 - shifted, shifted])


def largest_probability(scores: Floats) -> Floats:
    """Confidence by the largest probability; (n_images,), float64, in [1 / n_classes, 1]."""
    largest: Floats = scores.max(axis=1)
    return largest


def concentration(scores: Floats) -> Floats:
    """Confidence by entropy: 1 less its share of the largest possible; (n_images,), float64, in [0, 1]."""
    confidence: Floats = np.clip(1 - entr(scores).sum(axis=1) / np.log(scores.shape[1]), 0, 1)
    return confidence


def rank_images(confidence: Floats, fold: Integers | None) -> Floats:
    """The share of images that the network is at least as sure of, each; small for the surest.

    Parameters
    ----------
    confidence : ndarray of shape (n_images,), float64
        Larger is surer.
    fold : ndarray of shape (n_images,), int64, or None
        The fold of each image, whose network was sure on its own scale; None: all have one network.

    Returns
    -------
    ndarray of shape (n_images,), float64, in (0, 1]
    """
    folds = np.zeros(len(confidence), np.int64) if fold is None else fold
    ranks = np.empty(len(confidence))
    for number in np.unique(folds):
        members = folds == number
        ranks[members] = rankdata(-confidence[members], method="max") / members.sum()
    return ranks


def risk_coverage(wrong: Bools, ranks: Floats, weights: Integers) -> tuple[Floats, Floats, Floats]:
    """The risk-coverage curve of many weightings; images that are equally sure are kept together.

    Parameters
    ----------
    wrong : ndarray of shape (n_images,), bool
        Whether each image's class is not the predicted one.
    ranks : ndarray of shape (n_images,), float64
        See `rank_images`.
    weights : ndarray of shape (n_weightings, n_images), int64
        From 0 up.

    Returns
    -------
    added, kept, risk : ndarray of shape (n_weightings, n_ranks), float64, in [0, 1]
        For each distinct rank, the share of images that it adds, that are kept up to it, and of errors among these.
    """
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1.0))
    weights = weights[:, order]
    added = np.add.reduceat(weights, starts, axis=1).astype(np.float64)
    kept = np.cumsum(added, axis=1)
    risk = divide(np.cumsum(np.add.reduceat(weights * wrong[order], starts, axis=1), axis=1), kept, 0.0)
    total = kept[:, -1:]
    return added / total, kept / total, risk


def risk_at(kept: Floats, risk: Floats, coverage: float) -> Floats:
    """The risk of the fewest images that make up `coverage`; (n_weightings,)."""
    place = (kept >= coverage - ROUNDING).argmax(axis=1)
    return risk[np.arange(len(risk)), place]


def measure_selection(wrong: Bools, ranks: Floats, patient: Integers) -> Callable[[Integers], dict[str, Floats]]:
    """Prepare ``aurc``, the mean risk over all coverages, and the accuracies of `KEPT`, for the bootstrap."""

    def statistic(counts: Integers) -> dict[str, Floats]:
        added, kept, risk = risk_coverage(wrong, ranks, counts[:, patient])
        accuracies = {name: 1 - risk_at(kept, risk, coverage) for name, coverage in KEPT.items()}
        return {"aurc": (added * risk).sum(axis=1), **accuracies}

    return statistic


def measure_curve(
    wrong: Bools, ranks: Floats, patient: Integers, grid: Floats
) -> Callable[[Integers], dict[str, Floats]]:
    """Prepare ``risk`` at the coverages of `grid`, (n_resamples, n_grid), for the bootstrap."""

    def statistic(counts: Integers) -> dict[str, Floats]:
        _, kept, risk = risk_coverage(wrong, ranks, counts[:, patient])
        return {"risk": np.stack([risk_at(kept, risk, coverage) for coverage in grid], axis=1)}

    return statistic
