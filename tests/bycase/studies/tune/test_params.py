from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.studies.tune.params import load_tuning_params, plan_runs
from tests.fixtures.tune import TUNING


@pytest.mark.parametrize(
    ("params", "tuning", "words"),
    [
        ({}, {"space": {"learning_rate": {"log": [0, 1]}}}, "a log range begins above 0"),
        ({}, {"space": {"learning_rate": {"log": [0.1, 0.01]}}}, "no range"),
        ({}, {"space": {"learning_rate": {"log": [1e-4, 1], "choice": [1]}}}, "give one of log"),
        ({}, {"space": {"learning_rat": {"log": [1e-4, 1]}}}, "unknown key 'space.learning_rat'; valid keys there"),
        ({}, {"space": {}}, "nothing to search"),
        ({}, {"space": {"dropout": {"uniform": [0, 1.5]}}}, "dropout: 1.5 is not within 0 and 0.99"),
        ({}, {"space": {"batch_size": {"choice": [8, 8.5]}}}, "batch_size: 8.5 is no whole number"),
        ({}, {"space": {"unfreeze": {"uniform": [0, 8]}}}, "unfreeze: give whole numbers as choice"),
        ({}, {"space": {"head": {"choice": [128]}}}, "head: give lists of hidden widths"),
        ({}, {"space": {"augmentation": {"uniform": [0, 2]}}}, "embedded beforehand; give strengths as choice"),
        ({"zoo.focal_cnn.optimizer": "adam"}, {"space": {"weight_decay": {"log": [1e-4, 1]}}}, "adam has none"),
        (
            {"model": "resnet50v2", "zoo.resnet50v2.head": "logistic"},
            {},
            "head of params.yaml: logistic chooses its own",
        ),
        ({"zoo.focal_cnn.head": []}, {"space": {"dropout": {"uniform": [0, 0.5]}}}, "has no dropout layer"),
        (
            {"zoo.focal_cnn.mode": "end_to_end"},
            {"space": {"unfreeze": {"choice": [0, 4]}}},
            "space.unfreeze: focal_cnn is trained end to end",
        ),
        ({"zoo.focal_cnn.unfreeze.epochs": 2}, {"space": {"unfreeze": {"choice": [0, 4]}}}, "leaves none for the head"),
        (
            {"zoo.focal_cnn.unfreeze.layers": "all"},
            {"space": {"unfreeze": {"choice": [0, 4]}}},
            "layers is all",
        ),
        ({"train.strategy": "mirrored"}, {}, "set train.strategy of params.yaml to single"),
        ({}, {"algorithm": "annealing"}, "algorithm: "),
        ({}, {"outer": {"folds": 1}}, r"0 \(no nested evaluation\) or at least 2"),
        ({}, {"search": ["final"]}, r"search: with outer.folds: 2 it must be \[final, 0, 1\]"),
        ({}, {"algorithm": "pbt", "early_stopping": "asha"}, "a population stops nobody early"),
        ({}, {"algorithm": "pbt", "space": {"head": {"choice": [[], [4]]}}}, "give something else too"),
        (
            {},
            {"algorithm": "pbt", "population": TUNING["population"] | {"interval": 9}},
            "3 epochs a member leave no exploit every 9",
        ),
        (
            {},
            {"algorithm": "bayesian+pbt", "population": TUNING["population"] | {"members": 4}},
            "2 Bayesian trials cannot begin 4 members",
        ),
    ],
)
def test_a_mistake_is_one_line(tuned: Any, params: dict[str, Any], tuning: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        tuned(params, tuning)
    assert str(error.value).startswith("tuning/params.yaml: ")
    assert "\n" not in str(error.value)


def test_the_shipped_file_is_valid(make_params: Any, default_params: dict[str, Any]) -> None:
    from pathlib import Path

    root = Path(__file__).parents[4]
    for model in default_params["zoo"]:
        params: Params = make_params({"model": model})
        network = params.network
        if network.optimizer != "adam" and network.mode == "frozen" and not network.fitted_head:
            load_tuning_params(params, root / "tuning/params.yaml")
    content = yaml.safe_load((root / "tuning/dvc.yaml").read_text(encoding="utf-8"))
    assert "data/tuning/work" not in str(content)


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "pbt", "bayesian+pbt"])
def test_all_algorithms_spend_the_same_epochs(tuned: Any, algorithm: str) -> None:
    budget = {"trials": 8, "epochs": 5, "minutes": None}
    _, tuning = tuned(tuning={"algorithm": algorithm, "budget": budget})
    runs = plan_runs(tuning)
    assert sum(run.trials * run.epochs for run in runs if run.algorithm != "default") == 40
    numbers = [number for run in runs for number in run.numbers]
    assert numbers == list(range(len(numbers)))
