import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import binomtest

from bycase.statistics.bounds import (
    exact_interval,
    perfect_bound,
    perfect_mean_bound,
    perfect_mean_ranking_bound,
    perfect_ranking_bound,
    without_spread,
)
from tests.fixtures.units import binary_units, class_units


@pytest.mark.parametrize(("right", "n"), [(0, 9), (9, 9), (3, 11), (40, 82)])
def test_exact_intervals_are_scipys(right: int, n: int) -> None:
    exact = binomtest(right, n).proportion_ci(0.95, method="exact")
    assert exact_interval(right, n) == pytest.approx({"low": exact.low, "high": exact.high})


def test_perfect_rates_get_clopper_and_pearsons_bound() -> None:
    assert perfect_bound(9) == pytest.approx(binomtest(9, 9).proportion_ci(0.95, method="exact").low)
    assert without_spread(1.0, perfect_bound(9)) == pytest.approx(exact_interval(9, 9))
    assert without_spread(0.0, perfect_bound(9)) == pytest.approx(exact_interval(0, 9))


def test_a_value_without_spread_is_never_certain() -> None:
    assert without_spread(0.5, 0.8) == pytest.approx({"low": 0.3, "high": 0.7})
    assert without_spread(0.9, 0.8, (-1.0, 1.0)) == pytest.approx({"low": 0.5, "high": 1.0})


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


def test_the_bound_of_a_mean_of_rankings_is_the_mean_of_bounds() -> None:
    truth = np.repeat([0, 1, 2], [5, 8, 1])
    units = class_units(truth, np.eye(3)[truth], np.arange(14))
    bounds = [perfect_ranking_bound(*sizes) for sizes in ((5, 9), (8, 6), (1, 13))]
    assert perfect_mean_ranking_bound(units) == pytest.approx(np.mean(bounds))


def test_patients_of_both_classes_are_no_more_patients() -> None:
    """Ten patients, whether five of each class or all of both, bound a perfect result alike."""
    both = binary_units(np.tile([True, False], 10), np.tile([1.0, 0.0], 10), np.repeat(np.arange(10), 2))
    apart = binary_units(np.arange(10) < 5, np.arange(10) < 5, np.arange(10))
    for units in (both, apart):
        assert perfect_ranking_bound(*units.against_rest(1).shares_of_patients) == perfect_ranking_bound(5, 5)
        assert perfect_mean_bound(units.shares_of_patients) == pytest.approx(perfect_bound(10))
