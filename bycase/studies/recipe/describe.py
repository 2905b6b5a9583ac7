"""One recipe for a reader: what was printed, what is unknown, and every setting."""

import json
import textwrap
from typing import Any

from bycase.core.nested import flatten
from bycase.studies.recipe.definition import Published, Recipe

WIDTH = 110  # characters


def describe_recipe(recipe: Recipe) -> str:
    """The whole of a recipe as text; lines, the last one ended."""
    lines = [
        f"{recipe.name}: {recipe.title}",
        *textwrap.wrap(f"system {recipe.system}: {recipe.source}", WIDTH, break_on_hyphens=False),
        f"network: {recipe.network}",
        "",
        "published",
        *(f"  {describe_figure(figure)}" for figure in recipe.published),
        "",
        "notes",
        *(line for note in recipe.notes for line in _wrap(note)),
        "",
        "settings, as they did it",
        *_lines(recipe.settings),
        "",
        "settings, honest: the same, but",
        *_lines(recipe.honest),
        *(["", "search for settings, of tuning/params.yaml", *_lines(recipe.search)] if recipe.search else []),
    ]
    return "\n".join(lines) + "\n"


def describe_figure(figure: Published) -> str:
    """A figure with its part and the source's own words."""
    values = " to ".join(f"{value:g}" for value in figure.values)
    images = f", {figure.n} images" if figure.n else ""
    return f'{figure.metric} {values} ({figure.part}{images}): "{figure.text}"'


def _wrap(note: str) -> list[str]:
    return textwrap.wrap(note, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _lines(settings: dict[str, Any]) -> list[str]:
    return [f"  {key}: {_value(value)}" for key, value in flatten(settings).items()]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
