"""All figures of several networks."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from stages.compare.calibration import draw_calibration
from stages.compare.critical_difference import draw_critical_difference
from stages.compare.inputs import Inputs
from stages.compare.learning import draw_learning_curves
from stages.compare.paired import Paired
from stages.compare.pareto import draw_pareto
from stages.compare.roc import draw_roc


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
        See `stages.compare.leaderboard.make_leaderboard`.
    comparisons : mapping
        See `stages.compare.pairwise.compare_pairs`.
    """
    settings, subtitle = comparisons["settings"], inputs.subtitle
    return {
        "critical_difference": draw_critical_difference(board, comparisons, inputs.networks, subtitle),
        "pareto": draw_pareto(board, settings["metric"], settings["level"], subtitle),
        "learning_curves": draw_learning_curves(inputs.histories, list(board), subtitle),
        "roc": draw_roc(levels, board, subtitle),
        "calibration": draw_calibration(levels["image"], board, subtitle, inputs.seed),
    }
