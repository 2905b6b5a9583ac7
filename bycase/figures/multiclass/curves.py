"""ROC and precision-recall of each class against the rest."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.multiclass.curve_tables import MEAN
from bycase.figures.run_info import RunInfo
from bycase.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SMALL_SIZE,
    VERMILLION,
    new_figure,
    share_axes,
    styled,
)

SKY = "#56B4E9"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.2)), (0, (1, 1)))
HEIGHT = 6.2
LEGEND_ROW = 0.21  # inches


def draw_class_roc(tables: Mapping[str, pd.DataFrame], mean: pd.DataFrame, run_info: RunInfo) -> Figure:
    """Draw every class's ROC curve against the rest, by image, and their mean.

    Parameters
    ----------
    tables : mapping of class to DataFrame
        See `bycase.figures.curve_tables.roc_table`.
    mean : DataFrame
        See `bycase.figures.multiclass.curve_tables.mean_roc_table`.
    run_info : RunInfo
        What the figure says of itself.
    """
    figure = _new_figure("ROC", "auc", "AUC", run_info)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "1 - specificity (false positive rate)", "sensitivity (true positive rate)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        axes.text(0.70, 0.68, "chance, AUC 0.5", color=GREY, size=SMALL_SIZE, rotation=45, ha="center", va="top")
        axes.plot(mean["fpr"], mean["tpr"], color=INK, linewidth=2.6, label=_mean_label(run_info, "auc"), zorder=3)
        per_class, limits = run_info.metrics["image"]["per_class"], run_info.metrics["image"]["ci"]["per_class"]
        for number, (label, table) in enumerate(tables.items()):
            low, high = (limits[label]["auc"][end] for end in ("low", "high"))
            words = f"{_name(label)} {per_class[label]['auc']:.3f} ({low:.3f} to {high:.3f})"
            axes.plot(table["fpr"], table["tpr"], label=words, **_line(number))
        _legend_below(axes, "test images, AUC of a class against the rest (95 % CI)")
    return figure


def draw_class_precision_recall(tables: Mapping[str, pd.DataFrame], mean: pd.DataFrame, run_info: RunInfo) -> Figure:
    """Draw every class's precision-recall curve against the rest, by image, and their mean.

    Parameters
    ----------
    tables : mapping of class to DataFrame
        See `bycase.figures.curve_tables.precision_recall_table`.
    mean : DataFrame
        See `bycase.figures.multiclass.curve_tables.mean_precision_recall_table`.
    run_info : RunInfo
        What the figure says of itself.
    """
    figure = _new_figure("Precision-recall", "average_precision", "AP", run_info)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "recall (sensitivity)", "precision")
        label = _mean_label(run_info, "average_precision")
        _draw_steps(axes, mean, {"color": INK, "linewidth": 2.6, "label": label, "zorder": 3})
        per_class = run_info.metrics["image"]["per_class"]
        for number, (label, table) in enumerate(tables.items()):
            words = f"{_name(label)} {per_class[label]['average_precision']:.3f} ({per_class[label]['n']} images)"
            _draw_steps(axes, table, {"label": words, **_line(number)})
        chance = run_info.metrics["image"]["baseline"]["average_precision"]
        label = f"constant prediction, macro {chance:.3f}"
        axes.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (2, 2)), label=label)
        _legend_below(axes, "test images, average precision (AP) of a class against the rest")
    return figure


def _new_figure(title: str, metric: str, short: str, run_info: RunInfo) -> Figure:
    note = f"Macro: the mean of the {len(run_info.classes)} classes, each against the rest. 95 % intervals resample patients."  # noqa: E501
    return new_figure(
        HEIGHT + LEGEND_ROW * (len(run_info.classes) // 2 + 2),
        f"{title}: image macro {short} {run_info.short('image', metric)}",
        [*run_info.subtitle, f"patient level: macro {short} {run_info.value('patient', metric)}"],
        note,
    )


def _mean_label(run_info: RunInfo, metric: str) -> str:
    return f"{MEAN} {run_info.short('image', metric)}"


def _name(label: str) -> str:
    return label.replace("_", " ")


def _line(number: int) -> dict[str, Any]:
    """Colour and dashes of a class's line."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number // len(COLOURS) % len(DASHES)],
        "linewidth": 1.4,
    }


def _draw_steps(axes: Axes, table: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw precision as holding back to the recall before its own, as average precision counts it."""
    recall = np.concatenate([[0], table["recall"]])
    precision = np.concatenate([table["precision"][:1], table["precision"]])
    axes.step(recall, precision, where="pre", **style)


def _legend_below(axes: Axes, title: str) -> None:
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.15, -0.11),
        ncols=2,
        title=title,
        alignment="left",
        title_fontsize=SMALL_SIZE,
        fontsize=SMALL_SIZE,
        columnspacing=1,
        handlelength=1.7,
    )
