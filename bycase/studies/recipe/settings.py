"""A recipe's `params.yaml`: the committed one, with the recipe's settings and the user's own on top."""

import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bycase.core.errors import UserError
from bycase.core.params import Params, load_params
from bycase.studies.recipe.definition import HONEST, Recipe

Settings = dict[str, Any]


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
        names = key.split(".")
        if not equals or not all(names):
            raise UserError(f"--set {assignment}: write key=value, such as zoo.resnet50v2.epochs=2")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(f"--set {assignment}: '{text}' is not valid YAML; quote it or mend it") from None
        for name in reversed(names):
            value = {name: value}
        settings = merge(settings, value)
    return settings


def read_content(text: str) -> Settings:
    """The content of a valid `params.yaml`."""
    content: Settings = yaml.safe_load(text)
    return content


def merge(content: Settings, settings: Settings) -> Settings:
    """`content` with `settings` laid over it; mappings are merged, everything else is replaced."""
    merged = dict(content)
    for key, value in settings.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def recipe_settings(recipe: Recipe, protocol: str) -> Settings:
    """What a recipe sets under a protocol, as-published or honest."""
    return merge(recipe.settings, recipe.honest) if protocol == HONEST else recipe.settings


def flatten(settings: Settings, prefix: str = "") -> dict[str, Any]:
    """Dotted keys and their values; an empty mapping is a value."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


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
    before = flatten(planned)
    after = flatten(own)
    return {key: {"recipe": before.get(key), "here": after[key]} for key in after if before.get(key) != after[key]}


def write_text(base: str, settings: Settings) -> str:
    """The text of `params.yaml` with settings laid over it; comments and order stay."""
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=4, offset=2)
    # ruamel.yaml writes null as nothing at all, and 1e-05, which PyYAML takes for a word.
    for kind, tag, write in ((type(None), "null", lambda _: "null"), (float, "float", _write_float)):
        editor.representer.add_representer(
            kind,
            lambda dumper, value, tag=tag, write=write: dumper.represent_scalar(
                f"tag:yaml.org,2002:{tag}", write(value)
            ),
        )
    try:
        content = editor.load(base)
    except YAMLError as error:
        raise UserError(f"the committed params.yaml is not valid YAML: {error}") from None
    _lay_over(content, settings)
    written = StringIO()
    editor.dump(content, written)
    return written.getvalue()


def _write_float(value: float) -> str:
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")


def _lay_over(content: Any, settings: Settings) -> None:
    """As `merge`, but in place, since a copy would lose the comments."""
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _lay_over(content[key], value)
        elif content.get(key) != value or key not in content:
            content[key] = value


def check_text(text: str, said_by: str) -> Params:
    """Check the whole of a `params.yaml` that is not written yet.

    Parameters
    ----------
    text : str
        Its content.
    said_by : str
        Where it comes from, for messages.

    Raises
    ------
    UserError
        Naming the key and the valid choices, as `bycase.core.params.load_params` does.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "params.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return load_params(path)
        except UserError as error:
            raise UserError(f"{said_by}: {str(error).removeprefix(f'{path}: ')}") from None
