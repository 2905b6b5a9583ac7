"""Heads that are fitted at once, as networks: logistic regression and k nearest neighbours, of Keras' own layers alone.

A saved network of either loads, exports and explains like any other, without code of this project.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bycase.networks.head import Statistics

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float64]

# Squared distances below this share of the features' squared length are rounding of single precision.
SMALLEST = 1e-6
# In place of a variance of 0: a feature in which no training image differs says nothing of how near two images are.
NO_VARIANCE = 1e30


def standardise(features: NDArray[np.float32], statistics: Statistics | None) -> Floats:
    """Features (n, width) as `keras.layers.Normalization` makes them, in double precision; as they are without any."""
    if statistics is None:
        return features.astype(np.float64)
    mean, variance = statistics
    return (features.astype(np.float64) - mean) / np.maximum(np.sqrt(variance), 1e-7)


def varied(statistics: Statistics) -> Statistics:
    """The statistics with `NO_VARIANCE` for features that never differ."""
    mean, variance = statistics
    return mean, np.where(variance > 0, variance, NO_VARIANCE)


def logistic_head(coefficients: Floats, intercepts: Floats, statistics: Statistics | None = None) -> "keras.Model":
    """A head of one dense layer with the weights of a logistic regression.

    Parameters
    ----------
    coefficients : ndarray of shape (1, width) of two classes, else (n_classes, width), float64
        As scikit-learn's ``coef_``, of the standardised features.
    intercepts : ndarray of shape (1,) or (n_classes,), float64
        ``intercept_``.
    statistics : tuple of two ndarrays of shape (width,), optional
        Mean and variance by which the features are standardised first.

    Returns
    -------
    keras.Model
        As `bycase.networks.head.build_head`.
    """
    inputs, x = _begin(coefficients.shape[1], statistics)
    return _finish(inputs, x, coefficients.T, intercepts)


@dataclass(frozen=True)
class Bank:
    """The training images among which neighbours are looked for.

    Attributes
    ----------
    features : ndarray of shape (n_images, width), float64
        Standardised, where the head does.
    votes : ndarray of shape (n_images, n_classes), float64
        How much each image counts, in the column of its class; the mean of all images is 1.
    """

    features: Floats
    votes: Floats

    @property
    def shares(self) -> Floats:
        """Each class's share of all votes, (n_classes,)."""
        totals: Floats = self.votes.sum(axis=0)
        return totals / totals.sum()


def smallest_distance(features: Floats, distance: str) -> Floats:
    """The distance (n, 1) that images of these standardised features (n, width) have at the least; see `SMALLEST`."""
    if distance == "cosine":
        return np.full((len(features), 1), SMALLEST)
    lengths: Floats = (features**2).sum(axis=1, keepdims=True)
    return np.sqrt(SMALLEST * (lengths + 1))


def vote_shares(distances: Floats, votes: Floats, shares: Floats) -> Floats:
    """Class probabilities of images by their k nearest neighbours.

    A neighbour votes with its weight by the inverse of its distance (Dudani 1976, The distance-weighted k-nearest-
    neighbor rule, IEEE Transactions on Systems, Man, and Cybernetics 6(4)), the farthest with its weight alone. One
    more vote goes to the classes by their shares (Cestnik 1990, Estimating probabilities, ECAI): none is ever certain.

    Parameters
    ----------
    distances : ndarray of shape (n, k), float64
        Ascending, above 0.
    votes : ndarray of shape (n, k, n_classes), float64
        The neighbours' rows of `Bank.votes`.
    shares : ndarray of shape (n_classes,), float64
        `Bank.shares`.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        In (0, 1); rows sum to 1.
    """
    totals = ((distances[:, -1:] / distances)[..., None] * votes).sum(axis=1) + shares
    probabilities: Floats = totals / totals.sum(axis=1, keepdims=True)
    return probabilities


def neighbours_head(bank: Bank, k: int, distance: str, statistics: Statistics | None = None) -> "keras.Model":
    """A head that gives `vote_shares` of the `k` nearest images of a bank.

    Parameters
    ----------
    bank : Bank
        It becomes the weights of two layers.
    k : int
        At most as many as the bank has images.
    distance : {'euclidean', 'cosine'}
        Cosine: 1 less the cosine of the angle.
    statistics : tuple of two ndarrays of shape (width,), optional
        Of `varied`; by which the features are standardised first.

    Returns
    -------
    keras.Model
        As `bycase.networks.head.build_head`, not trainable.
    """
    from keras import layers, ops

    inputs, x = _begin(bank.features.shape[1], statistics)
    if distance == "cosine":
        x = layers.UnitNormalization(name="unit_length")(x)
        near = bank.features / np.maximum(np.linalg.norm(bank.features, axis=1, keepdims=True), 1e-12)
        nearness, neighbours = ops.top_k(_fixed(near.T, np.zeros(len(near)), "bank")(x), k)
        distances = ops.maximum(1.0 - nearness, SMALLEST)
    else:
        # Half of the squared distance is half of both squared lengths less the product: the last two rank alike.
        lengths = -(bank.features**2).sum(axis=1) / 2
        nearness, neighbours = ops.top_k(_fixed(bank.features.T, lengths, "bank")(x), k)
        length = ops.sum(ops.square(x), axis=1, keepdims=True)
        distances = ops.sqrt(ops.maximum(length - 2.0 * nearness, SMALLEST * (length + 1.0)))
    votes = layers.Embedding(*bank.votes.shape, weights=[bank.votes], dtype="float32", name="votes")(neighbours)
    factors = ops.expand_dims(distances[:, -1:] / distances, -1)
    n_classes = bank.votes.shape[1]
    totals = _fixed(np.eye(n_classes), bank.shares, "shares")(ops.sum(factors * votes, axis=1))
    # Softmax of logarithms is the share; of two classes the sigmoid of their difference.
    kernel = np.array([[-1.0], [1.0]]) if n_classes == 2 else np.eye(n_classes)
    head = _finish(inputs, ops.log(totals), kernel, np.zeros(kernel.shape[1]))
    head.trainable = False
    return head


def _begin(width: int, statistics: Statistics | None) -> tuple[Any, Any]:
    import keras

    inputs = keras.Input((width,), name="features")
    if statistics is None:
        return inputs, inputs
    mean, variance = statistics
    return inputs, keras.layers.Normalization(mean=mean, variance=variance, dtype="float32", name="standardise")(inputs)


def _fixed(kernel: Floats, bias: Floats, name: str, activation: str | None = None) -> "keras.layers.Dense":
    """A dense layer of these weights: kernel (n_inputs, units), bias (units,)."""
    import keras

    layer = keras.layers.Dense(kernel.shape[1], activation=activation, dtype="float32", name=name)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel, bias])
    return layer


def _finish(inputs: Any, x: Any, kernel: Floats, bias: Floats) -> "keras.Model":
    import keras

    activation = "sigmoid" if kernel.shape[1] == 1 else "softmax"
    return keras.Model(inputs, _fixed(kernel, bias, "probability", activation)(x), name="head")
