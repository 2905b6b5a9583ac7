from collections.abc import Callable, Sequence

import numpy as np
import pytest

from stages.evaluate.multiclass.units import ClassUnits


@pytest.fixture(scope="session")
def simulate_classes() -> Callable[..., ClassUnits]:
    """``simulate_classes(seed, [2, 5, 3])``: so many patients a class; scores have effects of class, patient, image."""

    def simulated_units(seed: int, patients: Sequence[int] = (5, 8, 3), images: int = 4) -> ClassUnits:
        random = np.random.default_rng(seed)
        patient = np.repeat(np.arange(sum(patients)), images)
        truth = np.repeat(np.arange(len(patients)), patients)[patient]
        by_patient = random.normal(size=(sum(patients), len(patients)))[patient]
        odds = np.exp(1.2 * np.eye(len(patients))[truth] + by_patient + random.normal(size=by_patient.shape))
        scores = np.round(odds / odds.sum(axis=1, keepdims=True), 2)
        scores /= scores.sum(axis=1, keepdims=True)
        return ClassUnits(tuple("abcdefgh"[: len(patients)]), truth, scores, patient)

    return simulated_units
