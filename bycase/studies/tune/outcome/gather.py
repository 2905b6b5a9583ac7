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
from bycase.studies.tune.outcome.best import write_best
from bycase.studies.tune.outcome.history import draw_history
from bycase.studies.tune.outcome.importance import draw_importance
from bycase.studies.tune.outcome.nested import rows_of_searches, score_ways
from bycase.studies.tune.outcome.optimism import draw_optimism
from bycase.studies.tune.outcome.parallel import draw_parallel
from bycase.studies.tune.outcome.schedule import draw_schedule
from bycase.studies.tune.outcome.searches import PIPELINE, Search, read_searches
from bycase.studies.tune.outcome.summary import sentences, summarise
from bycase.studies.tune.params import TuningParams
from bycase.studies.tune.place import BEST, SEARCHES, TUNING
from bycase.studies.tune.space import Dimensions
from bycase.tables.manifest import patients_note, read_manifest

METRICS = Path("metrics/tuning.json")
TRIALS = TUNING / "trials.csv"
PLOTS = Path("plots/tuning")


def gather(params: Params, tuning: TuningParams) -> None:
    """Evaluate the winners, write `METRICS`, `TRIALS`, `BEST` and the figures, and log what came out.

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
    summary = summarise(final, nested, outer) | patients_note(params.data.names_patient)
    said = sentences(summary, final)
    write_json(METRICS, summary)
    trials = {search.outer: search.trials for search in (final, *nested)}
    write_csv(TRIALS, pd.concat(trials, names=["outer"]).reset_index("outer"))
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
    figures = {
        "history": draw_history(final, nested),
        "importance": draw_importance(final, nested, dimensions, seed),
        "parallel": draw_parallel(final, len(nested), dimensions),
    }
    if (schedule := draw_schedule(final, len(nested), dimensions)) is not None:
        figures["schedule"] = schedule
    if nested:
        figures["optimism"] = draw_optimism(summary, final, nested)
    return figures
