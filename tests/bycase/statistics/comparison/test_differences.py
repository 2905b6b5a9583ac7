import numpy as np
import pytest
from scipy.stats import norm, t, ttest_1samp

from bycase.statistics.comparison.differences import (
    Difference,
    Support,
    confidence_interval,
    p_at_most,
    p_not_equivalent,
    p_two_sided,
    standard_error,
    support,
)
from tests.fixtures.units import binary_units, class_units

SUPPORT = Support(20, 1, 20)


@pytest.fixture(scope="module")
def means() -> tuple[np.ndarray, np.ndarray]:
    """Differences of 20 patients, and their mean on resamples of them."""
    random = np.random.default_rng(1)
    of_patients = random.normal(0.04, 0.1, 20)
    return of_patients, of_patients[random.integers(20, size=(100_000, 20))].mean(axis=1)


def shifted(means: tuple[np.ndarray, np.ndarray], by: float = 0.0) -> Difference:
    return Difference(float(means[0].mean() + by), means[1] + by, SUPPORT)


@pytest.mark.parametrize("by", [-0.065, -0.04, -0.02])
def test_a_mean_is_tested_as_by_students_t(means: tuple[np.ndarray, np.ndarray], by: float) -> None:
    difference = shifted(means, by)
    student = ttest_1samp(means[0] + by, 0)
    assert p_two_sided(difference) == pytest.approx(student.pvalue, rel=0.15)
    assert standard_error(difference) == pytest.approx(means[0].std(ddof=1) / np.sqrt(20), rel=0.01)
    limits = student.confidence_interval()
    assert confidence_interval(difference)["low"] == pytest.approx(limits.low, abs=0.004)
    assert confidence_interval(difference)["high"] == pytest.approx(limits.high, abs=0.004)


def test_interval_and_p_value_agree(means: tuple[np.ndarray, np.ndarray]) -> None:
    verdicts = set()
    for by in np.linspace(-0.15, 0.05, 41):
        difference = shifted(means, by)
        limits = confidence_interval(difference)
        outside = not limits["low"] <= 0 <= limits["high"]
        assert outside == (p_two_sided(difference) < 0.05)
        verdicts.add((outside, difference.estimate > 0))
    assert verdicts == {(True, False), (False, False), (False, True), (True, True)}


def test_equivalence_is_the_90_percent_interval_within_the_margin(means: tuple[np.ndarray, np.ndarray]) -> None:
    tail = norm.cdf(t.ppf(0.05, 19) * np.sqrt(20 / 19))
    found = set()
    for by in np.linspace(-0.12, 0.04, 41):
        low, high = np.quantile(means[1] + by, [tail, 1 - tail])
        within = max(-low, high) < 0.06
        assert within == (p_not_equivalent(shifted(means, by), 0.06) < 0.05)
        found.add(within)
    assert found == {True, False}


def test_the_order_does_not_matter(means: tuple[np.ndarray, np.ndarray]) -> None:
    difference, mirrored = shifted(means), shifted(means).mirrored
    limits, turned = confidence_interval(difference), confidence_interval(mirrored)
    assert (turned["low"], turned["high"]) == pytest.approx((-limits["high"], -limits["low"]))
    assert p_two_sided(mirrored) == p_two_sided(difference)
    assert p_not_equivalent(mirrored, 0.03) == p_not_equivalent(difference, 0.03)
    assert standard_error(mirrored) == pytest.approx(standard_error(difference))


def test_never_certain() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.01, 999)
    many = Difference(0.5, values, Support(10_000, 1, 10_000))
    assert p_two_sided(many) == pytest.approx(2 / 1000, rel=0.01)
    assert p_at_most(many, 0.9) == 1


@pytest.mark.parametrize("values", [np.zeros(50), np.linspace(-0.1, 0.1, 50)])
def test_where_resamples_say_nothing(values: np.ndarray) -> None:
    fewest = 30 if np.ptp(values) == 0 else 1
    difference = Difference(0.0, values, Support(40, 2, fewest))
    reach = 1 - 0.025 ** (1 / fewest)
    assert confidence_interval(difference) == pytest.approx({"low": -reach, "high": reach})
    assert standard_error(difference) == pytest.approx(reach / 1.96, rel=1e-3)
    assert p_two_sided(difference) == 1
    assert p_not_equivalent(difference, reach) == pytest.approx(0.025)


def test_support_of_two_classes() -> None:
    patient = np.repeat(np.arange(10), 2)
    units = binary_units(patient < 3, np.zeros(20), patient)
    assert support("auc", units) == support("balanced_accuracy", units) == Support(10, 2, 3)
    assert support("accuracy", units) == support("brier", units) == Support(10, 1, 10)
    assert support("sensitivity", units) == Support(3, 1, 3)
    assert support("specificity", units) == Support(7, 1, 7)


def test_support_of_several_classes() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 0])
    patient = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 8])
    units = class_units(truth, np.full((10, 4), 0.25), patient)
    assert support("auc", units) == Support(10, 3, 2)
    assert support("accuracy", units) == support("log_loss", units) == Support(9, 1, 9)
