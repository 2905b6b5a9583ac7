"""The training images in the network's feature space: how far from them an image is, and which are the nearest.

The distance is that to the k-th nearest training image, of features scaled to unit length (Sun, Y., Ming, Y., Zhu, X.
and Li, Y., 2022, Out-of-Distribution Detection with Deep Nearest Neighbors, ICML). An image is flagged as unlike the
training images above a quantile of the validation images' distances, none of which is of a training patient.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bycase.statistics.units import Floats, Integers

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 10
QUANTILE = 0.99
SMALLEST_LENGTH = 1e-12


@dataclass(frozen=True)
class Reference:
    """The training images.

    Attributes
    ----------
    features : ndarray of shape (n_images, n_features), float32
        Of unit length, rounded to half precision.
    images : ndarray of shape (n_images,), str
        As in the manifest.
    labels : ndarray of shape (n_images,), int64, in [0, n_classes)
        Their classes.
    """

    features: NDArray[np.float32]
    images: NDArray[np.str_]
    labels: Integers

    @cached_property
    def _neighbours(self) -> "NearestNeighbors":
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(algorithm="brute").fit(self.features)

    def nearest(self, features: NDArray[np.float32], k: int) -> tuple[Floats, Integers]:
        """The `k` nearest training images, or all where there are fewer, of features (n, n_features) of any length.

        Returns
        -------
        distances : ndarray of shape (n, k), float64, in [0, 2]
            Rising.
        rows : ndarray of shape (n, k), int64
            Positions in `images`.
        """
        distances, rows = self._neighbours.kneighbors(unit_length(features), min(k, len(self.features)))
        return distances.astype(np.float64), rows.astype(np.int64)

    def distance(self, features: NDArray[np.float32], neighbours: int) -> Floats:
        """How far from the training images; (n,), float64, in [0, 2]. See `nearest`."""
        return self.nearest(features, neighbours)[0][:, -1]


def make_reference(features: NDArray[np.float32], images: list[str], labels: Integers) -> Reference:
    """The reference of training images; `features` (n_images, n_features) as the network gives them."""
    rounded = unit_length(features).astype(np.float16).astype(np.float32)
    return Reference(rounded, np.array(images, dtype=np.str_), labels)


def unit_length(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same features divided by their length; (n, n_features)."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = features / np.maximum(lengths, SMALLEST_LENGTH)
    return scaled
