from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from bycase.statistics.calibration.bins import (
    brier_decomposition,
    count_bins,
    decompose,
    equal_mass_bins,
)
from bycase.statistics.units import Units

PARTS = ("reliability", "resolution", "uncertainty", "within_bin")


def add_up(parts: dict[str, float]) -> float:
    return parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bin"]


def test_bins_are_scikit_learns_quantile_bins(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0, 2.0).against_rest(1)
    index = equal_mass_bins(units.scores)
    observed, predicted = calibration_curve(units.truth, units.scores, n_bins=15, strategy="quantile")
    size = np.bincount(index)
    np.testing.assert_allclose(np.bincount(index, units.truth) / size, observed)
    np.testing.assert_allclose(np.bincount(index, units.scores) / size, predicted)
    assert np.ptp(size) <= 1


def test_equal_scores_share_a_bin() -> None:
    assert equal_mass_bins(np.array([0.3] * 50 + [0.7] * 50)).tolist() == [0] * 50 + [1] * 50
    assert equal_mass_bins(np.full(9, 0.2)).tolist() == [0] * 9
    assert equal_mass_bins(np.array([0.4])).tolist() == [0]


@pytest.mark.parametrize(("units", "bins"), [(1, 1), (10, 3), (119, 10), (225, 15), (5000, 15)])
def test_few_units_have_few_bins(units: int, bins: int) -> None:
    assert count_bins(units) == bins


def test_the_decomposition_by_hand() -> None:
    # Bins {0.1, 0.3} with 1 of 2, {0.6, 0.8} with 2 of 2; in all 3 of 4.
    truth, scores = np.array([True, False, True, True]), np.array([0.1, 0.3, 0.6, 0.8])
    parts = brier_decomposition(truth, scores)
    assert parts["reliability"] == pytest.approx((0.3**2 + 0.3**2) / 2)
    assert parts["resolution"] == pytest.approx(0.25**2)
    assert parts["uncertainty"] == pytest.approx(3 / 16)
    # Variance of the predictions 0.01 in each bin; twice the covariance is -0.1 in the first, 0 in the second.
    assert parts["within_bin"] == pytest.approx(0.01 + 0.05)
    assert add_up(parts) == pytest.approx(brier_score_loss(truth, scores))


def test_the_parts_add_up(sharpened: Callable[..., Units], sharpened_classes: Callable[..., Units]) -> None:
    two = sharpened(3, 2.0)
    assert add_up(decompose(two)) == pytest.approx(brier_score_loss(two.truth, two.scores[:, 1]))
    several = sharpened_classes(3, 2.0)
    expected = brier_score_loss(several.truth, several.scores, scale_by_half=True)
    assert add_up(decompose(several)) == pytest.approx(expected)
    both = replace(two, positive=None)
    assert [decompose(both)[part] for part in PARTS] == pytest.approx(
        [decompose(two)[part] for part in PARTS], abs=0.01
    )


def test_murphys_three_parts_suffice_where_predictions_of_a_bin_are_equal() -> None:
    scores = np.repeat([0.2, 0.5, 0.9], 20)
    parts = brier_decomposition(np.arange(60) % 3 == 0, scores)
    assert parts["within_bin"] == pytest.approx(0, abs=1e-15)
