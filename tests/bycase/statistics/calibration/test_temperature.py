from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from bycase.statistics.calibration.temperature import TEMPERATURES, apply_temperature, fit_temperature, scale_units
from bycase.statistics.units import Units
from tests.fixtures.units import binary_units


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its probabilities."""

    def fit(self, _: np.ndarray, y: np.ndarray) -> "Given":
        self.classes_ = np.unique(y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        predicted: np.ndarray = self.classes_[x.argmax(axis=1)]
        return predicted

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return x


def scikit_learns(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Its temperature scaling of the same predictions."""
    frozen = FrozenEstimator(Given().fit(scores, truth))
    scaled: np.ndarray = (
        CalibratedClassifierCV(frozen, method="temperature", ensemble=False).fit(scores, truth).predict_proba(scores)
    )
    return scaled


def test_it_is_scikit_learns(sharpened_classes: Callable[..., Units], sharpened: Callable[..., Units]) -> None:
    for units in (sharpened_classes(0, 1.5), sharpened(0, 2.5)):
        expected = scikit_learns(units.scores, units.truth)
        np.testing.assert_allclose(apply_temperature(units.scores, fit_temperature(units)), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_it_finds_the_factor_by_which_log_odds_are_too_large(
    sharpened: Callable[..., Units], sharpened_classes: Callable[..., Units], factor: float
) -> None:
    for units in (sharpened(1, factor, 400), sharpened_classes(1, factor, 400)):
        assert fit_temperature(units) == pytest.approx(factor, rel=0.07)


def test_log_odds_are_divided() -> None:
    positive = np.array([0.9, 0.5, 0.0, 1.0])
    scaled = apply_temperature(np.column_stack([1 - positive, positive]), 2.0)[:, 1]
    assert scaled[0] == pytest.approx(3 / 4)  # odds of 9 become 3
    assert scaled[1] == 0.5
    assert 0 < scaled[2] < 0.001
    several = apply_temperature(np.array([[0.64, 0.32, 0.04]]), 2.0)
    assert several[0] == pytest.approx(np.array([8, np.sqrt(32), 2]) / (10 + np.sqrt(32)))
    assert apply_temperature(several, 1.0) == pytest.approx(several)


def test_every_unit_may_have_its_own(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0)
    temperatures = np.where(units.patient % 2 == 0, 0.5, 3.0)
    scaled = scale_units(units, temperatures)
    for temperature in (0.5, 3.0):
        rows = temperatures == temperature
        np.testing.assert_allclose(scaled.scores[rows], apply_temperature(units.scores[rows], temperature))
    assert scaled.patient is units.patient
    assert scaled.predicted is units.predicted


def test_a_validation_part_without_error_or_without_sense_stays_in_range() -> None:
    units = binary_units([True, False] * 5, [0.8, 0.2] * 5, np.arange(10))
    assert fit_temperature(units) == pytest.approx(TEMPERATURES[0], rel=1e-3)
    assert fit_temperature(replace(units, truth=1 - units.truth)) == pytest.approx(TEMPERATURES[1], rel=1e-3)
    assert np.isfinite(fit_temperature(replace(units, scores=np.eye(2)[units.truth])))
