"""The subgroup figure: accuracy and AUC of each magnification, subtype, site, sex and age band, with intervals."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.parts import draw_interval, row_axes
from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, GREY, INK, REFERENCE, SMALL_SIZE, new_figure, styled
from bycase.statistics.metric_names import metric_words

PANELS = ("accuracy", "auc")
HEADS = {"age": "age in years"}  # of the other subgroups, the manifest's column
LONGEST = 30  # characters of a subgroup's name
ROW = 0.2  # inches
AROUND = 1.95  # inches for title block, axis and note


def draw_subgroups(run_info: RunInfo) -> Figure:
    """Draw the image level of ``subgroups`` in ``metrics/metrics.json``, a row a subgroup.

    Where the data set tells of no subgroups, the row of all images stands alone.
    """
    rows = _rows(run_info)
    figure = new_figure(AROUND + ROW * len(rows), _title(run_info.metrics), run_info.subtitle, _note(run_info))
    shown = [metric for metric in PANELS if metric in run_info.metrics["image"]]
    lows = [scores["ci"][metric]["low"] for _, scores in rows if scores for metric in shown if metric in scores]
    with styled():
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axes, metric in zip(panels, shown, strict=True):
            _draw_panel(axes, rows, metric, np.floor(10 * min(lows)) / 10)
            axes.set_title(f"{metric_words(metric)} (95 % CI)")
        for label, (_, scores) in zip(panels[0].get_yticklabels(), rows, strict=True):
            label.set_weight("bold" if scores is None else "normal")
    return figure


def _rows(run_info: RunInfo) -> list[tuple[str, dict[str, Any] | None]]:
    """Names and metrics from the top down; a head has no metrics."""
    metrics, known = run_info.metrics, run_info.clusters == "patients"
    rows: list[tuple[str, dict[str, Any] | None]] = [(_label("all", metrics["image"], known), metrics["image"])]
    for column, members in metrics["subgroups"].items():
        rows.append((HEADS.get(column, column), None))
        for value, levels in members.items():
            name = f"{value}X" if column == "magnification" else value.replace("_", " ")
            rows.append((_label(name, levels["image"], known), levels["image"]))
    return rows


def _label(name: str, scores: Mapping[str, Any], known: bool) -> str:
    """The subgroup with its numbers of images and, where they are known, of patients."""
    patients = f"; {scores['n_patients']:,}" if known else ""
    return f"{textwrap.shorten(name, LONGEST, placeholder=' ...')} ({scores['n']:,}{patients})"


def _title(metrics: Mapping[str, Any]) -> str:
    whole = f"{metrics['image']['accuracy']:.3f}"
    accuracies = [
        levels["image"]["accuracy"]
        for members in metrics["subgroups"].values()
        for levels in members.values()
        if "accuracy" in levels["image"]
    ]
    if not accuracies:
        return f"Subgroups: none to compare; image accuracy {whole}"
    return f"Subgroups: image accuracy {min(accuracies):.3f} to {max(accuracies):.3f} (all {whole})"


def _note(run_info: RunInfo) -> str:
    threshold = "" if run_info.positive is None else "One threshold for all. "
    sizes = "images; patients" if run_info.clusters == "patients" else run_info.clusters
    note = f"In brackets: {sizes}. {threshold}Intervals are over {run_info.clusters}. Dotted: all images."
    if not run_info.metrics["subgroups"]:
        return note
    if "auc" not in run_info.metrics["image"]:
        return f"{note} Dash: not defined."
    if run_info.positive is None:
        note += " AUC: mean over the subgroup's classes, each against its others."
    elif "subtype" in run_info.metrics["subgroups"]:
        note += " AUC of a subtype: against all images of the other class."
    return f"{note} Dash: not defined, for a single patient or class."


def _draw_panel(axes: Axes, rows: list[tuple[str, dict[str, Any] | None]], metric: str, lowest: float) -> None:
    row_axes(axes, [label for label, _ in rows])
    axes.set_xlim(lowest - 0.02, 1.02)
    for row, (_, scores) in enumerate(rows):
        if scores is None:
            continue
        colour, words = (INK if row == 0 else BLUE), "\N{EN DASH}"
        if metric in scores:
            words = f"{scores[metric]:.3f}"
            draw_interval(axes, scores, metric, row, color=colour, marker="D" if row == 0 else "o", markersize=4.5)
        if row == 0:
            axes.axvline(scores[metric], **REFERENCE)
        axes.annotate(
            words,
            (1, row),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            size=SMALL_SIZE,
            color=colour if metric in scores else GREY,
            annotation_clip=False,
        )
