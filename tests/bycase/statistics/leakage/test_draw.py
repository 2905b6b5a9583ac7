import numpy as np
import pandas as pd
import pytest

from bycase.statistics.leakage.draw import draw_groups

GROUP = pd.Series(np.repeat(list("abcdefghij"), range(1, 11)))  # 55 images


@pytest.mark.parametrize("most", [8, 20, 54])
def test_whole_groups_are_drawn_and_no_more_than_asked_for(most: int) -> None:
    rows = draw_groups(GROUP, most, np.random.default_rng(1))
    drawn = GROUP.iloc[rows]
    assert np.all(np.diff(rows) > 0)
    assert drawn.value_counts().equals(GROUP.value_counts().loc[drawn.value_counts().index])
    assert len(rows) <= most or drawn.nunique() == 2


def test_a_small_data_set_is_taken_whole() -> None:
    assert draw_groups(GROUP, 55, np.random.default_rng(1)).tolist() == list(range(55))


def test_another_draw_takes_others() -> None:
    one, other = (draw_groups(GROUP, 20, np.random.default_rng(seed)).tolist() for seed in (1, 2))
    assert one != other
