import numpy as np
import pytest
from scipy.stats import ttest_1samp

from bycase.statistics.multipliers import multiplier_test
from bycase.statistics.units import Floats


def size(sums: Floats) -> Floats:
    return np.abs(sums).sum(axis=1)


def test_of_one_sum_it_is_nearly_the_t_test() -> None:
    """Second source: SciPy's t test of the contributions' mean, which divides by their spread about the mean."""
    random = np.random.default_rng(0)
    for _ in range(3):
        parts = 0.1 + random.normal(size=(60, 1))
        _, p = multiplier_test(parts, size, 59, 10_000, random)
        t = ttest_1samp(parts[:, 0], 0).statistic
        uncentred = t / np.sqrt(60 / 59 + t**2 / 59)
        expected = 2 * float(np.mean(random.standard_t(59, 200_000) > abs(uncentred)))
        assert p == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("patients", [10, 20, 40])
def test_no_effect_is_found_no_oftener_than_said(patients: int) -> None:
    random = np.random.default_rng(1)
    ps = []
    for _ in range(600):
        shared = random.normal(size=(patients, 1))
        parts = shared + random.normal(size=(patients, 4)) * random.gamma(1, size=(patients, 1))
        ps.append(multiplier_test(parts, size, patients - 1, 200, random)[1])
    assert np.mean(np.array(ps) <= 0.05) < 0.06 + 2 * np.sqrt(0.05 * 0.95 / 600)


def test_an_effect_is_found_and_the_expectation_is_that_of_chance() -> None:
    random = np.random.default_rng(2)
    noise = random.normal(size=(50, 3))
    expected, p = multiplier_test(noise, size, 49, 20_000, random)
    assert expected == pytest.approx(3 * np.sqrt(50) * np.sqrt(2 / np.pi), rel=0.1)
    assert p > 0.01
    assert multiplier_test(noise + 1, size, 49, 2000, random)[1] < 0.001


def test_without_freedom_nothing_is_found() -> None:
    assert multiplier_test(np.ones((1, 2)), size, 0, 100, np.random.default_rng(0))[1] == 1
    assert multiplier_test(np.zeros((9, 2)), size, 8, 100, np.random.default_rng(0)) == (0, 1)
