"""Confusion matrices and the classification report, at image and patient level."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import classification_report

from bycase.figures.run_info import RunInfo
from bycase.figures.style import GREY, INK, SMALL_SIZE, new_figure, styled
from bycase.statistics.units import Integers, Units

CELL, LEAST, AROUND = 0.44, 1.6, 1.25  # inches: a row, a matrix at least, its title and axis
LONGEST = 40  # characters in a row of names below the matrix, all classes together, that need not be slanted


def confusion_counts(units: Units) -> Integers:
    """Count true (rows) against predicted (columns) classes; (n_classes, n_classes), int64."""
    n_classes = len(units.classes)
    counts = np.bincount(units.truth * n_classes + units.predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def confusion_table(units: Units) -> pd.DataFrame:
    """True and predicted class of every unit, as `dvc plots` counts them: columns ``actual``, ``predicted``."""
    names = np.array(units.classes)
    return pd.DataFrame({"actual": names[units.truth], "predicted": names[units.predicted]})


def draw_confusion(units: Mapping[str, Units], run_info: RunInfo) -> Figure:
    """Draw counts and row percentages, images above patients.

    Parameters
    ----------
    units : mapping of level to Units
        ``image`` and, where patients are known, ``patient``, of the test part.
    run_info : RunInfo
        Names network, data and split, and holds the metrics.
    """
    names = [label.replace("_", " ") for label in units["image"].classes]
    slanted = sum(map(len, names)) > LONGEST
    below = 0.075 * max(map(len, names)) if slanted else 0.2
    note = f"Percentages: of the row, all whose true class it is. In brackets: 95 % intervals over {run_info.clusters}."
    title = f"Confusion: image accuracy {run_info.value('image', 'accuracy')}"
    height = 1.2 + len(units) * (max(len(names) * CELL, LEAST) + AROUND + below)
    figure = new_figure(height, title, run_info.subtitle, note)
    with styled():
        rows = figure.subplots(len(units), 1, squeeze=False)[:, 0]
        for axes, (level, scored) in zip(rows, units.items(), strict=True):
            n = run_info.metrics[level]["n"]
            heading = [f"{n} {level}s; {run_info.decision(level)}", *accuracy_lines(level, run_info)]
            axes.set_title("\n".join(heading), linespacing=1.3)
            _draw_matrix(axes, confusion_counts(scored), names, slanted)
            axes.set(xlabel="predicted", ylabel="true")
    return figure


def accuracy_lines(level: str, run_info: RunInfo) -> list[str]:
    """Accuracy and balanced accuracy with their intervals and those of a constant prediction."""
    baseline = run_info.metrics[level]["baseline"]
    words = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}
    return [
        f"{name} {run_info.short(level, metric)}; constant prediction {baseline[metric]:.3f}"
        for metric, name in words.items()
    ]


def write_report(units: Mapping[str, Units], run_info: RunInfo) -> str:
    """scikit-learn's classification report at both levels, under a head that names network, data and split.

    Parameters
    ----------
    units, run_info
        See `draw_confusion`.
    """
    lines = ["Classification report, test part", *run_info.subtitle]
    for level, scored in units.items():
        report = classification_report(
            scored.truth,
            scored.predicted,
            labels=list(range(len(scored.classes))),
            target_names=list(scored.classes),
            digits=3,
            zero_division=0,
        )
        head = f"{level} level: {run_info.decision(level)}"
        lines += ["", head, *accuracy_lines(level, run_info), "", report.rstrip()]
    return "\n".join(lines) + "\n"


def _draw_matrix(axes: Axes, table: Integers, names: list[str], slanted: bool) -> None:
    share = table / table.sum(axis=1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    few = len(names) == 2
    for (row, column), count in np.ndenumerate(table):
        place: dict[str, Any] = {"ha": "center", "va": "center"}
        if not count:
            axes.text(column, row, "0", size=SMALL_SIZE, color=GREY, **place)
            continue
        place["color"] = "white" if share[row, column] > 0.6 else INK
        axes.text(column, row - 0.17, f"{count}", size=15 if few else 10, weight="bold", **place)
        axes.text(column, row + 0.24, f"{share[row, column]:.1%}", size=9.5 if few else 7.5, **place)
    ticks = range(len(names))
    turned: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(ticks, names, **turned)
    axes.set_yticks(ticks, ["\n".join(textwrap.wrap(name, 18)) for name in names])
    between = np.arange(0.5, len(names) - 1)
    axes.set_xticks(between, minor=True)
    axes.set_yticks(between, minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
