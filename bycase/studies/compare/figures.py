"""All figures of several networks."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from bycase.figures.comparison.calibration import draw_calibration
from bycase.figures.comparison.critical_difference import draw_critical_difference
from bycase.figures.comparison.learning_curves import draw_learning_curves
from bycase.figures.comparison.pareto import draw_pareto
from bycase.figures.comparison.roc import draw_roc
from bycase.statistics.comparison.paired import Paired
from bycase.studies.compare.inputs import Inputs


def draw_figures(
    inputs: Inputs, levels: Mapping[str, Paired], board: Mapping[str, Any], comparisons: Mapping[str, Any]
) -> dict[str, Figure]:
    """Draw the figures, by their file's name without suffix.

    Parameters
    ----------
    inputs : Inputs
        What is compared.
    levels : mapping of level to Paired
        Images and patients.
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`.
    comparisons : mapping
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    """
    settings, subtitle = comparisons["settings"], inputs.subtitle
    return {
        "critical_difference": draw_critical_difference(board, comparisons, inputs.networks, subtitle),
        "pareto": draw_pareto(board, settings["metric"], settings["level"], subtitle),
        "learning_curves": draw_learning_curves(inputs.histories, list(board), subtitle),
        "roc": draw_roc(levels, board, subtitle),
        "calibration": draw_calibration(levels["image"], board, subtitle, inputs.seed),
    }
