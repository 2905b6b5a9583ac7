from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import binomtest, norm
from scipy.stats import t as student_t

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.intervals import (
    expanded_tail,
    interval,
    mean_interval,
    metric_interval,
    metric_intervals,
    perfect_bound,
    perfect_mean_bound,
    perfect_ranking_bound,
)
from bycase.statistics.metrics import point_metrics, weighted_metrics
from bycase.statistics.units import Units

Simulate = Callable[..., Units]
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


def test_each_metric_rests_on_its_own_patients(simulate: Simulate) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    rests_on = {"sensitivity": 8, "specificity": 4, "accuracy": 12, "recognition_rate": 12, "brier": 12}
    for metric, patients in rests_on.items():
        assert metric_interval(metric, 1.0, np.ones(9), units)["low"] == pytest.approx(0.025 ** (1 / patients))
        assert metric_interval(metric, 0.5, SPREAD, units)["low"] == pytest.approx(expanded_tail(patients, 1), abs=1e-5)
    for metric in ("auc", "average_precision", "balanced_accuracy", "precision", "f1", "macro_f1"):
        assert metric_interval(metric, 0.5, SPREAD, units)["low"] == pytest.approx(expanded_tail(12, 2), abs=1e-5)
    assert metric_interval("auc", 1.0, np.ones(9), units)["low"] == pytest.approx(perfect_ranking_bound(8, 4))
    assert metric_interval("balanced_accuracy", 1.0, np.ones(9), units)["low"] == pytest.approx(0.025 ** (1 / 4))


def test_a_value_without_spread_reaches_as_far_as_the_metrics_range(simulate: Simulate) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    limits = metric_interval("mcc", 1.0, np.ones(9), units)
    assert limits == pytest.approx({"low": 1 - 2 * (1 - 0.025 ** (1 / 4)), "high": 1})
    assert metric_interval("mcc", -1.0, -np.ones(9), units)["low"] == -1
    limits = metric_interval("log_loss", 0.5, np.full(9, 0.5), units)
    worst = -np.log(np.finfo(float).eps)
    assert limits == pytest.approx({"low": 0, "high": 0.5 + (1 - 0.025 ** (1 / 12)) * worst})
    spread = metric_interval("log_loss", 1.5, 1 + SPREAD, units)
    assert spread["high"] == pytest.approx(2 - expanded_tail(12, 1), abs=1e-5)


def test_one_patient_of_a_class_leaves_no_narrow_auc(simulate: Simulate) -> None:
    units = simulate(0, n_patients=3)  # one negative
    limits = metric_interval("auc", 0.8, np.linspace(0.75, 0.85, 50), units)
    assert limits["low"] < 0.1
    assert limits["high"] == 1


@pytest.mark.parametrize("sizes", [(10, 10, 10), (3, 12, 30), (1, 1, 8, 2), (1, 100)])
def test_the_bound_of_a_perfect_mean_is_the_least_mean(sizes: tuple[int, ...]) -> None:
    n = np.array(sizes)
    found = minimize(
        lambda rates: rates.mean(),
        np.full(len(n), 0.5),
        bounds=[(1e-6, 1)] * len(n),
        constraints={"type": "eq", "fun": lambda rates: (n * np.log(rates)).sum() - np.log(0.025)},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-12},
    )
    assert found.success
    assert perfect_mean_bound(n) == pytest.approx(found.fun, abs=1e-4)


def test_equal_classes_are_bounded_as_all_patients_together() -> None:
    assert perfect_mean_bound(np.array([7, 7, 7])) == pytest.approx(perfect_bound(21))
    assert perfect_mean_bound(np.array([9])) == pytest.approx(perfect_bound(9))


def test_a_mean_over_classes_widens_with_their_number_and_few_patients(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 3))
    limits = mean_interval("macro_f1", np.full(3, 0.5), SPREAD, units)
    assert limits["low"] == pytest.approx(expanded_tail(16, 3), abs=1e-5)
    assert limits["high"] == pytest.approx(1 - expanded_tail(16, 3), abs=1e-5)


def test_a_class_of_one_patient_may_be_anything(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 1))
    tight = np.linspace(0.49, 0.51, 1001)
    low, high = np.quantile(tight, [expanded_tail(13, 2), 1 - expanded_tail(13, 2)])
    limits = mean_interval("balanced_accuracy", np.array([0.3, 0.3, 0.9]), tight, units)
    assert limits == pytest.approx({"low": low - 0.9 / 3, "high": high + 0.1 / 3})


def test_values_without_spread_get_exact_bounds(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 1))
    perfect = mean_interval("balanced_accuracy", np.ones(3), np.ones(50), units)
    assert perfect == pytest.approx({"low": perfect_mean_bound(np.array([5, 8, 1])), "high": 1})
    ranked = mean_interval("auc", np.ones(3), np.ones(50), units)
    bounds = [perfect_ranking_bound(*sizes) for sizes in ((5, 9), (8, 6), (1, 13))]
    assert ranked == pytest.approx({"low": np.mean(bounds), "high": 1})
    alone = simulate_classes(0, (1, 1, 1))
    assert mean_interval("macro_f1", np.full(3, 0.9), SPREAD, alone)["low"] == pytest.approx(
        0.9 - (1 - perfect_bound(3))
    )


def test_each_class_has_an_interval_on_its_own_patients(simulate_classes: Simulate) -> None:
    units = simulate_classes(3, (1, 8, 6))
    metrics = point_metrics(units)
    values = bootstrap(units, lambda counts: weighted_metrics(units, counts), 300, np.random.default_rng(0))
    limits = metric_intervals(metrics, values, units)
    assert list(limits["per_class"]) == list(units.classes)
    for label, of_class in limits["per_class"].items():
        for name, ends in of_class.items():
            assert 0 <= ends["low"] <= metrics["per_class"][label][name] <= ends["high"] <= 1
    single = limits["per_class"]["a"]
    assert single["recall"]["high"] - single["recall"]["low"] > 0.9
    assert limits["per_class"]["b"]["recall"]["high"] - limits["per_class"]["b"]["recall"]["low"] < 0.9


@pytest.mark.slow
def test_coverage_on_simulated_patients(simulate_classes: Simulate) -> None:
    patients = (6, 10, 4, 8)
    true = point_metrics(simulate_classes(9999, (3000,) * 4, images=1))
    covered = dict.fromkeys(("balanced_accuracy", "auc"), 0)
    for seed in range(200):
        units = simulate_classes(seed, patients)
        values = bootstrap(units, lambda c, u=units: weighted_metrics(u, c), 300, np.random.default_rng(seed))
        limits = metric_intervals(point_metrics(units), values, units)
        for name in covered:
            covered[name] += limits[name]["low"] <= true[name] <= limits[name]["high"]
    assert all(0.9 <= count / 200 <= 0.99 for count in covered.values())
