import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower

from bycase.statistics.comparison.verdict import Verdict, holm, indistinguishable_groups, judge, patients_needed


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


@pytest.mark.parametrize("fewest", [8, 30])
def test_identical_networks_need_as_many_of_the_rarest_class_as_the_exact_bound(fewest: int) -> None:
    """ln .05 / ln .97 = 98.4 patients who all speak for no difference rule .03 out, whatever number is at hand."""
    found = patients_needed(0.1, 5 * fewest, 0.03, 0.05, 1, fewest)
    assert found == {"difference": 5 * 122, "equivalence": 5 * 99}
    assert 0.97**99 < 0.05 < 0.97**98
    assert 2 * 0.97**122 < 0.05 < 2 * 0.97**121


def test_half_the_margin_takes_four_times_the_patients() -> None:
    wide, narrow = (patients_needed(0.04, 50, margin, 0.05, 3) for margin in (0.03, 0.015))
    for name in wide:
        assert narrow[name] == pytest.approx(4 * wide[name], abs=4)


def pairs(*names: str) -> set[frozenset[str]]:
    return {frozenset(name) for name in names}


@pytest.mark.parametrize(
    ("different", "groups"),
    [
        (pairs(), [["a", "b", "c"]]),
        (pairs("ac"), [["a", "b"], ["b", "c"]]),
        (pairs("ab"), [["a", "c"], ["b", "c"]]),
        (pairs("ab", "ac"), [["a"], ["b", "c"]]),
        (pairs("ab", "ac", "bc"), [["a"], ["b"], ["c"]]),
    ],
)
def test_groups_by_hand(different: set[frozenset[str]], groups: list[list[str]]) -> None:
    assert indistinguishable_groups("abc", different) == groups


@pytest.mark.parametrize("seed", range(5))
def test_all_the_largest_groups_and_no_other(seed: int) -> None:
    random = np.random.default_rng(seed)
    models = list("abcdefg")
    different = {frozenset(pair) for pair in combinations(models, 2) if random.random() < 0.4}
    alike = [
        set(group)
        for size in range(1, 8)
        for group in combinations(models, size)
        if not any(frozenset(pair) in different for pair in combinations(group, 2))
    ]
    largest = [group for group in alike if not any(group < other for other in alike)]
    found = indistinguishable_groups(models, different)
    assert sorted(map(sorted, largest)) == sorted(map(sorted, found))
    assert all(group == sorted(group) for group in found)


def test_a_single_network() -> None:
    assert indistinguishable_groups(["a"], set()) == [["a"]]
