"""Confusion matrices at image and patient level."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.run_info import RunInfo
from bycase.figures.style import INK, SMALL_SIZE, TEXT_SIZE, new_figure, styled
from bycase.statistics.units import Bools, Integers


def confusion_counts(truth: Bools, predicted: Bools) -> Integers:
    """Count true (rows) against predicted (columns) classes, the negative class first.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_units,), bool
        True for the positive class.

    Returns
    -------
    ndarray of shape (2, 2), int64
    """
    return np.bincount(truth * 2 + predicted, minlength=4).reshape(2, 2)


def draw_confusion(counts: dict[str, Integers], run_info: RunInfo) -> Figure:
    """Draw counts and row percentages of both levels side by side.

    Parameters
    ----------
    counts : dict of level to ndarray of shape (2, 2), int64
        ``image`` and ``patient``; see `confusion_counts`.
    run_info : RunInfo
        What the figure says of itself.
    """
    note = "Percentages: of the row, all that are truly of that class. Thresholds never come from test."
    title = f"Confusion: image accuracy {run_info.value('image', 'accuracy')}"
    figure = new_figure(5.0, title, run_info.subtitle, note)
    classes = [run_info.negative, run_info.positive]
    with styled():
        panels = figure.subplots(1, 2)
        for axes, (level, table) in zip(panels, counts.items(), strict=True):
            at = run_info.metrics[level]
            limits = at["ci"]["accuracy"]
            axes.set_title(
                f"{at['n']} {level}s: accuracy {at['accuracy']:.3f}\n"
                f"95 % CI {limits['low']:.3f} to {limits['high']:.3f}\n"
                f"constant prediction {at['baseline']['accuracy']:.3f}\n"
                f"{run_info.positive} from p = {at['threshold']:.3f} up",
                linespacing=1.3,
            )
            _draw_matrix(axes, table, classes)
            axes.set_xlabel("predicted")
        panels[0].set_ylabel("true")
    return figure


def _draw_matrix(axes: Axes, table: Integers, classes: list[str]) -> None:
    share = table / table.sum(axis=1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if share[row, column] > 0.6 else INK
        axes.text(column, row - 0.08, f"{count}", ha="center", va="center", size=17, weight="bold", color=colour)
        axes.text(
            column, row + 0.22, f"{share[row, column]:.1%}", ha="center", va="center", size=TEXT_SIZE, color=colour
        )
    axes.set_xticks([0, 1], classes, size=SMALL_SIZE)
    axes.set_yticks([0, 1], classes, size=SMALL_SIZE, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
