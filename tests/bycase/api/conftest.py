from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray


class Predictions(NamedTuple):
    """Images of patients, as callers have them."""

    y: NDArray[np.int64]
    score: NDArray[np.float64]
    other: NDArray[np.float64]
    patient: NDArray[np.str_]


def draw(patients: int = 24, images: int = 8, gap: float = 1.5, seed: int = 3) -> Predictions:
    """Scores of two networks, alike within a patient; a third of the patients are positive."""
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(patients), images)
    y = (of % 3 == 0).astype(np.int64)
    common = random.normal(size=patients)[of] + gap * y - gap / 2
    one, other = (1 / (1 + np.exp(-common - random.normal(size=len(of)))) for _ in range(2))
    return Predictions(y, one, other, np.array([f"P{number:02}" for number in of]))


@pytest.fixture
def predictions() -> Predictions:
    return draw()
