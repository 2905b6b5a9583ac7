import re
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.studies.recipe.definition import Published, recipe_names
from bycase.studies.recipe.table import NONE, describe_published, list_recipes, make_table
from tests.fixtures.recipe import REPOSITORY, MakeRun

RECIPES = REPOSITORY / "recipes"


@pytest.fixture
def results(tmp_path: Path, make_run: MakeRun) -> Path:
    """Both protocols of one recipe, one on the phantom of another."""
    data = {**make_run("x", "y")["data"], "cases_on_both_sides": 31, "duplicates_on_both_sides": 2}
    changed = {
        "zoo.vgg16.epochs": {"recipe": 30, "here": 2},
        "datasets.breakhis.path": {"recipe": None, "here": "x"},
        "explain.images": {"recipe": 24, "here": 2},
    }
    write_json(tmp_path / "d-vgg16/as-published.json", make_run("d-vgg16", "as-published", 0.875, data=data))
    write_json(tmp_path / "d-vgg16/honest.json", make_run("d-vgg16", "honest", changed=changed))
    write_json(tmp_path / "a-resnet50v2/honest.json", make_run("a-resnet50v2", "honest", phantom=True))
    return tmp_path


def cells_of(table: str, name: str) -> list[str]:
    row = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_published_as_they_did_it_and_honest_stand_side_by_side(results: Path) -> None:
    table = make_table(True, RECIPES, results)
    assert cells_of(table, "d-vgg16")[2:] == [
        "0.875 (0.848 to 0.899), part not said",
        "0.875 (0.750 to 0.938) [2]",
        "0.750 (0.625 to 0.812) [3]",
        "0.625 / 0.625",
        "0.812 (0.625 to 0.938) / 0.812 (0.625 to 0.938)",
    ]
    assert cells_of(table, "c-alexnet")[3:] == [NONE] * 4
    assert len([line for line in table.splitlines() if re.match(r"\| [a-e]-", line)]) == len(recipe_names(RECIPES))


def test_a_phantom_and_what_was_reduced_are_said(results: Path) -> None:
    for markdown in (True, False):
        table = make_table(markdown, RECIPES, results)
        assert "phantom 0.750 (0.625 to 0.812) [1]" in table
        notes = {
            mark: next(line for line in table.splitlines() if line.startswith(mark))
            for mark in (("1. ", "2. ", "3. ") if markdown else ("[1] ", "[2] ", "[3] "))
        }
        phantom, published, honest = notes.values()
        assert "a-resnet50v2, honest: phantom data (generated images)" in phantom
        assert "31 patients on both sides; 2 pairs of duplicates on both sides" in published
        assert "ImageNet weights; test 40 images of 9 patients" in honest
        assert honest.endswith("epoch 12 of 30; changed: zoo.vgg16.epochs 30 → 2")
        assert "both sides" not in honest


def test_a_recipe_with_another_network_has_a_row_of_its_own(results: Path, make_run: MakeRun) -> None:
    network = {"model": "efficientnetlite", "variant": None, "mode": "end_to_end", "weights": "imagenet", "stride": 16}
    write_json(results / "d-vgg16/efficientnetlite/honest.json", make_run("d-vgg16", "honest", 0.875, network=network))
    table = make_table(True, RECIPES, results)
    titles = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| d-vgg16")]
    assert titles == ["| d-vgg16", "| d-vgg16 with efficientnetlite"]
    row = cells_of(table, "d-vgg16 with efficientnetlite")
    assert row[1:4] == ["efficientnetlite up to stride 16, ImageNet weights", NONE, NONE]
    assert row[4].startswith("0.875 (")
    assert row[5].startswith(f"{NONE} / 0.625")
    assert "\n4. d-vgg16 with efficientnetlite, honest: " in table


def test_a_table_without_runs(tmp_path: Path) -> None:
    table = make_table(False, RECIPES, tmp_path)
    assert "[1]" not in table
    assert table.count(NONE) == 4 * len(recipe_names(RECIPES))


def test_the_list_says_which_were_run(results: Path) -> None:
    lines = {line.split()[0]: line for line in list_recipes(RECIPES, results).splitlines()}
    assert lines["d-vgg16"].endswith("as-published, honest")
    assert lines["c-vgg16"].endswith(NONE)
    assert "busi" in lines["c-vgg16"]
    assert "0.923" in lines["c-vgg16"]


def test_a_broken_result_is_named(results: Path) -> None:
    (results / "d-vgg16/honest.json").write_text("{")
    with pytest.raises(UserError, match="honest.json is not valid JSON"):
        make_table(True, RECIPES, results)


def test_published_intervals_agree_with_statsmodels_figures() -> None:
    # 128 of 130 by Wilson (1927), as R's binom::binom.wilson and statsmodels' proportion_confint give it.
    figure = Published(metric="accuracy", part="not said", text="98.46", values=[0.9846], n=130)
    z, n, p = 1.959963984540054, 130, 128 / 130
    centre, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5,
    )
    assert describe_published(figure) == f"0.985 ({centre - half:.3f} to {centre + half:.3f}), part not said"
    assert describe_published(figure.model_copy(update={"n": None})) == "0.985, part not said"
