"""Networks compared: the numbers, the verdicts, and the files they go to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bycase.core.errors import UserError
from bycase.core.files import replace_file, replace_folder, write_csv, write_json
from bycase.core.nested import without
from bycase.core.wording import capitalise
from bycase.figures.comparison.calibration import draw_calibration
from bycase.figures.comparison.critical_difference import draw_critical_difference
from bycase.figures.comparison.learning_curves import draw_learning_curves
from bycase.figures.comparison.pareto import draw_pareto
from bycase.figures.comparison.roc import draw_roc
from bycase.figures.style import save_figure
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.comparison.pairwise import compare_pairs
from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.external import external_table
from bycase.studies.compare.extras import Extras, draw_extras
from bycase.studies.compare.inputs import Inputs
from bycase.studies.compare.leaderboard import make_leaderboard, pair_levels
from bycase.studies.compare.tables import leaderboard_table, write_markdown

NOT_BY_IMAGE = ("patient", "n_patients")  # left out where no patient is known


@dataclass(frozen=True)
class Comparison:
    """Several networks' results, side by side.

    Attributes
    ----------
    inputs : Inputs
        The networks' predictions, in the order of rank.
    levels : dict of str to Paired
        Images and patients, networks in the order of rank.
    board : dict
        See `bycase.studies.compare.leaderboard.make_leaderboard`.
    verdicts : dict
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    extras : Extras
        Of the benchmark; revisions have none.
    """

    inputs: Inputs
    levels: dict[str, Paired]
    board: dict[str, Any]
    verdicts: dict[str, Any]
    extras: Extras = field(default_factory=Extras)

    @property
    def markdown(self) -> str:
        """The leaderboard, the verdicts and the external test sets, for people."""
        inputs = self.inputs
        table = write_markdown(self.board, self.verdicts, inputs.networks, inputs.subtitle, inputs.clusters)
        return table + external_table({name: inputs.external.get(name, {}) for name in self.board})


def compare(inputs: Inputs, settings: CompareParams) -> Comparison:
    """Rank networks, and compare each with every other on the same patients.

    Parameters
    ----------
    inputs : Inputs
        Their predictions of the same images.
    settings : CompareParams
        Metric, level, margin, alpha and resamples.

    Raises
    ------
    UserError
        If they were not tested on the same images, or patients shall decide where none is known.
    """
    if inputs.note and settings.level == "patient":
        raise UserError(f"level patient: {inputs.note}; take level image")
    board = make_leaderboard(inputs, settings)
    inputs = replace(inputs, predictions=order_by_rank(inputs.predictions, list(board)))
    levels = pair_levels(inputs, inputs.predictions)
    verdicts = compare_pairs(levels["image"], **settings.model_dump(), seed=inputs.seed, clusters=inputs.clusters)
    if inputs.note:
        board = {name: without(row, NOT_BY_IMAGE) | {"note": inputs.note} for name, row in board.items()}
        notes = [f"{capitalise(inputs.note)}.", *verdicts["notes"]]
        verdicts = without(verdicts, NOT_BY_IMAGE) | {"settings": verdicts["settings"], "notes": notes}
    return Comparison(inputs, levels, board, verdicts)


def order_by_rank(predictions: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Put the rows of the first of `models` first and so on, so that of each pair the better one is named first."""
    place = predictions["model"].map({model: number for number, model in enumerate(models)})
    return predictions.iloc[place.argsort(kind="stable")].reset_index(drop=True)


def write_tables(folder: Path, comparison: Comparison) -> None:
    """Write ``leaderboard.json``, ``leaderboard.csv``, ``leaderboard.md``, ``comparisons.json`` and ``extras.json``."""
    write_json(folder / "leaderboard.json", comparison.board)
    write_csv(folder / "leaderboard.csv", leaderboard_table(comparison.board, comparison.inputs.networks))
    write_json(folder / "comparisons.json", comparison.verdicts)
    write_json(folder / "extras.json", comparison.extras.numbers)
    with replace_file(folder / "leaderboard.md") as partial:
        partial.write_text(comparison.markdown, encoding="utf-8")


def draw_figures(comparison: Comparison) -> dict[str, Figure]:
    """Draw the figures of what is known, by their file's name without suffix."""
    inputs, board, verdicts = comparison.inputs, comparison.board, comparison.verdicts
    settings, subtitle, clusters = verdicts["settings"], inputs.subtitle, inputs.clusters
    first = next(iter(board.values()))
    figures = {"critical_difference": draw_critical_difference(board, verdicts, inputs.networks, subtitle, clusters)}
    if not inputs.cost.empty:
        figures["pareto"] = draw_pareto(board, settings["metric"], settings["level"], subtitle, clusters)
    if not inputs.histories.empty:
        figures["learning_curves"] = draw_learning_curves(inputs.histories, list(board), subtitle)
    if "auc" in first["image"]:
        levels = {level: paired for level, paired in comparison.levels.items() if level in first}
        figures["roc"] = draw_roc(levels, board, subtitle)
    if "calibration" in first["image"]:
        figures["calibration"] = draw_calibration(comparison.levels["image"], board, subtitle, clusters)
    return figures


def write_figures(folder: Path, comparison: Comparison) -> None:
    """Make `folder` hold the figures and nothing else."""
    # Only cells of the first repeat have extras.
    repeated = ["here only the first draw"] if len(comparison.levels["image"].repeats) > 1 else []
    extras = draw_extras(comparison.extras, [*comparison.inputs.subtitle, *repeated])
    with replace_folder(folder) as partial:
        for name, figure in (draw_figures(comparison) | extras).items():
            save_figure(partial / f"{name}.png", figure)
