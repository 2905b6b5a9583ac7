"""ROC and precision-recall: of the positive class by image and by patient, or of each class against the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import metric_with_interval
from bycase.figures.curve_tables import (
    MEAN,
    mean_precision_recall_table,
    mean_roc_table,
    precision_recall_table,
    roc_table,
)
from bycase.figures.parts import roc_axes, share_axes
from bycase.figures.run_info import RunInfo
from bycase.figures.style import (
    COLOURS,
    DASHED,
    DOTTED,
    GREY,
    INK,
    LEVEL_COLOURS,
    LEVEL_DASHES,
    SMALL_SIZE,
    new_figure,
    styled,
)
from bycase.statistics.units import BinaryUnits, Units

CLASS_COLOURS = tuple(colour for colour in COLOURS if colour != INK)  # ink is the mean's
CLASS_DASHES: tuple[Any, ...] = ("-", DASHED)
HEIGHT, LEGEND_ROW = 6.2, 0.21  # inches

Line = tuple[pd.DataFrame, dict[str, Any]]


@dataclass(frozen=True)
class Curve:
    """A kind of curve.

    Attributes
    ----------
    name, metric, short : str
        The curve in titles; the area under it as the key in ``metrics.json``, and in titles.
    x, y : str
        Columns of its table.
    tabulate, average : callable
        Make the table of one class against the rest, and the mean over the classes' tables.
    """

    name: str
    metric: str
    short: str
    x: str
    y: str
    tabulate: Callable[[BinaryUnits], pd.DataFrame]
    average: Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame]

    def tables(self, units: Units) -> dict[str, pd.DataFrame]:
        """The positive class's curve, or every class's against the rest, by class."""
        return {units.classes[number]: self.tabulate(units.against_rest(number)) for number in units.targets}

    def table(self, units: Units) -> pd.DataFrame:
        """The one curve that `dvc plots` draws: the positive class's, or the mean over the classes."""
        tables = self.tables(units)
        return self.average(tables) if units.positive is None else next(iter(tables.values()))


ROC = Curve("ROC", "auc", "AUC", "fpr", "tpr", roc_table, mean_roc_table)
PRECISION_RECALL = Curve(
    "Precision-recall",
    "average_precision",
    "AP",
    "recall",
    "precision",
    precision_recall_table,
    mean_precision_recall_table,
)


def draw_curves(curve: Curve, units: Mapping[str, Units], run_info: RunInfo) -> Figure:
    """Draw the positive class's curve at both levels with the operating points, or every class's by image.

    Parameters
    ----------
    curve : Curve
        `ROC` or `PRECISION_RECALL`.
    units : mapping of level to Units
        ``image`` and, where patients are known, ``patient``, of the test part.
    run_info : RunInfo
        Names network, data and split, and holds the metrics.
    """
    if units["image"].positive is None:
        lines, subtitle = _class_lines(curve, units["image"], run_info), list(run_info.subtitle)
        kind, legend = f"macro {curve.short}", f"class, test images: {curve.short} against the rest (95 % CI)"
        if "patient" in units:
            subtitle.append(f"patient level: {kind} {run_info.value('patient', curve.metric)}")
        note = f"Macro: the mean of the {len(run_info.classes)} classes, each against the rest."
        references = {"image": INK}
    else:
        lines, subtitle = _level_lines(curve, units, run_info), run_info.subtitle
        kind, legend = curve.short, f"test {curve.short} (95 % CI)"
        references = {level: LEVEL_COLOURS[level] for level in units}
        cross = ", with 95 % intervals of sensitivity and specificity" if curve.name == ROC.name else ""
        note = f"Dots: {run_info.decided}{cross}."
    note += f" Dotted: a constant prediction. In brackets: 95 % intervals over {run_info.clusters}."
    title = f"{curve.name}: image {kind} {run_info.short('image', curve.metric)}"
    figure = new_figure(HEIGHT + LEGEND_ROW * (-(-len(lines) // 2) + 1), title, subtitle, note)
    with styled():
        axes = figure.add_subplot()
        if curve.name == ROC.name:
            roc_axes(axes)
            axes.text(0.70, 0.68, "chance, AUC 0.5", color=GREY, size=SMALL_SIZE, rotation=45, ha="center", va="top")
        else:
            share_axes(axes, "recall (sensitivity)", "precision")
            for level, colour in references.items():
                constant = run_info.metrics[level]["baseline"][curve.metric]
                axes.axhline(constant, color=colour, linewidth=1, linestyle=DOTTED)
        for table, style in lines:
            _draw_line(axes, curve, table, style)
        if units["image"].positive is not None:
            for level, colour in references.items():
                _mark_threshold(axes, curve, run_info.metrics[level], colour)
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.15, -0.11), "alignment": "left"}
        axes.legend(**place, ncols=2, title=legend, columnspacing=0.8, handlelength=1.4, fontsize=SMALL_SIZE - 0.5)
    return figure


def _level_lines(curve: Curve, units: Mapping[str, Units], run_info: RunInfo) -> list[Line]:
    """Tables of the positive class's curves, each with its line's style."""
    lines = []
    for level, scored in units.items():
        label = f"{level}s: {run_info.short(level, curve.metric)}"
        lines.append(
            (curve.table(scored), {"label": label, "color": LEVEL_COLOURS[level], "linestyle": LEVEL_DASHES[level]})
        )
    return lines


def _class_lines(curve: Curve, images: Units, run_info: RunInfo) -> list[Line]:
    """Tables of the classes' mean curve and of each class's, each with its line's style."""
    tables, metrics = curve.tables(images), run_info.metrics["image"]
    label = f"{MEAN}: {run_info.short('image', curve.metric)}"
    lines: list[Line] = [(curve.average(tables), {"label": label, "color": INK, "linewidth": 2.6, "zorder": 3})]
    for number, (name, table) in enumerate(tables.items()):
        scores = metrics["per_class"][name]
        words = metric_with_interval({**scores, "ci": metrics["ci"]["per_class"][name]}, curve.metric)
        around, colour = divmod(number, len(CLASS_COLOURS))
        style = {"color": CLASS_COLOURS[colour], "linestyle": CLASS_DASHES[around % len(CLASS_DASHES)]}
        lines.append((table, {"label": f"{name.replace('_', ' ')}, {scores['n']}: {words}", "linewidth": 1.4, **style}))
    return lines


def _draw_line(axes: Axes, curve: Curve, table: pd.DataFrame, style: dict[str, Any]) -> None:
    x, y = table[curve.x].to_numpy(), table[curve.y].to_numpy()
    if curve.name == ROC.name:
        axes.plot(x, y, **style)
    else:
        # Average precision is the area under these steps: a precision holds back to the previous recall.
        axes.step(np.r_[0, x], np.r_[y[:1], y], where="pre", **style)


def _mark_threshold(axes: Axes, curve: Curve, scores: Mapping[str, Any], colour: str) -> None:
    """A dot at the threshold; on the ROC curve with the intervals of both rates."""
    if curve.name == ROC.name:
        limits, x, y = scores["ci"], 1 - scores["specificity"], scores["sensitivity"]
        thin: Any = {"color": colour, "linewidth": 0.9, "alpha": 0.7}
        axes.plot([1 - limits["specificity"]["high"], 1 - limits["specificity"]["low"]], [y, y], **thin)
        axes.plot([x, x], [limits["sensitivity"]["low"], limits["sensitivity"]["high"]], **thin)
    else:
        x, y = scores["sensitivity"], scores["precision"]
    axes.plot(x, y, "o", color=colour, markersize=7, markeredgecolor="white", zorder=4, clip_on=False)
