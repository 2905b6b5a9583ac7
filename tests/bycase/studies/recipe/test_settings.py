from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.studies.recipe.definition import AS_PUBLISHED, read_recipe
from bycase.studies.recipe.run import make_plan
from bycase.studies.recipe.settings import find_changes, flatten, merge, parse_assignments, write_text

ROOT = Path(__file__).parents[4]
BASE = (ROOT / "params.yaml").read_text(encoding="utf-8")


def test_values_are_yaml() -> None:
    assignments = ["seed=3", "split.magnifications=[200]", "datasets.busi.path=null", "zoo.vgg16.head=[{dense: 8}]"]
    assert flatten(parse_assignments(assignments)) == {
        "seed": 3,
        "split.magnifications": [200],
        "datasets.busi.path": None,
        "zoo.vgg16.head": [{"dense": 8}],
    }


@pytest.mark.parametrize("assignment", ["seed", "=3", "split..group=case", ".seed=1"])
def test_a_text_that_sets_nothing_is_named(assignment: str) -> None:
    with pytest.raises(UserError, match="write key=value"):
        parse_assignments([assignment])


def test_a_value_that_is_no_yaml_is_named() -> None:
    with pytest.raises(UserError, match=r"'\[' is not valid YAML"):
        parse_assignments(["seed=["])


def test_mappings_are_merged_and_lists_replaced() -> None:
    content = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    assert merge(content, {"a": {"c": [3]}, "e": 4}) == {"a": {"b": 1, "c": [3]}, "d": 2, "e": 4}
    assert content == {"a": {"b": 1, "c": [1, 2]}, "d": 2}


def test_the_file_keeps_its_comments_and_changes_nowhere_else() -> None:
    settings: dict[str, Any] = {"seed": 8, "zoo": {"vgg16": {"head": [{"dense": 4}], "learning_rate": 1e-5}}}
    written = write_text(BASE, settings)
    lines = zip(BASE.splitlines(), written.splitlines(), strict=True)
    changed = [after for before, after in lines if before != after]
    assert changed == ["seed: 8", "      - dense: 4", "    learning_rate: 1.0e-05"]
    assert yaml.safe_load(written) == merge(yaml.safe_load(BASE), settings)
    assert write_text(BASE, {}) == BASE


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        (
            "zoo.vgg16.epoch=2",
            "recipe d-vgg16 (as-published) with --set: unknown key 'zoo.vgg16.epoch'; valid keys there: ",
        ),
        ("split.group=patient", "split.group: Input should be 'case', 'folder' or 'image'"),
        ("model=vgg19", "unknown model 'vgg19'; choose one of: alexnet, "),
        ("seed.x=1", "seed: Input should be a valid integer"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(assignment: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        make_plan(read_recipe("d-vgg16", ROOT / "recipes"), AS_PUBLISHED, [assignment], BASE)
    assert says in str(caught.value)
    assert "/" not in str(caught.value).split(":")[0]


def test_what_differs_from_the_recipe_is_found() -> None:
    planned = {"seed": 7, "zoo": {"vgg16": {"epochs": 30, "patience": 30}}}
    own = parse_assignments(["zoo.vgg16.epochs=1", "zoo.vgg16.patience=30", "seed=7"])
    assert find_changes(planned, own) == {"zoo.vgg16.epochs": {"recipe": 30, "here": 1}}
