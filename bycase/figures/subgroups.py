"""The subgroup figure: accuracy and AUC of each magnification, subtype, site, sex and age band, with intervals."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, GREY, INK, PALE, SMALL_SIZE, new_figure, styled

PANELS = {"accuracy": "accuracy", "auc": "AUC"}
HEADS = {"age": "age in years"}  # of the other subgroups, the manifest's column
LONGEST = 30  # characters of a subgroup's name
ROW = 0.2  # inches
AROUND = 1.95  # inches for title block, axis and note


def draw_subgroups(run_info: RunInfo) -> Figure:
    """Draw the image level of ``subgroups`` in ``metrics/metrics.json``, a row a subgroup.

    Where the data set tells of no subgroups, the row of all images stands alone.

    Parameters
    ----------
    run_info : RunInfo
        What came out, and what the figure says of itself.
    """
    rows = _rows(run_info.metrics)
    figure = new_figure(AROUND + ROW * len(rows), _title(run_info.metrics), run_info.subtitle, _note(run_info))
    lows = [of["ci"][metric]["low"] for _, of in rows if of for metric in PANELS if metric in of]
    with styled():
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (metric, name) in zip(panels, PANELS.items(), strict=True):
            _draw_panel(axes, rows, metric, np.floor(10 * min(lows)) / 10)
            axes.set_title(f"{name} (95 % CI)")
        for label, (_, of) in zip(panels[0].get_yticklabels(), rows, strict=True):
            label.set_weight("bold" if of is None else "normal")
    return figure


def _rows(metrics: Mapping[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """Names and metrics from the top down; a head has no metrics."""
    rows: list[tuple[str, dict[str, Any] | None]] = [(_label("all", metrics["image"]), metrics["image"])]
    for column, members in metrics["subgroups"].items():
        rows.append((HEADS.get(column, column), None))
        for value, levels in members.items():
            name = f"{value}X" if column == "magnification" else value.replace("_", " ")
            rows.append((_label(name, levels["image"]), levels["image"]))
    return rows


def _label(name: str, of: Mapping[str, Any]) -> str:
    return f"{textwrap.shorten(name, LONGEST, placeholder=' ...')} ({of['n']:,}; {of['n_patients']:,})"


def _title(metrics: Mapping[str, Any]) -> str:
    whole = f"{metrics['image']['accuracy']:.3f}"
    found = [
        levels["image"]["accuracy"]
        for members in metrics["subgroups"].values()
        for levels in members.values()
        if "accuracy" in levels["image"]
    ]
    if not found:
        return f"Subgroups: none to compare; image accuracy {whole}"
    return f"Subgroups: image accuracy {min(found):.3f} to {max(found):.3f} (all {whole})"


def _note(run_info: RunInfo) -> str:
    several = len(run_info.classes) > 2
    threshold = "" if several else "One threshold for all. "
    note = f"In brackets: images; patients. {threshold}Intervals resample patients. Dashed: all images."
    if not run_info.metrics["subgroups"]:
        return note
    if several:
        note += " AUC: mean over the subgroup's classes, each against its others."
    elif "subtype" in run_info.metrics["subgroups"]:
        note += " AUC of a subtype: against all images of the other class."
    return f"{note} Dash: not defined, for a single patient or class."


def _draw_panel(axes: Axes, rows: list[tuple[str, dict[str, Any] | None]], metric: str, lowest: float) -> None:
    whole = rows[0][1]
    if whole is not None:
        axes.axvline(whole[metric], color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), zorder=0)
    for row, (_, of) in enumerate(rows):
        if of is None:
            continue
        colour = INK if row == 0 else BLUE
        if metric in of:
            limits = of["ci"][metric]
            axes.plot([limits["low"], limits["high"]], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
            axes.plot(of[metric], row, "D" if row == 0 else "o", color=colour, markersize=4.5, markeredgecolor="white")
        number = f"{of[metric]:.3f}" if metric in of else "\N{EN DASH}"
        axes.annotate(
            number,
            (1, row),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            size=SMALL_SIZE,
            color=colour if metric in of else GREY,
            annotation_clip=False,
        )
    axes.set_xlim(lowest - 0.02, 1.02)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(color=PALE, linewidth=0.6, axis="x")
    axes.set_axisbelow(True)
