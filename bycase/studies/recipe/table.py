"""Published, as they did it, honest: a row a recipe, from `results/recipes/`."""

from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from bycase.core.wording import interval, markdown_table, metric_with_interval, share
from bycase.figures.style import data_words
from bycase.studies.recipe.definition import AS_PUBLISHED, PROTOCOLS, RECIPES, Published, read_recipe, recipe_names
from bycase.studies.recipe.record import RESULTS, other_networks, read_result
from bycase.tables.models import weights_words

HEADER = ("recipe", "network", "published", "as they did it", "honest", "constant prediction", "AUC")
CAPTION = (
    "Accuracy by image: of runs on test, with a 95 % interval over patients; as published on the part named, "
    "with Wilson's interval where the number of images is known. Constant prediction: the training part's majority "
    "class for every test image. Pairs of values: as they did it / honest. AUC: beyond two classes macro, one against "
    "the rest. 'With' another network: trained as the recipe trains its own."
)
NONE = "—"
# Where the images lay says nothing that their number does not; nor does what is done besides, or to the network later.
WHENCE = ("source", "path")
BESIDES = ("leakage", "power", "uncertainty", "robustness", "explain")


def make_table(markdown: bool, recipes: Path = RECIPES, results: Path = RESULTS) -> str:
    """All recipes, with notes on what each run was made from and what it left out.

    Parameters
    ----------
    markdown : bool
        For a README; else columns of text.
    recipes, results : Path
        The folders.
    """
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for name in recipe_names(recipes):
        recipe = read_recipe(name, recipes)
        for label in ("", *other_networks(name, results)):
            runs = {protocol: read_result(name, protocol, label, results) for protocol in PROTOCOLS}
            title = f"{name} with {label}" if label else name
            network = _network_words(next(filter(None, runs.values()))) if label else recipe.network
            published = NONE if label else describe_published(recipe.accuracy)
            rows.append((title, network, published, *_cells(title, runs, notes)))
    table = markdown_table(HEADER, rows) if markdown else _text([HEADER, *rows])
    listed = [f"{number}. {note}" if markdown else f"[{number}] {note}" for number, note in enumerate(notes, 1)]
    gap = [""] if markdown and notes else []
    return "\n".join([table, "", CAPTION, *gap, *listed]) + "\n"


def _cells(title: str, runs: dict[str, dict[str, Any] | None], notes: list[str]) -> list[str]:
    """A row's scores by protocol, constants and areas; notes on the runs are added to `notes`."""
    cells = []
    for protocol, run in runs.items():
        if run is not None:
            words = "as they did it" if protocol == AS_PUBLISHED else protocol
            notes.append(f"{title}, {words}: {describe_run(run)}")
        cells.append(f"{_score(run)} [{len(notes)}]" if run is not None else NONE)
    constants = [share(run["metrics"]["image"]["baseline"]["accuracy"]) if run else NONE for run in runs.values()]
    areas = [metric_with_interval(run["metrics"]["image"], "auc") if run else NONE for run in runs.values()]
    return [*cells, _pair(constants), _pair(areas)]


def describe_published(figure: Published) -> str:
    """A printed share, its interval where the number of images is known, and the part it is of."""
    value = " to ".join(share(value) for value in figure.values)
    if figure.n:
        limits = binomtest(round(figure.values[-1] * figure.n), figure.n).proportion_ci(0.95, method="wilson")
        value += f" ({interval({'low': limits.low, 'high': limits.high})})"
    part = "part not said" if figure.part == "not said" else figure.part
    return f"{value}, {part}"


def describe_run(run: dict[str, Any]) -> str:
    """What a number rests on: data, weights, test part, what stands on both sides, and what was changed."""
    data, image = run["data"], run["metrics"]["image"]
    words = [
        f"{data_words(data['dataset'], data['phantom'])}, {data['images']} images",
        _network_words(run),
        f"test {image['n']} images of {image['n_patients']} patients",
    ]
    if data["cases_on_both_sides"]:
        words.append(f"{data['cases_on_both_sides']} patients on both sides")
    if data["duplicates_on_both_sides"]:
        words.append(f"{data['duplicates_on_both_sides']} pairs of duplicates on both sides")
    if data["pairs_under_two_labels"]:
        words.append(f"{data['pairs_under_two_labels']} pairs under two labels")
    training = run["training"]
    words.append(training.get("setting", f"epoch {training['best_epoch']} of {training['epochs']}"))
    changes = [
        f"{key} {_plain(both['recipe'])} → {_plain(both['here'])}"
        for key, both in run["changed"].items()
        if key.split(".")[-1] not in WHENCE and key.split(".")[0] not in BESIDES
    ]
    if changes:
        words.append(f"changed: {', '.join(changes)}")
    if not run["git"]["code_as_committed"]:
        words.append("code with uncommitted changes")
    return "; ".join(words)


def _network_words(run: dict[str, Any]) -> str:
    """A run's network, up to which stride, and its weights."""
    network = run["network"]
    variant = f" {network['variant']}" if network["variant"] else ""
    stride = f" up to stride {network['stride']}" if network.get("stride") else ""
    return f"{network['model']}{variant}{stride}, {weights_words(network['model'], network['weights'])}"


def _score(run: dict[str, Any]) -> str:
    score = metric_with_interval(run["metrics"]["image"], "accuracy")
    return f"phantom {score}" if run["data"]["phantom"] else score


def _pair(values: list[str]) -> str:
    """As they did it / honest; one dash where neither was run."""
    return NONE if set(values) == {NONE} else " / ".join(values)


def _plain(value: Any) -> str:
    return "null" if value is None else str(value)


def _text(rows: list[tuple[str, ...]]) -> str:
    """Columns of text, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def list_recipes(recipes: Path = RECIPES, results: Path = RESULTS) -> str:
    """Name, system, data set, network, published accuracy and the protocols with results, a line a recipe."""
    rows: list[tuple[str, ...]] = [("recipe", "system", "data set", "network", "published accuracy", "results")]
    for name in recipe_names(recipes):
        recipe = read_recipe(name, recipes)
        done = ", ".join(protocol for protocol in PROTOCOLS if read_result(name, protocol, results=results))
        figure = describe_published(recipe.accuracy)
        rows.append((name, recipe.system, str(recipe.settings["dataset"]), recipe.network, figure, done or NONE))
    return _text(rows) + "\n"
