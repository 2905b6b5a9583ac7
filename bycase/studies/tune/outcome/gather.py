"""From the searches' folders to numbers, settings and figures."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bycase.core.errors import UserError
from bycase.core.files import replace_file, replace_folder, write_csv, write_json
from bycase.core.params import Params
from bycase.figures.style import save_figure
from bycase.studies.tune.figures.history import draw_history
from bycase.studies.tune.figures.importance import draw_importance
from bycase.studies.tune.figures.optimism import draw_optimism
from bycase.studies.tune.figures.parallel import draw_parallel
from bycase.studies.tune.figures.schedule import draw_schedule
from bycase.studies.tune.outcome.best import write_best
from bycase.studies.tune.outcome.importance import importances
from bycase.studies.tune.outcome.nested import rows_of_searches, score_ways
from bycase.studies.tune.outcome.searches import PIPELINE, Search, read_searches
from bycase.studies.tune.outcome.summary import sentences, summarise
from bycase.studies.tune.outcome.values import Dimensions
from bycase.studies.tune.params import TuningParams
from bycase.studies.tune.place import BEST, SEARCHES, TUNING
from bycase.tables.manifest import read_manifest

METRICS = Path("metrics/tuning.json")
TRIALS = TUNING / "trials.csv"
PLOTS = Path("plots/tuning")


def gather(params: Params, tuning: TuningParams) -> None:
    """Evaluate the winners, write `METRICS`, `TRIALS`, `BEST` and the figures, and log what came out.

    Parameters
    ----------
    params : Params
        The project's.
    tuning : TuningParams
        ``tuning/params.yaml``.

    Raises
    ------
    UserError
        If a search is missing, or not of these parameters.
    """
    final, nested = read_searches(tuning.outer.folds)
    for key in ("model", "dataset"):
        if final.about[key] != getattr(params, key):
            raise UserError(
                f"{SEARCHES}: of {key} {final.about[key]}, not {getattr(params, key)}; run 'dvc repro {PIPELINE}'"
            )
    outer = None
    if nested:
        rows = rows_of_searches(nested, read_manifest())
        outer = score_ways(rows, final.about, params.evaluate.resamples, params.seed)
    summary = summarise(final, nested, outer)
    said = sentences(summary, final)
    write_json(METRICS, summary)
    write_csv(TRIALS, join_trials([final, *nested]))
    with replace_file(BEST) as partial:
        partial.write_text(write_best(final, said), encoding="utf-8")
    with replace_folder(PLOTS) as folder:
        for name, figure in draw_figures(summary, final, nested, tuning.space.searched, params.seed).items():
            save_figure(folder / f"{name}.png", figure)
    for line in said:
        logging.info(line)
    logging.info("settings in %s, figures in %s/; into params.yaml: bycase tune apply", BEST, PLOTS)


def draw_figures(
    summary: dict[str, Any], final: Search, nested: Sequence[Search], dimensions: Dimensions, seed: int
) -> dict[str, Figure]:
    """Draw the figures that there are for this algorithm, by their file's name without suffix."""
    found = {search.outer: importances(search.searched, dimensions, seed) for search in (final, *nested)}
    figures = {
        "history": draw_history(final, nested),
        "importance": draw_importance(final, nested, found, dimensions),
        "parallel": draw_parallel(final, len(nested), dimensions),
    }
    schedule = draw_schedule(final, len(nested), dimensions)
    if schedule is not None:
        figures["schedule"] = schedule
    if nested:
        figures["optimism"] = draw_optimism(summary, final, nested)
    return figures


def join_trials(searches: Sequence[Search]) -> pd.DataFrame:
    """The trials of all searches, the search in front."""
    tables = [search.trials.assign(outer=search.outer) for search in searches]
    joined = pd.concat(tables, ignore_index=True)
    return joined[["outer", *(column for column in joined.columns if column != "outer")]]
