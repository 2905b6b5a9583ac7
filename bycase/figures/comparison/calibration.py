"""All networks' reliability diagrams, as small multiples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import p_equals
from bycase.figures.comparison.marks import shorten
from bycase.figures.curve_tables import calibration_table
from bycase.figures.reliability import reliability_words
from bycase.figures.style import BLUE, REFERENCE, SMALL_SIZE, new_figure, styled
from bycase.statistics.comparison.paired import Paired

WIDE, PANEL = 9.6, 2.5  # inches: of the figure, of a panel's height
COLUMNS = 4
PANEL_NAME = 32  # characters


def draw_calibration(
    images: Paired, board: Mapping[str, Any], subtitle: Sequence[str], clusters: str = "patients"
) -> Figure:
    """Draw for each network how often its predictions come true, against their probability.

    Parameters
    ----------
    images : Paired
        All networks' images.
    board, subtitle
        See `bycase.figures.comparison.roc.draw_roc`.
    clusters : str
        What was counted: images, where patients are unknown.
    """
    errors = {name: metrics["image"]["calibration"] for name, metrics in board.items()}
    best = min(errors, key=lambda name: errors[name]["before"]["ece"])
    title = f"Calibration: smallest image ECE {errors[best]['before']['ece']:.3f}, {best}"
    observed, predicted = reliability_words(None if images.positive is None else images.classes[images.positive])
    note = (
        f"Dots: images of similar probability; bars: 95 % intervals over {clusters}. Above the line the "
        "probability is too low, below too high. ECE: expected calibration error, equal-mass bins; p: of one as large "
        "by chance" + ("; second line: after temperature scaling by validation." if "after" in errors[best] else ".")
    )
    rows = -(-len(board) // COLUMNS)
    figure = new_figure(1.4 + PANEL * rows, title, subtitle, note, WIDE)
    with styled():
        panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for place, (name, axes) in enumerate(zip(board, panels, strict=False)):
            _draw_panel(axes, images, images.models.index(name))
            axes.set_title(f"{shorten(name, PANEL_NAME)}\n{_words(errors[name])}", size=SMALL_SIZE)
            if place % COLUMNS == 0:
                axes.set_ylabel(observed, size=SMALL_SIZE)
            if place + COLUMNS >= len(board):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(predicted, size=SMALL_SIZE)
        for axes in panels[len(board) :]:
            axes.set_visible(False)
    return figure


def _draw_panel(axes: Axes, images: Paired, number: int) -> None:
    table = calibration_table(images.units(number))
    x, y = table["predicted"], table["observed"]
    bars = np.clip([y - table["low"], table["high"] - y], 0, None)
    axes.plot([0, 1], [0, 1], **REFERENCE)
    axes.errorbar(x, y, yerr=bars, color=BLUE, marker="o", markersize=4, elinewidth=0.9, linewidth=0.8)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    axes.grid()


def _words(errors: Mapping[str, Any]) -> str:
    lines = [f"ECE {error['ece']:.3f}, {p_equals(error['ece_p'])}" for error in errors.values()]
    return "\n".join(lines)
