from pathlib import Path

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import flatten
from bycase.studies.recipe.definition import AS_PUBLISHED, HONEST, read_recipe
from bycase.studies.recipe.run import make_plan
from bycase.studies.recipe.settings import Network, find_changes, parse_assignments

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


def test_a_plan_keeps_the_comments_and_names_the_pairs() -> None:
    recipe = read_recipe("d-vgg16", ROOT / "recipes")
    plan = make_plan(recipe, AS_PUBLISHED, ["zoo.vgg16.learning_rate=1e-05", "dataset=phantom"], BASE)
    written = plan.text([("b.png", "a.png"), ("c.png", "d.png")])
    assert yaml.safe_load(written)["audit"]["waive"]["phantom"] == [["a.png", "b.png"], ["c.png", "d.png"]]
    assert yaml.safe_load(written)["zoo"]["vgg16"]["head"][1] == {"dense": 384}
    assert [line for line in written.splitlines() if "#" not in line and "[[a" not in line] == [
        line for line in plan.text([]).splitlines() if "#" not in line and "    phantom: []" not in line
    ]
    assert written.count("#") == BASE.count("#")


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


def test_another_network_is_trained_as_the_recipe_trains_its_own() -> None:
    recipe = read_recipe("b-resnet50", ROOT / "recipes")
    plan = make_plan(recipe, HONEST, ["zoo.efficientnetlite.epochs=2"], BASE, Network("efficientnetlite"))
    params, plain = plan.params, make_plan(recipe, HONEST, [], BASE).params
    assert (params.model, plan.experiment) == ("efficientnetlite", "b-resnet50-efficientnetlite-honest")
    shipped = yaml.safe_load(BASE)["zoo"]["efficientnetlite"]
    own = ("variant", "weights", "stride")
    assert [getattr(params.network, key) for key in own] == [shipped[key] for key in own]
    left_out = {*own, "epochs"}
    assert params.network.model_dump(exclude=left_out) == plain.network.model_dump(exclude=left_out)
    assert (params.network.optimizer, params.network.mode, params.network.epochs) == ("adamw", "end_to_end", 2)
    assert params.split == plain.split
    assert yaml.safe_load(plan.text([]))["zoo"]["resnet50"] == yaml.safe_load(BASE)["zoo"]["resnet50"]


def test_a_variant_of_another_network() -> None:
    recipe = read_recipe("e-efficientnetb7", ROOT / "recipes")
    plan = make_plan(recipe, AS_PUBLISHED, [], BASE, Network.parse("efficientnet:B4"))
    assert (plan.params.network.variant, plan.params.network.weights) == ("B4", "by_dataset")
    assert plan.params.network.epochs == 400
    assert plan.experiment == "e-efficientnetb7-efficientnet-B4"


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(UserError, match="--network: zoo has no entry 'resnet5O'; choose one of: .*resnet50,"):
        make_plan(read_recipe("d-vgg16", ROOT / "recipes"), AS_PUBLISHED, [], BASE, Network("resnet5O"))


def test_what_differs_from_the_recipe_is_found() -> None:
    planned = {"seed": 7, "zoo": {"vgg16": {"epochs": 30, "patience": 30}}}
    own = parse_assignments(["zoo.vgg16.epochs=1", "zoo.vgg16.patience=30", "seed=7"])
    assert find_changes(planned, own) == {"zoo.vgg16.epochs": {"recipe": 30, "here": 1}}
