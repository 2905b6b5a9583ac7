"""A recipe's run: its `params.yaml`, the pipeline, the experiment's name, the result.

The pipeline runs by `dvc repro` and is named afterwards by `dvc exp save`. `dvc exp run --name` would do both, but
where it is killed it leaves Git on a detached HEAD, and it refuses a name that is taken unless every stage runs anew.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from bycase.core.errors import UserError
from bycase.core.files import file_digest
from bycase.core.nested import Settings, merge
from bycase.core.params import PARAMS_PATH, Params, check_params, parse_yaml, upgrade_text
from bycase.core.yaml_edit import edit_yaml
from bycase.datasets.duplicates import DUPLICATES, read_duplicates
from bycase.studies.pipelines import run_dvc
from bycase.studies.recipe.definition import HONEST, Recipe
from bycase.studies.recipe.record import write_result
from bycase.studies.recipe.settings import Network, find_changes, parse_assignments, recipe_settings
from bycase.studies.recipe.waivers import pairs_on_both_sides, pairs_under_two_labels
from bycase.studies.recipe.workspace import (
    committed_params,
    digest,
    need_identity,
    read_state,
    refuse_own_changes,
    unstage_after_a_killed_save,
    write_params,
)
from bycase.tables.manifest import MANIFEST, read_manifest

COMMITTED = "the committed params.yaml"


@dataclass(frozen=True)
class Plan:
    """A run before it begins.

    Attributes
    ----------
    recipe : Recipe
        What is run.
    protocol : str
        as-published or honest.
    network : Network or None
        In the recipe's own one's place.
    base : str
        The committed `params.yaml`, in its current version.
    own : dict
        The user's own settings, nested.
    params : Params
        All together, checked.
    """

    recipe: Recipe
    protocol: str
    network: Network | None
    base: str
    own: Settings
    params: Params

    @property
    def experiment(self) -> str:
        """The name in `dvc exp show`."""
        parts = (self.recipe.name, self.network.label if self.network else "", HONEST * (self.protocol == HONEST))
        return "-".join(filter(None, parts))

    @property
    def settings(self) -> Settings:
        """What the recipe sets."""
        return recipe_settings(self.recipe, self.protocol, self.network)

    def text(self, pairs: list[tuple[str, str]]) -> str:
        """The `params.yaml` to run with, in which `pairs` of duplicates are let pass."""
        settings = merge(self.settings, self.own)
        if pairs:
            dataset = self.params.dataset
            listed = {tuple(sorted(pair)) for pair in [*self.params.audit.waive.get(dataset, []), *pairs]}
            settings = merge(settings, {"audit": {"waive": {dataset: [list(pair) for pair in sorted(listed)]}}})
        return edit_yaml(self.base, merge(parse_yaml(self.base, COMMITTED), settings))


def make_plan(recipe: Recipe, protocol: str, assignments: list[str], base: str, network: Network | None = None) -> Plan:
    """Put a recipe, ``--set`` texts and another network together and check the outcome.

    Raises
    ------
    UserError
        If a setting is not valid, or there is no such network.
    """
    own, committed = parse_assignments(assignments), parse_yaml(base, COMMITTED)
    if network and network.name not in committed["zoo"]:
        raise UserError(f"--network: zoo has no entry '{network.name}'; choose one of: {', '.join(committed['zoo'])}")
    content = merge(committed, merge(recipe_settings(recipe, protocol, network), own))
    source = f"recipe {recipe.name} ({protocol}){' with --set' if own else ''}"
    return Plan(recipe, protocol, network, base, own, check_params(content, source)[0])


def run_recipe(
    recipe: Recipe, protocol: str, assignments: list[str], network: Network | None = None, brief: bool = False
) -> Path:
    """Run a recipe in the workspace and write its result.

    Parameters
    ----------
    recipe : Recipe
        Of `bycase.studies.recipe.definition.read_recipe`.
    protocol : str
        as-published or honest.
    assignments : list of str
        The user's own settings, ``key=value``.
    network : Network, optional
        In the recipe's own one's place.
    brief : bool
        Ends after `evaluate`, which is all that the result tells of; such a run becomes no experiment.

    Returns
    -------
    Path
        The result's file.

    Raises
    ------
    UserError
        If `params.yaml` holds changes of the user's, Git knows no identity, a setting is not valid, or the pipeline
        fails.
    """
    committed = committed_params()
    refuse_own_changes(committed)
    need_identity()
    unstage_after_a_killed_save()
    base = upgrade_text(committed, COMMITTED)
    plan = make_plan(recipe, protocol, assignments, base, network)
    let_pass(plan)
    _dvc(plan, "repro", *(["evaluate"] if brief else []))
    if not brief:
        # Only the root's pipeline: others may have outputs that were never made.
        _dvc(plan, "exp", "save", "--quiet", "--force", "--name", plan.experiment, "dvc.yaml")
    planned = merge(parse_yaml(base, COMMITTED), plan.settings)
    changes = find_changes(planned, plan.own)
    return write_result(recipe.name, recipe.system, protocol, network, plan.params, changes, plan.own)


def let_pass(plan: Plan) -> None:
    """Write `params.yaml`, with the pairs of duplicates named that would stop this protocol.

    Those are known once `audit` has run. A run that is continued has them already.
    """
    plain = plan.text([])
    wanted, state = digest(plain), read_state()
    here = digest(PARAMS_PATH.read_text(encoding="utf-8")) if PARAMS_PATH.exists() else ""
    continued = state.get("wanted") == wanted and state.get("written", [])[-1:] == [here]
    if continued:
        _dvc(plan, "repro", "restructure")
        if state.get("images") == file_digest(MANIFEST):
            return
    write_params(plain, wanted=wanted)
    logging.info("duplicates first: where audit stops at pictures under two labels, these are named in audit.waive")
    began = time.time()
    # At one picture under two labels `audit` stops, but it has listed all duplicates by then.
    if not run_dvc("repro", "audit") and not (DUPLICATES.exists() and DUPLICATES.stat().st_mtime >= began):
        raise _failure(plan)
    write_params(plan.text(_pairs(plan)), wanted=wanted, images=file_digest(MANIFEST))


def _pairs(plan: Plan) -> list[tuple[str, str]]:
    duplicates = read_duplicates()
    labels = pairs_under_two_labels(duplicates)
    sides = pairs_on_both_sides(plan.params, read_manifest(), duplicates)
    if labels or sides:
        logging.warning(
            "WARNING: let pass: %d pairs under two labels, %d pairs of duplicates on both sides of the test part",
            len(labels),
            len(sides),
        )
    return sorted({*labels, *sides})


def _dvc(plan: Plan, *arguments: str) -> None:
    if not run_dvc(*arguments):
        raise _failure(plan)


def _failure(plan: Plan) -> UserError:
    return UserError(
        f"{plan.experiment} did not finish, for the reason given above; mend that and give the same command again: "
        "what is done stays done"
    )
