"""What several figures draw alike: pictures, rows with intervals, axes of shares, panels over or under a legend."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bycase.figures.style import GREY, INK, REFERENCE, SMALL_SIZE


def share_axes(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Make a square of two shares from 0 to 1 with a pale grid."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=xlabel, ylabel=ylabel)
    axes.set_aspect("equal")
    axes.grid()


def roc_axes(axes: Axes) -> None:
    """The square of an ROC curve with the diagonal of chance."""
    share_axes(axes, "1 - specificity (false positive rate)", "sensitivity (true positive rate)")
    axes.plot([0, 1], [0, 1], **REFERENCE)


def epoch_axis(axes: Axes, last: int) -> None:
    """Number whole epochs from 1 to `last`."""
    axes.set_xlim(0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def setting_axis(axes: Axes, settings: Sequence[str]) -> None:
    """Name settings, numbered from 1, in their order."""
    axes.set_xlim(0.5, len(settings) + 0.5)
    axes.set_xticks(range(1, len(settings) + 1), settings, rotation=90, size=SMALL_SIZE)


def row_axes(axes: Axes, labels: Sequence[str]) -> None:
    """Give each row from the top down its label, with upright grid lines only."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def draw_interval(
    axes: Axes, scores: Mapping[str, Any], metric: str, place: float, *, upright: bool = False, **style: Any
) -> None:
    """Draw a metric as a dot on its 95 % interval.

    Parameters
    ----------
    axes : Axes
        On which `place` is a row or, if `upright`, a column.
    scores : mapping
        Holds the metric, and its limits under ``ci``.
    metric : str
        Of `scores`.
    place : float
        Row or column.
    upright : bool
        Whether the metric is on the vertical axis.
    **style
        Of the dot; the line has its colour.
    """
    limits = scores["ci"][metric]
    line, dot = ([limits["low"], limits["high"]], [place, place]), ([scores[metric]], [place])
    order = -1 if upright else 1
    axes.plot(*line[::order], color=style["color"], linewidth=1.6, solid_capstyle="butt")
    default: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 7, "markeredgecolor": "white"}
    axes.plot(*dot[::order], **default | style)


def write_above(axes: Axes, text: str, x: float, row: float, side: str) -> None:
    """Write above a row's marks, on white, so that no line crosses the letters."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.7}
    style: dict[str, Any] = {"va": "bottom", "size": SMALL_SIZE, "color": INK, "bbox": box}
    axes.annotate(text, (x, row), (0, 7), textcoords="offset points", ha=side, **style)


def show_picture(axes: Axes, picture: NDArray[np.uint8], frame: str | None = None, width: float = 0.8) -> None:
    """Show an image without ticks, in a frame of the colour `frame` or without one."""
    axes.set_axis_on()
    axes.imshow(picture, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=frame is not None, color=frame or GREY, linewidth=width)


def panels_with_legend(
    figure: Figure, panels: int, columns: int, heights: tuple[float, float], legend: dict[str, Any], below: bool
) -> list[Axes]:
    """Make panels in rows of `columns`, with one legend for all above or below them.

    Parameters
    ----------
    figure : Figure
        See `bycase.figures.style.new_figure`.
    panels, columns : int
        Number of panels, and of those side by side.
    heights : tuple of two float
        Inches of a panel and of the legend.
    legend : dict
        Arguments of the legend, such as ``handles`` and ``ncols``.
    below : bool
        Where the legend stands.
    """
    rows = -(-panels // columns)
    ratios = [heights[0]] * rows + [heights[1]] if below else [heights[1]] + [heights[0]] * rows
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=ratios)
    place = figure.add_subplot(grid[rows if below else 0, :])
    place.axis("off")
    place.legend(**legend | {"loc": "lower left" if below else "center left", "borderaxespad": 0}).set_in_layout(
        not below
    )
    first = 0 if below else 1
    return [figure.add_subplot(grid[first + number // columns, number % columns]) for number in range(panels)]


def handle(label: str, **style: Any) -> Line2D:
    """A line or mark of a legend."""
    return Line2D([], [], label=label, **style)
