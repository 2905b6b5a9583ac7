from collections.abc import Callable

import numpy as np
import pytest
from bycase.statistics.multiclass.bootstrap import weighted_class_metrics
from bycase.statistics.multiclass.intervals import class_intervals, mean_interval, perfect_mean_bound
from bycase.statistics.multiclass.metrics import point_metrics
from bycase.statistics.multiclass.units import ClassUnits
from scipy.optimize import minimize

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.intervals import expanded_tail, perfect_bound, perfect_ranking_bound

Simulate = Callable[..., ClassUnits]
SPREAD = np.linspace(0, 1, 100_001)


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
    values = bootstrap(units, lambda counts: weighted_class_metrics(units, counts), 300, np.random.default_rng(0))
    limits = class_intervals(metrics, values, units)
    assert list(limits["per_class"]) == list(units.classes)
    for label, of in limits["per_class"].items():
        for name, interval in of.items():
            assert 0 <= interval["low"] <= metrics["per_class"][label][name] <= interval["high"] <= 1
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
        values = bootstrap(units, lambda c, u=units: weighted_class_metrics(u, c), 300, np.random.default_rng(seed))
        limits = class_intervals(point_metrics(units), values, units)
        for name in covered:
            covered[name] += limits[name]["low"] <= true[name] <= limits[name]["high"]
    assert all(0.9 <= count / 200 <= 0.99 for count in covered.values())
