"""ROC and precision-recall figures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bycase.figures.run_info import RunInfo
from bycase.figures.style import (
    GREY,
    LEVEL_COLOURS,
    SMALL_SIZE,
    new_figure,
    share_axes,
    styled,
)

HEIGHT = 6.3


def draw_roc(tables: Mapping[str, pd.DataFrame], run_info: RunInfo) -> Figure:
    """Draw both levels' ROC curves with the operating points.

    Parameters
    ----------
    tables : mapping of level to DataFrame
        ``image`` and ``patient``; see `bycase.figures.curve_tables.roc_table`.
    run_info : RunInfo
        What the figure says of itself.
    """
    note = (
        "Dots: at the thresholds, which never come from test, with 95 % intervals of sensitivity and specificity. "
        "Intervals resample patients."
    )
    figure = new_figure(HEIGHT, f"ROC: image AUC {run_info.value('image', 'auc')}", run_info.subtitle, note)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "1 - specificity (false positive rate)", "sensitivity (true positive rate)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        axes.text(0.70, 0.68, "chance, AUC 0.5", color=GREY, size=SMALL_SIZE, rotation=45, ha="center", va="top")
        for level, table in tables.items():
            at, colour = run_info.metrics[level], LEVEL_COLOURS[level]
            dashes = "-" if level == "image" else (0, (5, 1.5))
            label = f"{level}s {run_info.short(level, 'auc')}"
            axes.plot(table["fpr"], table["tpr"], color=colour, linestyle=dashes, label=label)
            sensitivity, specificity = at["ci"]["sensitivity"], at["ci"]["specificity"]
            x, y = 1 - at["specificity"], at["sensitivity"]
            axes.plot([1 - specificity["high"], 1 - specificity["low"]], [y, y], color=colour, linewidth=0.9, alpha=0.7)
            axes.plot([x, x], [sensitivity["low"], sensitivity["high"]], color=colour, linewidth=0.9, alpha=0.7)
            axes.plot(x, y, "o", color=colour, markersize=7, markeredgecolor="white", zorder=4, clip_on=False)
        axes.legend(loc="lower right", title="test AUC (95 % CI)", alignment="left", title_fontsize=SMALL_SIZE)
    return figure


def draw_precision_recall(tables: Mapping[str, pd.DataFrame], run_info: RunInfo) -> Figure:
    """Draw both levels' precision-recall curves beside what a constant prediction gives.

    Parameters
    ----------
    tables : mapping of level to DataFrame
        ``image`` and ``patient``; see `bycase.figures.curve_tables.precision_recall_table`.
    run_info : RunInfo
        What the figure says of itself.
    """
    note = (
        "Dots: at the thresholds, which never come from test. Dotted: precision of calling everything "
        f"{run_info.positive}. Intervals resample patients."
    )
    title = f"Precision-recall: image AP {run_info.value('image', 'average_precision')}"
    figure = new_figure(HEIGHT, title, run_info.subtitle, note)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "recall (sensitivity)", "precision")
        for level, table in tables.items():
            at, colour = run_info.metrics[level], LEVEL_COLOURS[level]
            dashes = "-" if level == "image" else (0, (5, 1.5))
            label = f"{level}s {run_info.short(level, 'average_precision')}"
            # Average precision is the area under these steps: precision holds back to the previous recall.
            recall = np.concatenate([[0], table["recall"]])
            precision = np.concatenate([table["precision"][:1], table["precision"]])
            axes.step(recall, precision, where="pre", color=colour, linestyle=dashes, label=label)
            axes.axhline(at["baseline"]["average_precision"], color=colour, linewidth=1, linestyle=(0, (1, 2)))
            axes.plot(
                at["sensitivity"],
                at["precision"],
                "o",
                color=colour,
                markersize=7,
                markeredgecolor="white",
                zorder=4,
                clip_on=False,
            )
        axes.legend(
            loc="lower left", title="test average precision (95 % CI)", alignment="left", title_fontsize=SMALL_SIZE
        )
    return figure
