import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from bycase.studies.tune.outcome.importance import importances, rebuild_study, trials_needed
from bycase.studies.tune.params import Dimension
from tests.fixtures.tune_outcome import DIMENSIONS, make_tables

TWO = {"dropout": Dimension(uniform=(0.0, 0.6)), "batch_size": Dimension(choice=[16, 32, 64])}


def test_what_the_score_is_made_of_is_important() -> None:
    found = importances(make_tables("random", 40, 0)[0], DIMENSIONS, 7)
    assert list(found) == list(DIMENSIONS)
    assert sum(found.values()) == pytest.approx(1)
    assert found["learning_rate"] > 0.9


def test_as_optuna_finds_it_in_its_own_study() -> None:
    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("dropout", 0.0, 0.6)
        return rate + {"16": 0.0, "32": 0.4, "64": 0.1}[trial.suggest_categorical("batch_size", ["16", "32", "64"])]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(1))
    study.optimize(objective, n_trials=30)
    table = pd.DataFrame([{**trial.params, "score": trial.value} for trial in study.trials])
    expected = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=7))
    found = importances(table.assign(batch_size=table["batch_size"].astype(int)), TWO, 7)
    assert found == pytest.approx(expected)
    assert 0.2 < found["batch_size"] < 0.8


def test_low_decades_of_a_log_range_count_as_much_as_high_ones() -> None:
    random = np.random.default_rng(2)
    decade = random.uniform(-6, -1, 70)
    table = pd.DataFrame({"learning_rate": 10**decade, "dropout": random.uniform(0, 1, 70)})
    # Below 1e-3, 99 % of the range as numbers go but 60 % of its decades, the rate decides; above it dropout does.
    table["score"] = np.where(decade < -3, decade + 3, 0.2 * table["dropout"])
    dimensions = {"learning_rate": Dimension(log=(1e-6, 0.1)), "dropout": Dimension(uniform=(0.0, 1.0))}
    assert importances(table, dimensions, 7)["learning_rate"] > 0.9


def test_trials_without_a_score_do_not_count_and_too_few_say_nothing() -> None:
    table = make_tables("random", trials_needed(DIMENSIONS), 0)[0]
    assert importances(table, DIMENSIONS, 7)
    assert importances(table.assign(score=table["score"].where(table["trial"] > 0)), DIMENSIONS, 7) == {}


def test_where_the_score_does_not_vary_nothing_matters() -> None:
    table = make_tables("random", 20, 0)[0].assign(score=0.5)
    assert importances(table, DIMENSIONS, 7) == dict.fromkeys(DIMENSIONS, 0.0)


def test_values_outside_the_space_have_room() -> None:
    """Population-based training leaves the range; the default settings need not lie in it."""
    table = make_tables("random", 20, 0)[0]
    table.loc[0, ["learning_rate", "batch_size"]] = [1.0, 8]
    study = rebuild_study(table, DIMENSIONS)
    assert study.trials[0].params["learning_rate"] == 0
    assert study.trials[0].distributions["learning_rate"].high == 0
    assert "8" in study.trials[0].distributions["batch_size"].choices
    table.loc[0, "learning_rate"] = 0.0
    assert rebuild_study(table, DIMENSIONS).trials[0].params["learning_rate"] == pytest.approx(-5)
