from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.studies.tune.outcome.searches import describe_searches, read_search, read_searches
from tests.fixtures.tune_outcome import DEFAULTS, MakeSearch, write_search, write_searches


def test_a_search_as_it_was_written(make_search: MakeSearch) -> None:
    search = make_search("1", failing=(3, 4))
    assert search.hyperparameters == list(DEFAULTS)
    assert search.trials["head"].iloc[0] == "none"
    assert search.trials["status"].tolist()[3:5] == ["crashed", "diverged"]
    assert search.trials["message"].tolist()[2:4] == ["", "out of memory"]
    assert np.isnan(search.trials["score"].iloc[3])
    assert search.score == search.trials["score"].max()
    assert search.default_score == search.trials["score"].iloc[0]
    assert search.predictions is not None
    assert search.default is not None
    assert len(search.searched) == 12


def test_the_default_beside_a_population_is_not_of_the_budget(make_search: MakeSearch) -> None:
    search = make_search(algorithm="pbt", trials=8)
    assert search.predictions is None
    assert search.trials["algorithm"].tolist() == ["default", *["pbt"] * 8]
    assert len(search.searched) == 8
    assert search.default_score == search.trials["score"].iloc[0]
    assert describe_searches(search, 0)[1] == "pbt, 8 trials, 144 epochs a search; no nested evaluation"


def test_default_settings_may_have_failed(tmp_path: Path) -> None:
    folder = write_search(tmp_path / "0", "0")
    (folder / "predictions_default.csv").unlink()
    assert read_search(folder).default is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write_searches(tmp_path, 1)
    with pytest.raises(UserError, match=r"1/about\.json not found: run 'dvc repro tuning/dvc\.yaml' first"):
        read_searches(2, tmp_path)
    table = pd.read_csv(tmp_path / "0/epochs.csv").drop(columns="donor")
    table.to_csv(tmp_path / "0/epochs.csv", index=False)
    with pytest.raises(UserError, match=r"epochs\.csv: column donor missing"):
        read_searches(1, tmp_path)


def test_searches_of_two_algorithms_are_not_joined(tmp_path: Path) -> None:
    write_search(tmp_path / "final")
    write_search(tmp_path / "0", "0", algorithm="random")
    with pytest.raises(UserError, match=r"0: algorithm is random, but bayesian in \S+final"):
        read_searches(1, tmp_path)
