"""The shipped recipes: valid as a whole, and as the texts say (figures typed from them)."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.core.nested import flatten
from bycase.core.params import Params
from bycase.studies.recipe.definition import AS_PUBLISHED, HONEST, PROTOCOLS, RECIPES, read_recipe, recipe_names
from bycase.studies.recipe.describe import describe_recipe
from bycase.studies.recipe.run import make_plan
from bycase.studies.recipe.settings import recipe_settings

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / RECIPES
BASE = (ROOT / "params.yaml").read_text(encoding="utf-8")

NAMES = [
    "a-efficientnetv2",
    "a-resnet50v2",
    "b-efficientnet",
    "b-resnet50",
    "c-alexnet",
    "c-googlenet",
    "c-mresnet",
    "c-resnet50",
    "c-vgg16",
    "d-mobilenetv3",
    "d-resnet50v2",
    "d-vgg16",
    "e-efficientnetb7",
    "e-focal-cnn",
]

# What the sources print, and the key that it is here.
FIGURES: list[tuple[str, dict[str, Any]]] = [
    (
        "a-efficientnetv2",
        {"learning_rate": 1e-4, "batch_size": 32, "epochs": 10, "optimizer": "adam", "mode": "frozen"},
    ),
    ("a-resnet50v2", {"learning_rate": 1e-4, "batch_size": 32, "epochs": 5, "optimizer": "adam", "rescale": 1.0}),
    ("b-resnet50", {"learning_rate": 1e-5, "optimizer": "adam", "weights": "by_dataset"}),
    ("b-efficientnet", {"learning_rate": 1e-3, "optimizer": "adamw", "weight_decay": 1e-4, "variant": "B0"}),
    ("c-resnet50", {"learning_rate": 1e-4, "weight_decay": 5e-4, "batch_size": 32, "epochs": 18}),
    ("c-alexnet", {"learning_rate": 1e-4, "weight_decay": 5e-4, "batch_size": 32, "epochs": 25, "weights": "random"}),
    ("c-googlenet", {"learning_rate": 1e-4, "weight_decay": 5e-4, "batch_size": 32, "epochs": 27, "weights": "random"}),
    ("c-vgg16", {"learning_rate": 1e-4, "weight_decay": 5e-4, "batch_size": 32, "epochs": 26}),
    ("c-mresnet", {"learning_rate": 1e-4, "weight_decay": 5e-4, "batch_size": 32, "epochs": 27, "weights": "random"}),
    ("d-vgg16", {"mode": "frozen", "optimizer": "adam", "pooling": "avg"}),
    ("d-mobilenetv3", {"mode": "frozen", "optimizer": "adam", "rescale": 1.0}),
    ("d-resnet50v2", {"mode": "frozen", "optimizer": "adam", "rescale": 1.0}),
    ("e-focal-cnn", {"epochs": 200, "weights": "random"}),
    ("e-efficientnetb7", {"epochs": 400, "variant": "B7"}),
]
HEADS: dict[str, list[tuple[str, float]]] = {
    "a-efficientnetv2": [],
    "a-resnet50v2": [],
    "d-vgg16": [("dropout", 0.4), ("dense", 384), ("dropout", 0.3), ("dense", 64), ("dropout", 0.2)],
    "d-mobilenetv3": [("dropout", 0.4), ("dense", 256), ("dropout", 0.3), ("dense", 32), ("dropout", 0.2)],
    "d-resnet50v2": [("dropout", 0.4), ("dense", 256), ("dense", 32), ("dense", 32), ("dropout", 0.2)],
}
ACCURACIES = {
    "a-efficientnetv2": ([0.66, 0.70], "validation"),
    "a-resnet50v2": ([0.915], "training"),
    "b-resnet50": ([0.92], "not said"),
    "b-efficientnet": ([0.71], "not said"),
    "c-resnet50": ([0.933], "not said"),
    "c-alexnet": ([0.9], "not said"),
    "c-googlenet": ([0.829], "not said"),
    "c-vgg16": ([0.923], "not said"),
    "c-mresnet": ([0.9846], "not said"),
    "d-vgg16": ([0.875389], "not said"),
    "d-mobilenetv3": ([0.811526], "not said"),
    "d-resnet50v2": ([0.858255], "not said"),
    "e-focal-cnn": ([0.92111], "not said"),
    "e-efficientnetb7": ([0.93], "not said"),
}


@cache
def params_of(name: str, protocol: str = AS_PUBLISHED) -> Params:
    return make_plan(read_recipe(name, FOLDER), protocol, [], BASE).params


def test_every_published_system_has_its_recipe() -> None:
    assert recipe_names(FOLDER) == NAMES
    assert {name: read_recipe(name, FOLDER).system for name in NAMES} == {name: name[0].upper() for name in NAMES}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_valid_and_runs_to_its_last_epoch(name: str, protocol: str) -> None:
    params = params_of(name, protocol)
    assert params.network.patience >= params.network.epochs
    assert params.network.unfreeze.layers == 0
    assert not params.network.standardise
    assert params.data.source == "kaggle"
    assert params.train.collapse_action == "warn"


@pytest.mark.parametrize("name", NAMES)
def test_honest_is_by_group_and_published_by_image(name: str) -> None:
    published, honest = (params_of(name, protocol).split for protocol in PROTOCOLS)
    assert (published.group, published.merge_duplicates) == ("image", False)
    assert (honest.group, honest.merge_duplicates) == ("case", True)


@pytest.mark.parametrize(("name", "figures"), FIGURES)
def test_settings_agree_with_the_texts(name: str, figures: dict[str, Any]) -> None:
    network = params_of(name).network
    assert {key: getattr(network, key) for key in figures} == figures


@pytest.mark.parametrize(("name", "layers"), HEADS.items())
def test_heads_agree_with_the_texts(name: str, layers: list[tuple[str, float]]) -> None:
    assert [next(iter(layer.model_dump().items())) for layer in params_of(name).network.head] == layers


@pytest.mark.parametrize(("name", "published"), ACCURACIES.items())
def test_published_accuracies_agree_with_the_texts(name: str, published: tuple[list[float], str]) -> None:
    figure = read_recipe(name, FOLDER).accuracy
    assert (figure.values, figure.part) == published


@pytest.mark.parametrize("name", NAMES)
def test_data_and_augmentation_agree_with_the_texts(name: str) -> None:
    params = params_of(name)
    system = name[0]
    assert params.dataset == {"a": "breakhis", "b": "breakhis", "c": "busi", "d": "breakhis", "e": "ham10000"}[system]
    assert params.train.class_weight == ("balanced" if system == "b" else "none")
    assert params.train.loss == ("focal" if name == "e-focal-cnn" else "cross_entropy")
    assert (params.preprocess.clip_limit > 0, params.preprocess.denoise > 0) == (system == "c", system == "c")
    augment = params.augment
    if system == "a":
        assert set(augment.model_dump().values()) == {"none", 0.0, 1.0}
        assert params.data.image_size == 224
    if system == "b":
        assert (augment.flip, augment.rotation) == ("horizontal", 0)
        assert augment.crop < 1
    if system == "c":
        assert augment.rotation > 0
        assert augment.zoom > 0
    if system == "d":
        assert (augment.flip, augment.rotation, augment.brightness) == ("both", 0.2, 0.2)


def test_the_doubled_rescale_is_published_and_not_honest() -> None:
    published, honest = (params_of("a-efficientnetv2", protocol) for protocol in PROTOCOLS)
    assert published.network.rescale == pytest.approx(1 / 255)
    assert published.train.contract_action == "warn"
    assert honest.network.rescale == 1
    assert honest.train.contract_action == "stop"


def test_the_published_confound_is_mended() -> None:
    settings = [params_of(name, HONEST).network for name in ("b-resnet50", "b-efficientnet")]
    assert len({(each.optimizer, each.learning_rate, each.weight_decay) for each in settings}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_reads_as_text(name: str) -> None:
    recipe = read_recipe(name, FOLDER)
    text = describe_recipe(recipe)
    assert recipe.title in text
    assert recipe.source in " ".join(text.split())
    assert ".txt" not in recipe.source
    assert re.search(r"\b20\d\d\b|no date given", recipe.source)
    for figure in recipe.published:
        assert f'"{figure.text}"' in text
    for key in flatten(recipe_settings(recipe, HONEST)):
        assert f"  {key}: " in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_an_unknown_recipe_lists_the_valid_ones() -> None:
    with pytest.raises(UserError, match=f"unknown recipe 'f-vgg16'; choose one of: {', '.join(NAMES)}"):
        read_recipe("f-vgg16", FOLDER)


def test_another_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run from the project's top folder"):
        recipe_names(tmp_path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "colour: red",
            "unknown key 'colour'; valid keys there: honest, name, network, notes, published, search, settings, source",
        ),
        ("search: {}", "search: Dictionary should have at least 1 item after validation, not 0"),
        ("system: F", "system: Input should be 'A', 'B', 'C', 'D' or 'E'"),
        ("published: [{metric: accuracy, share: 1}]", "published"),
        ("published: [{metric: loss, part: test, text: x, values: [1]}]", "no entry with metric accuracy"),
        ("notes: [", "is not valid YAML"),
    ],
)
def test_a_wrong_recipe_is_named_in_one_line(tmp_path: Path, line: str, says: str) -> None:
    text = (FOLDER / "d-vgg16.yaml").read_text(encoding="utf-8")
    key = line.split(":")[0]
    kept = text if key == "colour" else text.replace(f"\n{key}:", f"\nold_{key}:").removeprefix(f"{key}: D\n")
    (tmp_path / "d-vgg16.yaml").write_text(
        f"{line}\n{kept}".replace(f"old_{key}:", "notes:" if key != "notes" else "x:")
    )
    with pytest.raises(UserError, match="d-vgg16.yaml") as caught:
        read_recipe("d-vgg16", tmp_path)
    assert says in str(caught.value)
    assert "\n" not in " ".join(str(caught.value).split())
