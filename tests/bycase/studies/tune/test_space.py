from typing import Any

import numpy as np
import pytest

from bycase.studies.tune.params import Space
from bycase.studies.tune.space import (
    changes,
    defaults,
    draw_setting,
    head_words,
    is_within,
    parse_head,
    scale_augmentation,
    trial_params,
    with_changes,
    within,
)

SPACE = Space.model_validate(
    {
        "learning_rate": {"log": [1e-4, 1e-2]},
        "weight_decay": {"uniform": [0, 0.1]},
        "batch_size": {"log": [8, 64]},
        "dropout": {"uniform": [0, 0.7]},
        "augmentation": {"choice": [0, 1, 2]},
        "unfreeze": {"choice": [0, 4]},
        "head": {"choice": [[], [64], [128, 64]]},
    }
)


def test_the_settings_of_params_yaml_change_nothing(make_params: Any) -> None:
    odd_head = [{"dropout": 0.5}, {"dense": 32}, {"dropout": 0.1}]
    for head in ([{"dropout": 0.2}], odd_head, []):
        params = make_params({"zoo.resnet50v2.head": head})
        assert changes(defaults(params, SPACE.searched), params) == {}


def test_what_a_setting_changes(make_params: Any) -> None:
    params = make_params({})
    setting = {"learning_rate": 0.005, "batch_size": 16, "dropout": 0.4, "unfreeze": 4, "head": "128-64"}
    changed = changes(setting, params)
    assert changed == {
        "zoo.resnet50v2.learning_rate": 0.005,
        "zoo.resnet50v2.batch_size": 16,
        "zoo.resnet50v2.unfreeze.layers": 4,
        "zoo.resnet50v2.head": [{"dense": 128}, {"dense": 64}, {"dropout": 0.4}],
    }
    network = with_changes(params, changed).network
    assert [layer.model_dump() for layer in network.head] == changed["zoo.resnet50v2.head"]
    assert defaults(with_changes(params, changed), setting) == setting


def test_dropout_alone_keeps_the_heads_layers(make_params: Any) -> None:
    params = make_params({"zoo.resnet50v2.head": [{"dense": 32}, {"dropout": 0.1}]})
    assert changes({"dropout": 0.3}, params) == {"zoo.resnet50v2.head": [{"dense": 32}, {"dropout": 0.3}]}


def test_augmentation_scales_within_what_is_valid(make_params: Any) -> None:
    params = make_params({"augment.crop": 0.8, "augment.zoom": 0.4})
    stronger = scale_augmentation(params.augment, 10)
    assert (stronger.rotation, stronger.zoom, stronger.crop, stronger.brightness) == (0.5, 0.99, 0.05, 1)
    assert stronger.flip == "both"
    off = scale_augmentation(params.augment, 0)
    assert (off.flip, off.rotation, off.zoom, off.crop, off.contrast) == ("none", 0, 0, 1, 0)
    assert scale_augmentation(params.augment, 0.5).crop == pytest.approx(0.9)
    assert scale_augmentation(params.augment, 1) == params.augment
    assert with_changes(params, changes({"augmentation": 10}, params)).augment == stronger


def test_draws_lie_within_the_space_and_are_valid_settings(make_params: Any) -> None:
    params = make_params({})
    random = np.random.default_rng(0)
    drawn = [draw_setting(SPACE, random) for _ in range(200)]
    assert all(is_within(setting, SPACE) for setting in drawn)
    assert {setting["head"] for setting in drawn} == {"none", "64", "128-64"}
    assert all(isinstance(setting["batch_size"], int) for setting in drawn)
    # Log-uniform: as many below the geometric mean as above.
    assert 70 < sum(setting["learning_rate"] < 1e-3 for setting in drawn) < 130
    for setting in drawn[:20]:
        trained = trial_params(setting, params, 12)
        deep = setting["unfreeze"] > 0
        assert trained.network.epochs == 12 - (trained.network.unfreeze.epochs if deep else 0)


def test_what_leaves_its_range_is_brought_back() -> None:
    setting = {"learning_rate": 0.05, "weight_decay": -1, "batch_size": 70, "dropout": 0.3}
    space = Space.model_validate({key: SPACE.model_dump(exclude_none=True)[key] for key in setting})
    assert within(setting, space) == {"learning_rate": 0.01, "weight_decay": 0, "batch_size": 64, "dropout": 0.3}


def test_heads_as_words() -> None:
    for widths in ([], [8], [128, 64]):
        assert parse_head(head_words(widths)) == widths
