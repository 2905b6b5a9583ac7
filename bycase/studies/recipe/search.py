"""A recipe's search: the data of its honest protocol, `tuning/dvc.yaml` with a nested evaluation, the result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.nested import Settings, merge
from bycase.core.packages import need
from bycase.core.params import PARAMS_PATH, parse_yaml, upgrade_text
from bycase.core.yaml_edit import edit_yaml
from bycase.studies.recipe.definition import HONEST, RECIPES, Recipe, read_recipe, recipe_names
from bycase.studies.recipe.run import COMMITTED, Plan, let_pass, make_plan
from bycase.studies.recipe.search_record import write_search_result
from bycase.studies.recipe.settings import find_changes, parse_assignments
from bycase.studies.recipe.workspace import (
    committed_params,
    refuse_own_changes,
    unstage_after_a_killed_save,
    write_params,
)
from bycase.studies.tune.params import TUNING_PARAMS, TuningParams, check_tuning_params
from bycase.studies.tune.place import FINAL
from bycase.studies.tune.run import run_tuning

SECTION = "search"  # of a recipe, and in front of ``--set``'s keys of tuning/params.yaml
COMMITTED_TUNING = f"the committed {TUNING_PARAMS.as_posix()}"
MOST_FOLDS = 20  # for which a list of searches is written; more are refused as a setting


@dataclass(frozen=True)
class SearchPlan:
    """A recipe's search before it begins.

    Attributes
    ----------
    plan : Plan
        Of the honest protocol, whose training and validation images are searched on.
    base : str
        The committed `tuning/params.yaml`.
    settings : dict
        What `tuning/params.yaml` shall hold.
    tuning : TuningParams
        The same, checked.
    own : dict
        The user's own settings, nested; those of the search below `SECTION`.
    changes : dict
        See `bycase.studies.recipe.settings.find_changes`.
    """

    plan: Plan
    base: str
    settings: Settings
    tuning: TuningParams
    own: Settings
    changes: dict[str, dict[str, Any]]

    @property
    def text(self) -> str:
        """The `tuning/params.yaml` to run with."""
        return edit_yaml(self.base, self.settings, TUNING_PARAMS.as_posix())


def make_search_plan(recipe: Recipe, assignments: list[str], base: str, tuning_base: str) -> SearchPlan:
    """Put a recipe's search and ``--set`` texts together and check the outcome.

    Parameters
    ----------
    recipe : Recipe
        With a search.
    assignments : list of str
        The user's own settings: keys of `params.yaml`, and below `SECTION` of `tuning/params.yaml`.
    base, tuning_base : str
        The two files as committed, the former in its current version.

    Raises
    ------
    UserError
        If a setting is not valid, or there are no outer folds.
    """
    own = parse_assignments(assignments)
    own_search = own.get(SECTION, {})
    if not isinstance(own_search, dict):
        raise UserError(f"--set {SECTION}={own_search}: write {SECTION}.KEY=value, such as {SECTION}.budget.trials=6")
    plan = make_plan(recipe, HONEST, [each for each in assignments if not _is_of_search(each)], base)
    committed = parse_yaml(tuning_base, COMMITTED_TUNING, TuningParams)
    planned = search_settings(recipe, committed)
    settings = search_settings(recipe, committed, own_search)
    source = f"recipe {recipe.name} (search){' with --set' if own else ''}"
    tuning = check_tuning_params(plan.params, settings, source)
    if not tuning.outer.folds:
        raise UserError(
            f"{source}: outer.folds is 0, and without outer folds nobody knows how much of a search's best score is "
            "luck; give at least 2"
        )
    everything = merge(parse_yaml(base, COMMITTED), plan.settings) | {SECTION: planned}
    return SearchPlan(plan, tuning_base, settings, tuning, own, find_changes(everything, own))


def search_settings(recipe: Recipe, committed: Settings, own: Settings | None = None) -> Settings:
    """The content of `tuning/params.yaml` for a recipe's search, with the user's `own` settings on top.

    A recipe's space stands for itself: what is not in it is not searched. The list of searches follows the number of
    outer folds.
    """
    searched = recipe.search or {}
    content = merge(committed, searched)
    if "space" in searched:
        content["space"] = searched["space"]
    content = merge(content, own or {})
    if SECTION not in {**searched, **(own or {})}:
        folds = content["outer"].get("folds") if isinstance(content.get("outer"), dict) else 0
        content[SECTION] = [FINAL, *(range(folds) if folds in range(MOST_FOLDS + 1) else [])]
    return content


def _is_of_search(assignment: str) -> bool:
    return assignment.partition("=")[0].split(".")[0] == SECTION


def need_search(recipe: Recipe, folder: Path = RECIPES) -> None:
    """See that a recipe has a search.

    Raises
    ------
    UserError
        If it has none.
    """
    if recipe.search is None:
        having = [name for name in recipe_names(folder) if read_recipe(name, folder).search is not None]
        raise UserError(
            f"recipe {recipe.name} has no section '{SECTION}'; choose one of: {', '.join(having)}, or give "
            f"{folder / recipe.name}.yaml one, with keys of {TUNING_PARAMS.as_posix()}"
        )


def search_recipe(recipe: Recipe, assignments: list[str]) -> Path:
    """Run a recipe's search in the workspace, repeated on what each outer fold leaves, and write its result.

    Parameters
    ----------
    recipe : Recipe
        Of `bycase.studies.recipe.definition.read_recipe`.
    assignments : list of str
        See `make_search_plan`.

    Returns
    -------
    Path
        The result's file.

    Raises
    ------
    UserError
        If the recipe has no search, a package that searches need is missing, `params.yaml` or `tuning/params.yaml`
        holds changes of the user's, a setting is not valid, or a pipeline fails.
    """
    need_search(recipe)
    for package in ("ray", "optuna"):
        need(package, "bycase recipe search")
    committed, committed_tuning = committed_params(), committed_params(TUNING_PARAMS)
    refuse_own_changes(committed, PARAMS_PATH)
    refuse_own_changes(committed_tuning, TUNING_PARAMS)
    search = make_search_plan(recipe, assignments, upgrade_text(committed, COMMITTED), committed_tuning)
    unstage_after_a_killed_save()
    let_pass(search.plan)
    write_params(search.text, TUNING_PARAMS)
    run_tuning([])
    return write_search_result(recipe, search.plan.params, search.tuning, search.changes, search.own)
