"""A recipe's `params.yaml`: the committed one, with the recipe's settings and the user's own on top."""

from typing import Any, NamedTuple

import yaml

from bycase.core.errors import UserError
from bycase.core.nested import Settings, flatten, merge, nest
from bycase.studies.recipe.definition import HONEST, Recipe

# Of an entry of `zoo`, what no other network can take over.
OWN_OF_NETWORKS = ("variant", "weights", "stride")


class Network(NamedTuple):
    """A network in a recipe's own one's place, and its variant; None: that of its entry of `zoo`."""

    name: str
    variant: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Network":
        """Of ``NAME`` or ``NAME:VARIANT``."""
        name, colon, variant = text.partition(":")
        return cls(name, variant if colon else None)

    @property
    def label(self) -> str:
        """As files and rows are named: ``NAME`` or ``NAME-VARIANT``."""
        return self.name if self.variant is None else f"{self.name}-{self.variant}"


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


def recipe_settings(recipe: Recipe, protocol: str, network: Network | None = None) -> Settings:
    """What a recipe sets under a protocol, as-published or honest; with another network, if one is given.

    That is trained as the recipe trains its own; variant, weights and stride stay those of its entry of `zoo`, but for
    a variant that `network` names.
    """
    settings = merge(recipe.settings, recipe.honest) if protocol == HONEST else recipe.settings
    if network is None:
        return settings
    entry = {key: value for key, value in settings["zoo"][settings["model"]].items() if key not in OWN_OF_NETWORKS}
    if network.variant is not None:
        entry["variant"] = network.variant
    return settings | {"model": network.name, "zoo": {network.name: entry}}


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
