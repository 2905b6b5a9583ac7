import math

import pytest
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower

from bycase.statistics.comparison.verdict import Verdict, holm, judge, patients_needed


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("difference", "p", "p_equivalence", "error", "verdict"),
    [
        (0.1, 0.01, 0.9, False, "better"),
        (-0.1, 0.01, 0.9, False, "worse"),
        (0.1, 0.01, 0.9, True, "worse"),
        (-0.1, 0.01, 0.9, True, "better"),
        (0.01, 0.01, 0.01, False, "better"),
        (0.01, 0.2, 0.01, False, "equivalent"),
        (0.1, 0.2, 0.9, False, "not resolvable"),
        (0.1, 0.05, 0.05, False, "not resolvable"),
        (0.0, 0.01, 0.9, False, "not resolvable"),
    ],
)
def test_judge(difference: float, p: float, p_equivalence: float, error: bool, verdict: Verdict) -> None:
    assert judge(difference, p, p_equivalence, 0.05, error) == verdict


@pytest.mark.parametrize("pairs", [1, 6])
def test_patients_for_a_difference_are_those_of_statsmodels(pairs: int) -> None:
    se, n, margin = 0.04, 50, 0.03
    effect = margin / (se * math.sqrt(n))
    expected = NormalIndPower(ddof=0).solve_power(effect, alpha=0.05 / pairs, power=0.8, ratio=0)
    assert patients_needed(se, n, margin, 0.05, pairs)["difference"] == math.ceil(expected)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_patients_for_equivalence_give_two_one_sided_tests_their_power(alpha: float) -> None:
    se, n, margin = 0.04, 50, 0.03

    def power(patients: int) -> float:
        return float(2 * norm.cdf(margin / (se * math.sqrt(n / patients)) - norm.isf(alpha)) - 1)

    found = patients_needed(se, n, margin, alpha, 1)["equivalence"]
    assert power(found - 1) < 0.8 <= power(found)


def test_half_the_margin_takes_four_times_the_patients() -> None:
    wide, narrow = (patients_needed(0.04, 50, margin, 0.05, 3) for margin in (0.03, 0.015))
    for name in wide:
        assert narrow[name] == pytest.approx(4 * wide[name], abs=4)
