from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.api import Logit, add_constant

from bycase.statistics.calibration.recalibration import STEEPEST, fit_logistic, group_log_odds, log_odds, recalibrate
from bycase.statistics.units import Units


@pytest.mark.parametrize("factor", [0.3, 1.0, 6.0])
def test_slope_and_intercept_are_statsmodels(sharpened: Callable[..., Units], factor: float) -> None:
    units = sharpened(0, factor).against_rest(1)
    fitted = Logit(units.truth.astype(float), add_constant(log_odds(units.scores))).fit(disp=0)
    slope, intercept = recalibrate(units.truth, units.scores)
    assert [intercept, slope] == pytest.approx(fitted.params.tolist(), abs=1e-5)
    assert slope == pytest.approx(1 / factor, rel=0.2)


def test_a_weighting_is_a_repetition(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0, 2.0, 20).against_rest(1)
    weights = np.random.default_rng(0).integers(0, 4, (5, len(units.truth))).astype(float)
    slopes, intercepts = fit_logistic(log_odds(units.scores), weights * units.truth, weights)
    for weight, slope, intercept in zip(weights.astype(int), slopes, intercepts, strict=True):
        rows = np.repeat(np.arange(len(weight)), weight)
        assert (slope, intercept) == pytest.approx(recalibrate(units.truth[rows], units.scores[rows]), abs=1e-5)


def test_joining_log_odds_hardly_moves_the_fit(sharpened: Callable[..., Units]) -> None:
    units = sharpened(0, 2.0).against_rest(1)
    x, group = group_log_odds(units.scores)
    sizes, hits = np.bincount(group)[None].astype(float), np.bincount(group, units.truth)[None]
    joined = fit_logistic(x, hits, sizes)[0][0]
    assert joined == pytest.approx(recalibrate(units.truth, units.scores)[0], rel=0.02)


def test_separated_outcomes_end_at_the_steepest_slope() -> None:
    truth, scores = np.array([False] * 4 + [True] * 4), np.array([0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7])
    assert recalibrate(truth, scores)[0] == pytest.approx(STEEPEST)
    assert recalibrate(~truth, scores)[0] == pytest.approx(-STEEPEST)


def test_predictions_or_outcomes_all_alike_say_nothing_of_the_slope() -> None:
    assert recalibrate(np.array([True, False, True]), np.full(3, 0.7)) == (1, 0)
    assert recalibrate(np.ones(3, bool), np.array([0.2, 0.6, 0.9])) == (1, 0)


def test_probabilities_of_0_and_1_are_fitted() -> None:
    truth = np.array([True, True, False, False, True, False] * 10)
    scores = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 1.0] * 10)
    slope, intercept = recalibrate(truth, scores)
    assert slope == pytest.approx(np.log(2) / log_odds(np.array([1.0]))[0], rel=1e-4)
    assert intercept == pytest.approx(0, abs=1e-6)
