"""A recipe's `params.yaml`: the committed one, with the recipe's settings and the user's own on top."""

from typing import Any

import yaml

from bycase.core.errors import UserError
from bycase.core.nested import Settings, flatten, merge, nest
from bycase.studies.recipe.definition import HONEST, Recipe


def parse_assignments(assignments: list[str]) -> Settings:
    """Nested settings from ``key.key=value`` texts, whose values are YAML.

    Raises
    ------
    UserError
        If a text has no key, no ``=`` or no valid YAML after it.
    """
    settings: Settings = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.split(".")):
            raise UserError(f"--set {assignment}: write key=value, such as zoo.resnet50v2.epochs=2")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(f"--set {assignment}: '{text}' is not valid YAML; quote it or mend it") from None
        settings = merge(settings, nest({key: value}))
    return settings


def recipe_settings(recipe: Recipe, protocol: str) -> Settings:
    """What a recipe sets under a protocol, as-published or honest."""
    return merge(recipe.settings, recipe.honest) if protocol == HONEST else recipe.settings


def find_changes(planned: Settings, own: Settings) -> dict[str, dict[str, Any]]:
    """Where the user's own settings differ from a recipe's.

    Parameters
    ----------
    planned : dict
        The whole of `params.yaml` as the recipe sets it.
    own : dict
        What ``--set`` says, nested.

    Returns
    -------
    dict of str to dict
        By dotted key: ``recipe`` and ``here``, the two values; null where the recipe has no such key.
    """
    before, after = flatten(planned), flatten(own)
    return {key: {"recipe": before.get(key), "here": after[key]} for key in after if before.get(key) != after[key]}
