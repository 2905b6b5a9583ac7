import numpy as np
import pandas as pd
import pytest

from bycase.studies.tune.outcome.history import at_spent, best_so_far

EPOCHS = pd.DataFrame(
    {
        "trial": [0, 0, 1, 1, 2, 3],
        "spent": [2, 1, 3, 4, 5, np.nan],
        "score": [0.6, 0.5, np.nan, 0.55, 0.7, 0.9],
    }
)


def test_the_best_so_far_never_falls_and_counts_what_is_in_the_budget() -> None:
    best = best_so_far(EPOCHS)
    assert best.to_dict("list") == {"spent": [1, 2, 3, 4, 5], "score": [0.5, 0.6, 0.6, 0.6, 0.7]}


def test_it_reaches_to_the_end_and_begins_with_the_first_score() -> None:
    best = best_so_far(pd.DataFrame({"spent": [1, 2, 3], "score": [np.nan, 0.5, 0.4]}))
    assert best.to_dict("list") == {"spent": [2, 3], "score": [0.5, 0.5]}
    assert at_spent(best, np.array([1, 2, 9])).tolist() == pytest.approx([np.nan, 0.5, 0.5], nan_ok=True)


def test_of_no_score_at_all() -> None:
    best = best_so_far(pd.DataFrame({"spent": [1, 2], "score": [np.nan, np.nan]}))
    assert best.empty
    assert np.isnan(at_spent(best, np.array([1, 5]))).all()
