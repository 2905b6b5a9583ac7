"""`recipes/<name>.yaml`: what a published system did, what it printed, and what its text leaves open."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bycase.core.errors import UserError
from bycase.core.params import read_yaml, validate
from bycase.core.params_data import Count, Section

RECIPES = Path("recipes")

AS_PUBLISHED, HONEST = "as-published", "honest"
PROTOCOLS = (AS_PUBLISHED, HONEST)


class Published(Section):
    """One figure as printed.

    Attributes
    ----------
    metric : str
        Its name; shares are in [0, 1], losses in nats.
    part : str
        The images that it was measured on.
    text : str
        The source's own words or digits.
    values : list of float
        One number; two where the text gives a range, or a first and a last value.
    n : int or None
        Images that it was measured on, where the text allows to know.
    """

    metric: Literal["accuracy", "loss", "precision", "recall", "f1", "seconds"]
    part: Literal["training", "validation", "test", "not said"]
    text: str
    values: Annotated[list[float], Field(min_length=1, max_length=2)]
    n: Count | None = None


class Recipe(Section):
    """A published system.

    Attributes
    ----------
    name : str
        The file's name.
    system : str
        Whose it is; one letter a source.
    title, source, network : str
        What it is, who published it (authors, year, title), and the network in words.
    published : list of Published
        Its figures.
    notes : list of str
        What the text leaves open and what was chosen here; what its number hides.
    settings : dict
        Nested keys of `params.yaml`: as the authors did it.
    honest : dict
        More such keys, on top of `settings`: the split by patient, and a defect mended.
    search : dict or None
        Nested keys of `tuning/params.yaml`: the search by which the authors say that they found their settings.
    """

    name: str
    system: Literal["A", "B", "C", "D", "E"]
    title: str
    source: str
    network: str
    published: Annotated[list[Published], Field(min_length=1)]
    notes: list[str]
    settings: dict[str, Any]
    honest: dict[str, Any]
    search: Annotated[dict[str, Any], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_accuracy(self) -> "Recipe":
        if not any(figure.metric == "accuracy" for figure in self.published):
            raise ValueError("published: no entry with metric accuracy")
        return self

    @cached_property
    def accuracy(self) -> Published:
        """The published accuracy, which every recipe has."""
        return next(figure for figure in self.published if figure.metric == "accuracy")


def recipe_names(folder: Path = RECIPES) -> list[str]:
    """Names of all recipes, sorted.

    Raises
    ------
    UserError
        If there are none, as in another folder than the project's.
    """
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if not names:
        raise UserError(f"{folder}/ holds no recipe: run from the project's top folder")
    return names


def read_recipe(name: str, folder: Path = RECIPES) -> Recipe:
    """Read and check a recipe; its settings are checked with `params.yaml`, see `bycase.studies.recipe.settings`.

    Raises
    ------
    UserError
        If there is no such recipe, or a key or value of it is not valid.
    """
    names = recipe_names(folder)
    if name not in names:
        raise UserError(f"unknown recipe '{name}'; choose one of: {', '.join(names)}")
    path = folder / f"{name}.yaml"
    return validate(Recipe, {**read_yaml(path, Recipe), "name": name}, str(path))
