from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from scipy.stats import t as student_t

from bycase.statistics.intervals import (
    expanded_tail,
    interval,
    metric_interval,
    perfect_bound,
    perfect_ranking_bound,
)
from bycase.statistics.units import Units

SPREAD = np.linspace(0, 1, 100_001)


@pytest.mark.parametrize(("patients", "samples"), [(2, 1), (5, 1), (20, 1), (4, 2), (10, 2)])
def test_few_patients_widen_the_percentiles(patients: int, samples: int) -> None:
    freedom = patients - samples
    expected = norm.cdf(student_t.ppf(0.025, freedom) * np.sqrt(patients / freedom))
    assert expanded_tail(patients, samples) == pytest.approx(expected)
    assert expanded_tail(patients, samples) < 0.025
    assert expanded_tail(100_000, samples) == pytest.approx(0.025, abs=1e-5)


def test_percentiles_of_many_patients_are_the_plain_ones() -> None:
    assert interval(0.5, SPREAD, 10**9, 0.9) == pytest.approx({"low": 0.025, "high": 0.975}, abs=1e-4)


def test_perfect_rates_get_clopper_and_pearsons_bound() -> None:
    exact = binomtest(9, 9).proportion_ci(0.95, method="exact")
    assert interval(1.0, np.ones(50), 9, perfect_bound(9)) == pytest.approx({"low": exact.low, "high": exact.high})
    exact = binomtest(0, 9).proportion_ci(0.95, method="exact")
    assert interval(0.0, np.zeros(50), 9, perfect_bound(9)) == pytest.approx({"low": exact.low, "high": exact.high})


def test_a_value_without_spread_is_never_certain() -> None:
    assert interval(0.5, np.full(50, 0.5), 9, 0.8) == pytest.approx({"low": 0.3, "high": 0.7})


@pytest.mark.parametrize(("positive", "negative"), [(6, 4), (4, 6), (20, 8)])
def test_a_perfect_ranking_has_the_stated_probability_at_its_bound(positive: int, negative: int) -> None:
    random = np.random.default_rng(0)
    bound = perfect_ranking_bound(positive, negative)
    theta = bound / (1 - bound)
    u, v = random.random((40_000, positive)), random.random((40_000, negative))
    above = u ** (1 / theta)  # the largest of theta uniform draws
    below = 1 - v ** (1 / theta)  # the smallest of theta uniform draws
    assert np.mean([(a > b) for a, b in zip(above[:, 0], v[:, 0], strict=True)]) == pytest.approx(bound, abs=0.01)
    perfect = max((above.min(1) > v.max(1)).mean(), (u.min(1) > below.max(1)).mean())
    assert perfect == pytest.approx(0.025, abs=0.004)


def test_one_patient_a_class_bounds_a_perfect_ranking_as_one_pair() -> None:
    assert perfect_ranking_bound(1, 1) == pytest.approx(0.025, abs=1e-6)
    assert perfect_ranking_bound(200, 200) > 0.98


def test_each_metric_rests_on_its_own_patients(simulate: Callable[..., Units]) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    rests_on = {"sensitivity": 8, "specificity": 4, "accuracy": 12, "recognition_rate": 12, "brier": 12}
    for metric, patients in rests_on.items():
        assert metric_interval(metric, 1.0, np.ones(9), units)["low"] == pytest.approx(0.025 ** (1 / patients))
        assert metric_interval(metric, 0.5, SPREAD, units)["low"] == pytest.approx(expanded_tail(patients, 1), abs=1e-5)
    for metric in ("auc", "average_precision", "balanced_accuracy", "precision", "f1", "macro_f1"):
        assert metric_interval(metric, 0.5, SPREAD, units)["low"] == pytest.approx(expanded_tail(12, 2), abs=1e-5)
    assert metric_interval("auc", 1.0, np.ones(9), units)["low"] == pytest.approx(perfect_ranking_bound(8, 4))
    assert metric_interval("balanced_accuracy", 1.0, np.ones(9), units)["low"] == pytest.approx(0.025 ** (1 / 4))


def test_a_value_without_spread_reaches_as_far_as_the_metrics_range(simulate: Callable[..., Units]) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    limits = metric_interval("mcc", 1.0, np.ones(9), units)
    assert limits == pytest.approx({"low": 1 - 2 * (1 - 0.025 ** (1 / 4)), "high": 1})
    assert metric_interval("mcc", -1.0, -np.ones(9), units)["low"] == -1
    limits = metric_interval("log_loss", 0.5, np.full(9, 0.5), units)
    worst = -np.log(np.finfo(float).eps)
    assert limits == pytest.approx({"low": 0, "high": 0.5 + (1 - 0.025 ** (1 / 12)) * worst})
    spread = metric_interval("log_loss", 1.5, 1 + SPREAD, units)
    assert spread["high"] == pytest.approx(2 - expanded_tail(12, 1), abs=1e-5)


def test_one_patient_of_a_class_leaves_no_narrow_auc(simulate: Callable[..., Units]) -> None:
    units = simulate(0, n_patients=3)  # one negative
    limits = metric_interval("auc", 0.8, np.linspace(0.75, 0.85, 50), units)
    assert limits["low"] < 0.1
    assert limits["high"] == 1
