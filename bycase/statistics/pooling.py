"""From the probabilities of a patient's images to those of the patient: mean, median, top k or attention.

Attention is that of Ilse, Tomczak and Welling (2018), Attention-based deep multiple instance learning,
arXiv:1802.04712, equation 7: a softmax over a patient's images says how much each counts. Theirs is a gated network on
features, with thousands of weights; validation has a dozen patients, so that here two weights look at what an image's
probabilities say: how sure they are, and which way they point. Both 0 is the mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import entr

from bycase.core.errors import UserError

MEAN, MEDIAN, TOP_K, ATTENTION = "mean", "median", "top_k", "attention"
RULES = (MEAN, MEDIAN, TOP_K, ATTENTION)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Pooling:
    """How a patient's images are put together.

    Attributes
    ----------
    rule : {'mean', 'median', 'top_k', 'attention'}
    top_k : float
        Of rule 'top_k': so many of a patient's images, or such a share of them, if it is below 1; at least one.
    attention : tuple of two float
        Of rule 'attention': the weights of `image_views`.
    """

    rule: str = MEAN
    top_k: float = 1.0
    attention: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        own = {TOP_K: (self.top_k,), ATTENTION: self.attention}.get(self.rule, ())
        return " ".join([self.rule, *(f"{value:.10g}" for value in own)])

    @property
    def words(self) -> str:
        """What a patient's probability is, such as ``mean probability over a patient's images``."""
        if self.rule == TOP_K:
            whole = self.top_k >= 1
            top = f"the {self.top_k:g} highest" if whole else f"the highest {100 * self.top_k:g} %"
            return f"mean of {top} of the probabilities of a patient's images"
        what = {
            MEAN: "mean probability over a patient's images",
            MEDIAN: "median probability over a patient's images",
            ATTENTION: "mean probability over a patient's images, weighted by attention fitted on validation",
        }
        return what[self.rule]

    def pool(self, scores: Floats, group: Integers, positive: int | None) -> Floats:
        """Probabilities of each group of images.

        Parameters
        ----------
        scores : ndarray of shape (n_images, n_classes), float64, in [0, 1]
            Probabilities; rows sum to 1.
        group : ndarray of shape (n_images,), int64, in [0, n_groups)
            Whose image each is; every number occurs.
        positive : int or None
            Of two classes, the one whose highest probabilities 'top_k' takes. Without one it takes those of each class.

        Returns
        -------
        ndarray of shape (n_groups, n_classes), float64, in [0, 1]
            Rows sum to 1: what median and top k make of several classes is divided by its sum.
        """
        if self.rule == MEDIAN:
            return _normalise(pd.DataFrame(scores).groupby(group).median().to_numpy())
        if self.rule == TOP_K and positive is not None:
            pooled = np.empty((int(group.max()) + 1, 2))
            pooled[:, positive] = self._mean_of_highest(scores[:, positive], group)
            pooled[:, 1 - positive] = 1 - pooled[:, positive]
            return pooled
        if self.rule == TOP_K:
            return _normalise(np.column_stack([self._mean_of_highest(column, group) for column in scores.T]))
        weights = attention_weights(scores, group, positive, self.attention) if self.rule == ATTENTION else None
        return _weighted_mean(scores, group, weights)

    def _mean_of_highest(self, values: Floats, group: Integers) -> Floats:
        sizes = np.bincount(group)
        # Rounded, since 0.07 of 100 images are 7, which floating point makes a little more.
        kept = np.minimum(self.top_k, sizes) if self.top_k >= 1 else np.ceil(np.round(self.top_k * sizes, 9))
        order = np.lexsort((-values, group))
        place = np.arange(len(values)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        highest = order[place < kept[group[order]]]
        return np.bincount(group[highest], weights=values[highest]) / kept


def read_pooling(text: str) -> Pooling:
    """What `str` made of a pooling.

    Raises
    ------
    UserError
        If it is none.
    """
    rule, *numbers = str(text).split() or [""]
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        values = [np.nan]
    if rule in RULES and len(values) == {TOP_K: 1, ATTENTION: 2}.get(rule, 0) and np.isfinite(values).all():
        if rule == TOP_K and values[0] > 0:
            return Pooling(rule, top_k=values[0])
        if rule != TOP_K:
            return Pooling(rule, attention=(values[0], values[1])) if rule == ATTENTION else Pooling(rule)
    raise UserError(f"'{text}' is no rule for putting a patient's images together; there are {', '.join(RULES)}")


def pooling_of(metrics: Mapping[str, Any]) -> Pooling:
    """The rule of ``metrics/metrics.json``; that of files from before it could be chosen is the mean."""
    return read_pooling(metrics.get("aggregation", {}).get("rule", MEAN))


def image_views(scores: Floats, positive: int | None) -> Floats:
    """What attention looks at, of each image: how sure its probabilities are, and which way they point.

    Returns
    -------
    ndarray of shape (n_images, 2), float64
        1 less the entropy relative to that of equal probabilities, in [0, 1]; twice the positive class's probability
        less 1, in [-1, 1], without a positive class 0.
    """
    sure = 1 - entr(scores).sum(axis=1) / np.log(scores.shape[1])
    way = np.zeros(len(scores)) if positive is None else 2 * scores[:, positive] - 1
    return np.column_stack([sure, way])


def attention_weights(scores: Floats, group: Integers, positive: int | None, attention: tuple[float, float]) -> Floats:
    """How much each image counts for its patient; (n_images,), summing to 1 in each group. See `Pooling.pool`."""
    logits = image_views(scores, positive) @ np.asarray(attention)
    highest = np.full(int(group.max()) + 1, -np.inf)
    np.maximum.at(highest, group, logits)
    weights = np.exp(logits - highest[group])
    share: Floats = weights / np.bincount(group, weights=weights)[group]
    return share


def _weighted_mean(scores: Floats, group: Integers, weights: Floats | None) -> Floats:
    totals = np.zeros((int(group.max()) + 1, scores.shape[1]))
    np.add.at(totals, group, scores if weights is None else scores * weights[:, None])
    return totals / np.bincount(group)[:, None] if weights is None else totals


def _normalise(values: Floats) -> Floats:
    normalised: Floats = values / values.sum(axis=1, keepdims=True)
    return normalised
