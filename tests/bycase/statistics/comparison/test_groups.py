from itertools import combinations

import numpy as np
import pytest
from bycase.statistics.comparison.groups import indistinguishable_groups


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
