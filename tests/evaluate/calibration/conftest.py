from collections.abc import Callable

import numpy as np
import pytest

from stages.evaluate.multiclass.units import ClassUnits
from stages.evaluate.units import Units


@pytest.fixture(scope="session")
def sharpened() -> Callable[..., Units]:
    """``sharpened(seed, factor)``: two classes, whose true log odds are given `factor` times too large."""

    def make(seed: int, factor: float = 1.0, n_patients: int = 60, images: int = 10) -> Units:
        random = np.random.default_rng(seed)
        patient = np.repeat(np.arange(n_patients), images)
        odds = 1.5 * random.normal(size=len(patient))
        truth = random.random(len(patient)) < 1 / (1 + np.exp(-odds))
        return Units(truth, 1 / (1 + np.exp(-factor * odds)), patient)

    return make


@pytest.fixture(scope="session")
def sharpened_classes() -> Callable[..., ClassUnits]:
    """The same with four classes."""

    def make(seed: int, factor: float = 1.0, n_patients: int = 60, images: int = 10) -> ClassUnits:
        random = np.random.default_rng(seed)
        patient = np.repeat(np.arange(n_patients), images)
        odds = 1.5 * random.normal(size=(len(patient), 4))
        true = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
        truth = (random.random(len(patient))[:, None] > true.cumsum(axis=1)).sum(axis=1)
        given = np.exp(factor * odds)
        return ClassUnits(tuple("abcd"), truth, given / given.sum(axis=1, keepdims=True), patient)

    return make
