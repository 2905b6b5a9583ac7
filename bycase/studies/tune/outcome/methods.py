"""`bycase tune methods`: what each way to search is worth at the same budget, over several seeds.

Every way and seed gets a nested evaluation of its own, one cell an outer fold. Cells that are there are not run again.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.files import file_digest, replace_file, write_json
from bycase.core.nested import flatten
from bycase.core.params import Params
from bycase.figures.style import save_figure
from bycase.studies.tune.outcome.compared import Cells, compare_cells, methods_markdown, methods_sentences
from bycase.studies.tune.outcome.methods_figure import draw_methods
from bycase.studies.tune.outcome.searches import read_search
from bycase.studies.tune.params import TuningParams, budget_mistakes
from bycase.studies.tune.place import DEFAULT, FOLDS, TUNING, WORK
from bycase.studies.tune.search import run_search
from bycase.studies.tune.session import ray_session
from bycase.tables.manifest import read_manifest
from bycase.tables.results import read_results

METHODS = (DEFAULT, "random", "bayesian", "pbt", "bayesian+pbt")

FOLDER = TUNING / "methods"
CELLS = FOLDER / "cells"
SETTINGS = FOLDER / "settings.json"
METRICS = Path("metrics/tuning_methods.json")
TABLE = METRICS.with_suffix(".md")
PLOT = Path("plots/tuning_methods.png")


def compare_methods(params: Params, tuning: TuningParams, seeds: Sequence[int], algorithms: Sequence[str]) -> None:
    """Run the cells that are missing, each with an algorithm of `METHODS` and a seed of its own, and compare all.

    Raises
    ------
    UserError
        If there is nothing to compare, no outer fold, or cells are there of other settings.
    """
    _check(params, tuning, seeds, algorithms)
    keep_settings(comparable_settings(params, tuning))
    run_cells(params, tuning, seeds, algorithms)
    cells: Cells = {
        (way, seed): [read_search(cell_folder(way, seed, outer), "methods") for outer in tuning.outers[1:]]
        for way in algorithms
        for seed in seeds
    }
    compared = compare_cells(cells, read_manifest(), params.evaluate.resamples, params.seed, params.data.names_patient)
    said = methods_sentences(compared)
    write_json(METRICS, compared.summary)
    with replace_file(TABLE) as partial:
        partial.write_text(methods_markdown(compared, said), encoding="utf-8")
    save_figure(PLOT, draw_methods(compared))
    for line in said:
        logging.info(line)
    logging.info("%s, %s, %s", METRICS, TABLE, PLOT)


def run_cells(params: Params, tuning: TuningParams, seeds: Sequence[int], algorithms: Sequence[str]) -> None:
    """Run the cells that are not there yet, one after the other; Ray is started once, and only if any is missing."""
    everything = [(way, seed, outer) for seed in seeds for way in algorithms for outer in tuning.outers[1:]]
    missing = [cell for cell in everything if not (cell_folder(*cell) / "about.json").exists()]
    logging.info("%d of %d cells are there", len(everything) - len(missing), len(everything))
    if not missing:
        return
    work = Path(tuning.ray.storage) if tuning.ray.storage else WORK
    with ray_session(tuning):
        for number, (way, seed, outer) in enumerate(missing, 1):
            logging.info("cell %d of %d: %s, seed %d, outer fold %s", number, len(missing), way, seed, outer)
            place = work / "methods" / way / f"s{seed}" / outer
            run_search(params, cell_tuning(tuning, way, seed), outer, cell_folder(way, seed, outer), place)


def cell_tuning(tuning: TuningParams, way: str, seed: int) -> TuningParams:
    """The settings of a cell; the default's only trial is that of params.yaml's own settings."""
    if way != DEFAULT:
        return tuning.model_copy(update={"algorithm": way, "seed": seed})
    budget = tuning.budget.model_copy(update={"trials": 1})
    return tuning.model_copy(update={"algorithm": "random", "seed": seed, "budget": budget})


def cell_folder(way: str, seed: int, outer: str) -> Path:
    """Where a cell's files are."""
    return CELLS / way / f"s{seed}" / outer


def comparable_settings(params: Params, tuning: TuningParams) -> dict[str, Any]:
    """What all cells must share, by dotted key."""
    settings = tuning.model_dump(mode="json", exclude={"algorithm", "seed", "search", "workers", "ray"})
    own = params.model_dump(mode="json", include={"model", "dataset", "seed", "augment", "embed", "train"})
    network = {"zoo": {params.model: params.network.model_dump(mode="json")}}
    flat = flatten({"tuning": settings, **own, **network})
    return {**flat, str(FOLDS): file_digest(FOLDS)}


def keep_settings(settings: Mapping[str, Any], path: Path = SETTINGS) -> None:
    """Write the settings that cells are made with, or refuse others than those that are there.

    Raises
    ------
    UserError
        Naming the first key that differs.
    """
    if not path.exists():
        write_json(path, settings)
        return
    there = read_results(path, "methods")
    for key in [*there, *settings]:
        if there.get(key) != settings.get(key):
            raise UserError(
                f"{path.parent}: its cells are of {key} {there.get(key)}, not {settings.get(key)}: set it back, or "
                f"remove {path.parent} to begin anew"
            )


def _check(params: Params, tuning: TuningParams, seeds: Sequence[int], algorithms: Sequence[str]) -> None:
    if not tuning.outer.folds:
        raise UserError("methods: they are compared by outer scores; set outer.folds in tuning/params.yaml to 3, say")
    if tuning.budget.minutes is not None:
        raise UserError("methods: budgets are equal in epochs only; set budget.minutes in tuning/params.yaml to null")
    for name in algorithms:
        if name not in METHODS:
            raise UserError(f"methods: unknown algorithm '{name}'; choose of: {', '.join(METHODS)}")
        for mistake in budget_mistakes(params, cell_tuning(tuning, name, tuning.seed)):
            raise UserError(f"methods: {name}: {mistake}")
    for given, values in (("--seeds", seeds), ("--algorithms", algorithms)):
        twice = [value for value in values if list(values).count(value) > 1]
        if twice:
            raise UserError(f"methods: {given}: {twice[0]} stands twice")
    if len(algorithms) < 2 or not seeds:
        raise UserError("methods: give a seed or more and two algorithms or more, such as --algorithms default random")
