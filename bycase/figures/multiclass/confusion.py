"""Confusion matrices of several classes at image and patient level."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.run_info import RunInfo
from bycase.figures.style import GREY, INK, SMALL_SIZE, new_figure, styled
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Integers

CELL = 0.44  # inches, the height of a row
LONGEST = 40  # characters in a row of names below the matrix, all classes together, that need not be slanted


def class_confusion(units: ClassUnits) -> Integers:
    """Count true (rows) against predicted (columns) classes.

    Parameters
    ----------
    units : ClassUnits
        Images or patients.

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
    """
    n_classes = len(units.classes)
    counts = np.bincount(units.truth * n_classes + units.predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def draw_class_confusion(counts: dict[str, Integers], run_info: RunInfo) -> Figure:
    """Draw counts and row percentages, images above patients.

    Parameters
    ----------
    counts : dict of level to ndarray of shape (n_classes, n_classes), int64
        ``image`` and ``patient``; see `class_confusion`.
    run_info : RunInfo
        What the figure says of itself.
    """
    names = [label.replace("_", " ") for label in run_info.classes]
    slanted = sum(map(len, names)) > LONGEST
    below = 0.075 * max(map(len, names)) if slanted else 0.2
    note = "Percentages: of the row, all that are truly of that class. Each is called what is most probable."
    title = f"Confusion: image accuracy {run_info.value('image', 'accuracy')}"
    figure = new_figure(1.2 + 2 * (max(len(names) * CELL, 1.6) + 1.25 + below), title, run_info.subtitle, note)
    with styled():
        panels = figure.subplots(2, 1)
        for axes, (level, table) in zip(panels, counts.items(), strict=True):
            at = run_info.metrics[level]
            baseline = at["baseline"]
            axes.set_title(
                f"{at['n']} {level}s: accuracy {run_info.value(level, 'accuracy')}\n"
                f"balanced accuracy {run_info.value(level, 'balanced_accuracy')}\n"
                f"constant prediction {baseline['accuracy']:.3f}, balanced {baseline['balanced_accuracy']:.3f}",
                linespacing=1.3,
            )
            _draw_matrix(axes, table, names, slanted)
            axes.set(xlabel="predicted", ylabel="true")
    return figure


def _draw_matrix(axes: Axes, table: Integers, names: list[str], slanted: bool) -> None:
    share = table / table.sum(axis=1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), count in np.ndenumerate(table):
        place: dict[str, Any] = {"ha": "center", "va": "center"}
        if not count:
            axes.text(column, row, "0", size=SMALL_SIZE, color=GREY, **place)
            continue
        place["color"] = "white" if share[row, column] > 0.6 else INK
        axes.text(column, row - 0.17, f"{count}", size=10, weight="bold", **place)
        axes.text(column, row + 0.24, f"{share[row, column]:.0%}", size=7.5, **place)
    ticks = range(len(names))
    if slanted:
        axes.set_xticks(ticks, names, size=SMALL_SIZE, rotation=35, ha="right", rotation_mode="anchor")
    else:
        axes.set_xticks(ticks, names, size=SMALL_SIZE)
    axes.set_yticks(ticks, ["\n".join(textwrap.wrap(name, 18)) for name in names], size=SMALL_SIZE)
    axes.set_xticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
