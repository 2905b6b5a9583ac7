"""A recipe's search: its settings, and `bycase recipe search` in a project whose stages are quick stand-ins."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.core.nested import merge
from bycase.studies.recipe.definition import HONEST, read_recipe, recipe_names
from bycase.studies.recipe.run import make_plan
from bycase.studies.recipe.search import SearchPlan, make_search_plan, need_search, search_settings
from bycase.studies.recipe.workspace import WAY_BACK_OF_SEARCH
from bycase.studies.tune.params import plan_runs
from bycase.studies.tune.space import defaults, is_within
from tests.fixtures.recipe import REPOSITORY, Recipes, environment

RECIPES = REPOSITORY / "recipes"
BASE = (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
TUNING = (REPOSITORY / "tuning/params.yaml").read_text(encoding="utf-8")
NAMES = [name for name in recipe_names(RECIPES) if read_recipe(name, RECIPES).search is not None]
SMALL = ["budget.trials=4", "budget.epochs=2", "population.members=2", "population.interval=1", "outer.folds=2"]


def plan_of(name: str, *assignments: str) -> SearchPlan:
    return make_search_plan(read_recipe(name, RECIPES), list(assignments), BASE, TUNING)


def status(folder: Path) -> str:
    command = ("git", "status", "--porcelain")
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_search_is_valid_and_compares_what_was_trained_alike(name: str) -> None:
    search = plan_of(name)
    assert search.tuning.outer.folds >= 2
    # The authors' final settings are trial 0, and trained for as long as every trial and every member.
    assert {run.epochs for run in plan_runs(search.tuning)} == {search.plan.params.network.epochs}
    own = defaults(search.plan.params, search.tuning.space.searched)
    assert is_within(own, search.tuning.space)
    assert search.plan.params == make_plan(read_recipe(name, RECIPES), HONEST, [], BASE).params
    assert search.changes == {}


def test_the_search_of_system_c_is_as_its_text_says() -> None:
    tuning = plan_of("c-mresnet").tuning
    assert NAMES == ["c-mresnet"]
    assert tuning.algorithm == "bayesian+pbt"
    assert [run.algorithm for run in plan_runs(tuning)] == ["bayesian", "pbt"]
    assert list(tuning.space.searched) == ["learning_rate", "weight_decay", "batch_size"]


def test_what_is_written_keeps_the_comments_and_searches_nothing_else() -> None:
    search = plan_of("c-mresnet", "seed=8", "search.seed=9", "search.outer.folds=2", "search.budget.trials=20")
    written = yaml.safe_load(search.text)
    assert (written["seed"], search.plan.params.seed) == (9, 8)
    assert written["search"] == ["final", 0, 1]
    assert written["space"] == read_recipe("c-mresnet", RECIPES).search["space"]  # type: ignore[index]
    gone = [line for line in TUNING.splitlines() if line.startswith(("  augmentation:", "  head:"))]
    assert search.text.count("#") == TUNING.count("#") - len(gone)
    assert search.changes == {
        "seed": {"recipe": 7, "here": 8},
        "search.seed": {"recipe": 7, "here": 9},
        "search.outer.folds": {"recipe": 3, "here": 2},
    }


def test_a_search_without_a_space_has_that_of_the_file() -> None:
    recipe = read_recipe("c-mresnet", RECIPES)
    assert recipe.search is not None
    left = {key: value for key, value in recipe.search.items() if key != "space"}
    committed = yaml.safe_load(TUNING)
    settings = search_settings(recipe.model_copy(update={"search": left}), committed)
    assert settings["space"] == committed["space"]
    assert settings["budget"] == merge(committed["budget"], left["budget"])


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("search=3", "--set search=3: write search.KEY=value, such as search.budget.trials=6"),
        ("search.outer.folds=0", "outer.folds is 0, and without outer folds nobody knows"),
        ("search.outer=3", "outer: Input should be a valid dictionary"),
        ("search.outer.folds=1000000000", "outer.folds: Input should be less than or equal to 20"),
        ("search.search=[final]", "search: with outer.folds: 3 it must be [final, 0, 1, 2]"),
        ("search.budget.trial=3", "unknown key 'budget.trial'; valid keys there: epochs, minutes, trials"),
        ("search.space.dropout.uniform=[0,0.5]", "space.dropout: zoo.mresnet.head has no dropout layer"),
        ("search.population.members=12", "population.bayesian_share: 10 Bayesian trials cannot begin 12 members"),
        ("zoo.mresnet.optimizer=adam", "space.weight_decay: adam has none"),
        ("zoo.mresnet.epoch=1", "unknown key 'zoo.mresnet.epoch'"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(assignment: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        plan_of("c-mresnet", assignment)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_without_a_search_says_so() -> None:
    need_search(read_recipe("c-mresnet", RECIPES), RECIPES)
    with pytest.raises(UserError, match="recipe c-vgg16 has no section 'search'; choose one of: c-mresnet, or give"):
        need_search(read_recipe("c-vgg16", RECIPES), RECIPES)


def test_a_search_becomes_a_result_and_leaves_what_it_wrote_to_the_next(
    stand_in: Path, recipe_command: Recipes
) -> None:
    pytest.importorskip("ray")
    pytest.importorskip("optuna")
    place = stand_in / "elsewhere/images"
    own = ["datasets.busi.source=local", f"datasets.busi.path={place}", *(f"search.{each}" for each in SMALL)]
    done = recipe_command("search", "c-mresnet", "--set", *own)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"back to what is committed: {WAY_BACK_OF_SEARCH}")
    assert "| gain over the authors' final settings | " in done.stdout

    folder = stand_in / "results/recipes/c-mresnet"
    assert sorted(path.name for path in folder.iterdir()) == ["search.csv", "search.json", "search.png"]
    text = (folder / "search.json").read_text(encoding="utf-8")
    assert str(stand_in) not in text
    result = json.loads(text)
    assert result["command"].startswith("bycase recipe search c-mresnet --set ")
    assert "'datasets.busi.path=<images>'" in result["command"]
    assert result["changed"]["search.budget.trials"] == {"recipe": 20, "here": 4}
    assert (result["protocol"], result["split"]["group"]) == ("honest", "case")
    assert result["data"]["pairs_under_two_labels"] == 1
    assert result["authors"] == {"learning_rate": 0.0001, "weight_decay": 0.0005, "batch_size": 32}
    assert set(result["winners"]) == {"final", "0", "1"}
    assert result["scores"]["n_images"] == sum(result["data"]["parts"][part]["images"] for part in ("train", "val"))
    assert {"optuna", "ray"} < set(result["versions"])
    # `evaluate` was not needed, and nobody's model was trained for it.
    assert "stand_in.py train" not in done.stdout

    # What it has left is its own to write over, and a user's own change is not.
    assert recipe_command("search", "c-mresnet", "--set", *own, "search.budget.trials=6").returncode == 0
    again = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    assert again["search"]["budget"]["trials"] == 6
    path = stand_in / "tuning/params.yaml"
    changed = path.read_text(encoding="utf-8").replace("seed: 7", "seed: 8")
    path.write_text(changed, encoding="utf-8")
    done = recipe_command("search", "c-mresnet", "--set", *own)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "tuning/params.yaml has changes that are not committed" in done.stderr
    assert path.read_text(encoding="utf-8") == changed

    subprocess.run(("bash", "-c", WAY_BACK_OF_SEARCH), cwd=stand_in, env=environment(), check=True)
    left = [line for line in status(stand_in).splitlines() if not line.startswith("?? ")]
    assert left == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["c-vgg16"], "recipe: error: recipe c-vgg16 has no section 'search'; choose one of: c-mresnet"),
        (["c-mresnet", "--set", "search.budget.trial=3"], "with --set: unknown key 'budget.trial'"),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    stand_in: Path, recipe_command: Recipes, arguments: list[str], says: str
) -> None:
    pytest.importorskip("ray")
    done = recipe_command("search", *arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert status(stand_in) == ""
