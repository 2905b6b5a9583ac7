import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.params import load_params
from bycase.studies.benchmark.params import BENCHMARK_PARAMS, load_benchmark_params

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def write(project: Path) -> Any:
    """Write benchmark/params.yaml as shipped, with dotted keys changed."""

    def write_benchmark_params(**changes: Any) -> None:
        content = yaml.safe_load((REPOSITORY / BENCHMARK_PARAMS).read_text(encoding="utf-8"))
        for key, value in changes.items():
            *sections, last = key.split("__")
            section = content
            for name in sections:
                section = section[name]
            section[last] = value
        BENCHMARK_PARAMS.parent.mkdir(exist_ok=True)
        BENCHMARK_PARAMS.write_text(yaml.safe_dump(content), encoding="utf-8")

    return write_benchmark_params


def test_the_shipped_parameters_are_valid_and_count_their_folds(write: Any) -> None:
    write(fold=[0, 1, 2], repeat=[0, 1])
    benchmark = load_benchmark_params(load_params())
    assert (benchmark.folds, benchmark.repeats) == (3, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"models": ["resnet500"]}, "unknown network 'resnet500'; choose of: alexnet, convnext"),
        ({"models": []}, "models"),
        ({"models": ["vgg16", "vgg16"]}, "models: vgg16 stands twice"),
        ({"fold": [1, 2, 3]}, "fold: [1, 2, 3] must count 0, 1, 2"),
        ({"fold": [0]}, "fold"),
        ({"repeat": [0, 2]}, "repeat: [0, 2] must count"),
        ({"budget__trials": 0}, "budget.trials"),
        ({"budget__epoch": 3}, "unknown key 'budget.epoch'; valid keys there: epochs, learning_rate, trials"),
        ({"compare__margin": 0.0}, "compare.margin"),
        ({"compare__metric": "f1"}, "compare.metric"),
        ({"models": ["imported"], "extras__robustness": True}, "imported features cannot be damaged"),
        ({"shift__magnifications": [300]}, "shift.magnifications"),
        ({"models": ["vgg16"], "shift__models": ["alexnet"]}, "shift.models: alexnet is not one of models"),
    ],
)
def test_what_is_not_valid_is_named(write: Any, changes: dict[str, Any], words: str) -> None:
    write(**changes)
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        load_benchmark_params(load_params())
    assert str(BENCHMARK_PARAMS) in str(caught.value)


def test_folds_that_leave_nothing_to_train_on_are_refused(write: Any) -> None:
    write(fold=[0, 1])
    params = load_params()
    greedy = params.model_copy(update={"split": params.split.model_copy(update={"validation": 0.5})})
    with pytest.raises(UserError, match="leave nothing to train on"):
        load_benchmark_params(greedy)


def test_without_its_file_the_way_out_is_said(project: Path) -> None:
    with pytest.raises(UserError, match=r"benchmark/params.yaml not found: run from the project's top folder"):
        load_benchmark_params(load_params())
