"""ROC, precision-recall and calibration figures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.common.figures import (
    GREEN,
    GREY,
    INK,
    LEVEL_COLOURS,
    PURPLE,
    SMALL_SIZE,
    new_figure,
    share_axes,
    styled,
)
from stages.evaluate.units import Floats, Units
from stages.plot.facts import Facts

HEIGHT = 6.3


def draw_roc(tables: Mapping[str, pd.DataFrame], facts: Facts) -> Figure:
    """Draw both levels' ROC curves with the operating points.

    Parameters
    ----------
    tables : mapping of level to DataFrame
        ``image`` and ``patient``; see `stages.plot.tables.roc_table`.
    facts : Facts
        What the figure says of itself.
    """
    note = (
        "Dots: at the thresholds, which never come from test, with 95 % intervals of sensitivity and specificity. "
        "Intervals resample patients."
    )
    figure = new_figure(HEIGHT, f"ROC: image AUC {facts.value('image', 'auc')}", facts.subtitle, note)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "1 - specificity (false positive rate)", "sensitivity (true positive rate)")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        axes.text(0.70, 0.68, "chance, AUC 0.5", color=GREY, size=SMALL_SIZE, rotation=45, ha="center", va="top")
        for level, table in tables.items():
            at, colour = facts.metrics[level], LEVEL_COLOURS[level]
            dashes = "-" if level == "image" else (0, (5, 1.5))
            label = f"{level}s {facts.short(level, 'auc')}"
            axes.plot(table["fpr"], table["tpr"], color=colour, linestyle=dashes, label=label)
            sensitivity, specificity = at["ci"]["sensitivity"], at["ci"]["specificity"]
            x, y = 1 - at["specificity"], at["sensitivity"]
            axes.plot([1 - specificity["high"], 1 - specificity["low"]], [y, y], color=colour, linewidth=0.9, alpha=0.7)
            axes.plot([x, x], [sensitivity["low"], sensitivity["high"]], color=colour, linewidth=0.9, alpha=0.7)
            axes.plot(x, y, "o", color=colour, markersize=7, markeredgecolor="white", zorder=4, clip_on=False)
        axes.legend(loc="lower right", title="test AUC (95 % CI)", alignment="left", title_fontsize=SMALL_SIZE)
    return figure


def draw_precision_recall(tables: Mapping[str, pd.DataFrame], facts: Facts) -> Figure:
    """Draw both levels' precision-recall curves beside what a constant prediction gives.

    Parameters
    ----------
    tables : mapping of level to DataFrame
        ``image`` and ``patient``; see `stages.plot.tables.precision_recall_table`.
    facts : Facts
        What the figure says of itself.
    """
    note = (
        "Dots: at the thresholds, which never come from test. Dotted: precision of calling everything "
        f"{facts.positive}. Intervals resample patients."
    )
    title = f"Precision-recall: image AP {facts.value('image', 'average_precision')}"
    figure = new_figure(HEIGHT, title, facts.subtitle, note)
    with styled():
        axes = figure.add_subplot()
        share_axes(axes, "recall (sensitivity)", "precision")
        for level, table in tables.items():
            at, colour = facts.metrics[level], LEVEL_COLOURS[level]
            dashes = "-" if level == "image" else (0, (5, 1.5))
            label = f"{level}s {facts.short(level, 'average_precision')}"
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


def draw_calibration(table: pd.DataFrame, images: Units, facts: Facts) -> Figure:
    """Draw how often images are positive against their predicted probability.

    Parameters
    ----------
    table : DataFrame
        See `stages.plot.tables.calibration_table`.
    images : Units
        One unit a test image.
    facts : Facts
        What the figure says of itself.
    """
    positive = facts.positive
    scores = {
        f"truly {facts.negative}": images.scores[~images.truth],
        f"truly {positive}": images.scores[images.truth],
    }
    return draw_reliability(table, scores, f"share that is {positive}", f"predicted probability of {positive}", facts)


def draw_reliability(
    table: pd.DataFrame, scores: Mapping[str, Floats], observed: str, predicted: str, facts: Facts
) -> Figure:
    """Draw observed against predicted probability, and how the predictions are spread.

    Parameters
    ----------
    table : DataFrame
        See `stages.plot.tables.calibration_table`.
    scores : mapping of str to ndarray of float64, in [0, 1]
        The predicted probabilities of two kinds of images, which together are all.
    observed, predicted : str
        Names of the axes.
    facts : Facts
        What the figure says of itself.
    """
    note = (
        f"Each dot: on average {round(table['images'].mean())} images of similar predicted probability; bars: "
        "95 % intervals by resampling patients. Above the line the predicted probability is too low, below too high."
    )
    title = f"Calibration: image Brier score {facts.value('image', 'brier')}"
    figure = new_figure(7.2, title, facts.subtitle, note)
    with styled():
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.03, 1.03), ylabel=observed)
        upper.grid(color="#E5E5E5", linewidth=0.6)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
        upper.text(1.0, 1.04, "perfect calibration", color=GREY, size=SMALL_SIZE, ha="right", va="bottom")
        below, above = table["observed"] - table["low"], table["high"] - table["observed"]
        upper.errorbar(
            table["predicted"],
            table["observed"],
            yerr=np.clip([below, above], 0, None),
            color=LEVEL_COLOURS["image"],
            marker="o",
            markersize=6,
            elinewidth=1.1,
            linewidth=0.8,
        )
        bars = lower.hist(
            list(scores.values()),
            bins=np.linspace(0, 1, 21),
            stacked=True,
            color=[GREEN, PURPLE],
            label=list(scores),
        )[2]
        for patch in (patch for container in bars for patch in container):
            patch.set(edgecolor="white", linewidth=0.8)
        lower.set(xlabel=predicted, ylabel="images")
        lower.legend(loc="upper left", ncols=2, fontsize=SMALL_SIZE, labelcolor=INK, bbox_to_anchor=(0, 1.32))
    return figure
