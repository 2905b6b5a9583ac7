"""Which training images an epoch draws, and in which order: every one once, or classes and units in them equally often.

Where one class is rare, or one patient has a hundred images and another ten, an epoch of every image once teaches the
common class and the much-photographed patient. Drawing equally changes what batches hold; class weights leave the
batches as they are and change what their images count. The two are not combined: the rare class would count twice.
Magnifications are units likewise, for one network that serves all of them: Bayramoglu, Kannala, Heikkilä (2016), Deep
learning for magnification independent breast cancer histopathology image classification, ICPR.
"""

import numpy as np
from numpy.typing import NDArray

from bycase.training.subsets import BY_MAGNIFICATION, class_shares

UNIFORM = "uniform"
BY_PATIENT = "patient"

Integers = NDArray[np.int64]
Rows = NDArray[np.intp]


def draw_images(y: Integers, unit: Integers, sampling: str, random: np.random.Generator) -> Rows:
    """Draw as many images as there are, in the order in which an epoch takes them.

    Parameters
    ----------
    y : ndarray of shape (n_images,), int64
        Classes as numbers.
    unit : ndarray of shape (n_images,), int64
        Whose image each is, or of which magnification.
    sampling : {'uniform', 'class', 'patient', 'magnification'}
        'uniform': every image once. 'class': every class equally often, and its images equally often. 'patient': every
        class equally often, its patients equally often, and the images of each equally often; 'magnification':
        likewise its magnifications. What cannot be divided equally differs by one draw, of other images in every epoch.
    random : Generator
        Of the epoch.

    Returns
    -------
    ndarray of shape (n_images,), intp
        Positions of images; every few draws in a row hold the classes equally often, so that each batch does.
    """
    if sampling == UNIFORM:
        return random.permutation(len(y))
    turns, order = _in_turn(np.unique(y), len(y), random), np.empty(len(y), np.intp)
    for label in np.unique(turns):
        images, places = np.flatnonzero(y == label), np.flatnonzero(turns == label)
        if sampling in (BY_PATIENT, BY_MAGNIFICATION):
            order[places] = _by_unit(images, unit[images], len(places), random)
        else:
            order[places] = _in_turn(images, len(places), random)
    return order


def expected_shares(y: Integers, weights: NDArray[np.float32], n_classes: int, sampling: str) -> NDArray[np.float64]:
    """Each class's share of an epoch's weights; shape (n_classes,), sums to 1."""
    return class_shares(y, weights, n_classes) if sampling == UNIFORM else np.full(n_classes, 1 / n_classes)


def _in_turn(values: NDArray[np.int64], n: int, random: np.random.Generator) -> NDArray[np.int64]:
    """`n` draws: all values in a random order, then in another, and so on."""
    rounds = -(-n // len(values))
    return np.concatenate([random.permutation(values) for _ in range(rounds)])[:n]


def _by_unit(images: Rows, unit: Integers, n: int, random: np.random.Generator) -> Rows:
    turns, drawn = _in_turn(np.unique(unit), n, random), np.empty(n, np.intp)
    for one in np.unique(turns):
        places = np.flatnonzero(turns == one)
        drawn[places] = _in_turn(images[unit == one], len(places), random)
    return drawn
