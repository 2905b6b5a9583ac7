"""`results/recipes/<name>/search.json`: what a recipe's search says of itself, and what is left of it on new images."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.files import write_json
from bycase.core.nested import Settings
from bycase.core.params import Params
from bycase.core.wording import DASH, markdown_table, sample_words, share, value_with_interval
from bycase.figures.style import data_words
from bycase.statistics.metrics import training_priors
from bycase.studies.recipe.definition import HONEST, Recipe
from bycase.studies.recipe.record import (
    RESULTS,
    describe_code,
    describe_origin,
    hide_place,
    result_path,
    with_settings,
)
from bycase.studies.tune.outcome.gather import METRICS, PLOTS, TRIALS
from bycase.studies.tune.outcome.nested import mean, name_patients, outer_rows, score_ways
from bycase.studies.tune.outcome.searches import PIPELINE, Search, read_searches
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.params import TuningParams
from bycase.studies.tune.place import FINAL
from bycase.studies.tune.space import defaults
from bycase.tables.manifest import read_manifest
from bycase.tables.results import read_results

KIND = "search"  # the result's name beside those of the protocols
CONSTANT = "constant"
PACKAGES = ("optuna", "ray")
WINNER = ("trial", "algorithm", "epoch", "score", "hyperparameters")


def write_search_result(
    recipe: Recipe, params: Params, tuning: TuningParams, changes: dict[str, dict[str, Any]], own: Settings
) -> Path:
    """Write the result of the search that is in the workspace; its trials (CSV) and figure lie beside it.

    Parameters
    ----------
    recipe : Recipe
        Whose search it is.
    params, tuning : Params, TuningParams
        That it was run with.
    changes, own : dict
        See `bycase.studies.recipe.record.write_result`.

    Returns
    -------
    Path
        The JSON file; nothing in it names a place on this machine.
    """
    final, nested = read_searches(tuning.outer.folds)
    constant = score_constant(nested, read_manifest(), params.evaluate.resamples, params.seed)
    path = result_path(recipe.name, KIND)
    write_json(
        path,
        {
            "recipe": recipe.name,
            "system": recipe.system,
            "protocol": HONEST,
            **describe_origin(describe_search_command(recipe.name, own), params, changes),
            "search": hide_place(KIND, tuning.model_dump(exclude={"search"}, exclude_none=True)),
            "authors": defaults(params, tuning.space.searched),
            "monitor": params.train.monitor,
            "scores": read_results(METRICS, f"{PIPELINE}:gather") | {"constant_outer": constant},
            "winners": {each.outer: {key: each.winner[key] for key in WINNER} for each in (final, *nested)},
            "seconds": {each.outer: each.about["seconds"] for each in (final, *nested)},
            **describe_code(PACKAGES, (PIPELINE,)),
        },
    )
    shutil.copyfile(TRIALS, path.with_suffix(".csv"))
    shutil.copyfile(PLOTS / "optimism.png", path.with_suffix(".png"))
    return path


def score_constant(nested: Sequence[Search], manifest: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    """What the class shares of each search's images score on its outer fold; ``score`` and its 95 % ``ci``."""
    about = nested[0].about
    classes, predictions = about["classes"], {}
    for search in nested:
        assert search.predictions is not None
        assert search.inner is not None
        shares = training_priors(search.inner, classes)["image"]
        predictions[int(search.outer)] = search.predictions.assign(**dict(zip(classes, shares, strict=True)))
    rows = outer_rows(CONSTANT, 0, predictions, name_patients(predictions, manifest, classes))
    scored = score_ways(rows, about, resamples, seed)
    return {"score": scored.scores[CONSTANT], "ci": scored.limits[CONSTANT]}


def describe_search_command(name: str, own: Settings) -> str:
    """The command that was given, with names in <> for places on this machine."""
    return with_settings(["bycase", "recipe", "search", name], own)


def read_search_result(name: str, results: Path = RESULTS) -> dict[str, Any]:
    """Read the result of a recipe's search."""
    content: dict[str, Any] = json.loads(result_path(name, KIND, results=results).read_text(encoding="utf-8"))
    return content


def describe_search(result: Mapping[str, Any]) -> str:
    """The result in short, in Markdown; the last line is ended."""
    scores, search, data = result["scores"], result["search"], result["data"]
    names = data["dataset"], data["phantom"]
    inner = {outer: score for outer, score in scores["inner"].items() if outer != FINAL}
    budget, folds = search["budget"], search["outer"]["folds"]
    metric = monitor_words(result["monitor"])
    rows = [
        ("the search's own best score: all images, inner folds", share(scores["inner"][FINAL])),
        (f"the same, mean of the {folds} searches that leave an outer fold out", share(mean(inner.values()))),
        ("their winners on the outer folds, which they have not seen", _score(scores.get("outer"))),
        ("the authors' final settings on the outer folds", _score(scores.get("default_outer"))),
        ("a constant prediction on the outer folds", _score(scores["constant_outer"])),
        ("optimism: own score less that on the outer folds", _difference(scores.get("optimism"))),
        ("gain over the authors' final settings", _difference(scores.get("gain"))),
    ]
    lines = [
        f"{result['recipe']}: {search['algorithm']} on {data_words(*names)} outside of the test part, "
        f"{sample_words(scores['n_images'], scores)}; {budget['trials']} trials x {budget['epochs']} "
        f"epochs a search, {search['inner']['folds']} inner and {folds} outer folds.",
        "",
        markdown_table(("", metric), rows),
        "",
        f"Found on all images: {_setting(result['winners'][FINAL]['hyperparameters'])}. "
        f"The authors': {_setting(result['authors'])}.",
        *([scores["note"]] if "note" in scores else []),
    ]
    return "\n".join(lines) + "\n"


def _score(score: Mapping[str, Any] | None) -> str:
    return value_with_interval(score["score"], score["ci"]) if score else DASH


def _difference(difference: Mapping[str, Any] | None) -> str:
    return value_with_interval(difference["estimate"], difference["ci"], name="95 % CI") if difference else DASH


def _setting(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in setting.items())
