import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.statistics.leakage.levels import find_levels


def table(**columns: list[str]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"image": [f"{k}.png" for k in range(n)], "label": ["a", "b"] * (n // 2)} | columns)


def test_a_level_that_repeats_another_is_left_out_and_said() -> None:
    folder = list("abcdefgh")[:8]
    levels = find_levels(table(folder=folder, case=list("wxwxyzyz"), group=list("12123434")), 2)
    assert list(levels.groups) == ["image", "case"]
    assert levels.left_out == {"folder": "identical to image", "group": "identical to case"}
    assert levels.strictest == "case"
    assert levels.groups["case"].tolist() == [0, 1, 0, 1, 2, 3, 2, 3]


def test_without_slides_the_patient_stands_for_them() -> None:
    case = list("wxwxyzyz")
    levels = find_levels(table(folder=case, case=case, group=case), 2)
    assert list(levels.groups) == ["image", "case"]
    assert levels.left_out == {"folder": "identical to case", "group": "identical to case"}
    assert levels.strictest == "case"
    merged = find_levels(table(folder=case, case=case, group=list("wxwxyxyx")), 1)
    assert (list(merged.groups), merged.strictest) == (["image", "case", "group"], "group")


def test_as_many_groups_are_not_the_same_groups() -> None:
    levels = find_levels(table(folder=list("abcdefgh"), case=list("wxwxyzyz"), group=list("12321434")), 1)
    assert levels.groups["case"].max() == levels.groups["group"].max()
    assert levels.strictest == "group"


def test_own_groups_that_merge_cases_are_a_level() -> None:
    levels = find_levels(table(folder=list("abcdefgh"), case=list("wxwxyzyz"), group=list("12121313")), 1)
    assert list(levels.groups) == ["image", "case", "group"]
    assert levels.strictest == "group"


def test_images_of_their_own_groups_have_one_level() -> None:
    own = list("abcdefgh")
    levels = find_levels(table(folder=own, case=own, group=own), 4)
    assert list(levels.groups) == ["image"]
    assert levels.strictest == "image"


def test_a_level_with_too_few_groups_is_left_out() -> None:
    levels = find_levels(table(folder=[""] * 8, case=list("wxwxyzyz"), group=list("wxwxyzyz")), 2)
    assert "folder" not in levels.groups
    assert levels.left_out["folder"] == "class a has 1, fewer than 2 folds"


def test_too_few_own_groups_stop_the_stage() -> None:
    with pytest.raises(UserError, match=r"column group: class a has 2, fewer than 3 folds; lower leakage.folds"):
        find_levels(table(folder=list("abcdefgh"), case=list("wxwxyzyz"), group=list("12123434")), 3)


def test_a_case_level_that_is_too_coarse_does_not_stand_in_for_the_group() -> None:
    with pytest.raises(UserError, match="column group"):
        find_levels(table(folder=list("abcdefgh"), case=list("xxxxyyyy"), group=list("11112222")), 3)


def test_numbers_count_every_group_once() -> None:
    levels = find_levels(table(folder=list("abcdefgh"), case=list("wxwxyzyz"), group=list("12123434")), 2)
    for numbers in levels.groups.values():
        assert np.array_equal(np.unique(numbers), np.arange(numbers.max() + 1))
