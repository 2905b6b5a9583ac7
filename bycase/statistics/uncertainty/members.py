"""Several predictions of the same images as one, and how far they agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from bycase.statistics.units import Floats


@dataclass(frozen=True)
class Combined:
    """The mean of several predictions, and its uncertainty in nats.

    Houlsby, N., Huszár, F., Ghahramani, Z. and Lengyel, M. (2011). Bayesian Active Learning for Classification and
    Preference Learning. arXiv:1112.5745.

    Attributes
    ----------
    mean : ndarray of shape (n_images, n_classes), float64, in [0, 1]
        Mean probabilities.
    entropy : ndarray of shape (n_images,), float64, in [0, log(n_classes)]
        Of the mean: all uncertainty.
    expected_entropy : ndarray of shape (n_images,), float64
        Mean of the members' entropies: what they agree to be uncertain about.
    mutual_information : ndarray of shape (n_images,), float64, from 0 up
        The difference: what they disagree on.
    """

    mean: Floats
    entropy: Floats
    expected_entropy: Floats
    mutual_information: Floats


def combine_members(members: NDArray[np.float64]) -> Combined:
    """Combine predictions: passes with dropout, views of an image, or networks of an ensemble.

    Parameters
    ----------
    members : ndarray of shape (n_members, n_images, n_classes), float64, in [0, 1]
        Rows of classes sum to 1.
    """
    mean: Floats = members.mean(axis=0)
    entropy: Floats = entr(mean).sum(axis=1)
    expected: Floats = entr(members).sum(axis=2).mean(axis=0)
    return Combined(mean, entropy, expected, np.maximum(entropy - expected, 0.0))
