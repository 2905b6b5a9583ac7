"""The leakage figure: scores by split level above, what the features give away below."""

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bycase.figures import style as figures
from bycase.figures.style import (
    BLUE,
    DPI,
    GREY,
    INK,
    ORANGE,
    PALE,
    SMALL_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    VERMILLION,
    WIDTH,
)
from bycase.statistics.leakage.levels import LEVELS

STYLE: Any = {
    **figures.STYLE,
    "axes.spines.left": False,
    "axes.titleweight": "bold",
    "ytick.labelsize": TEXT_SIZE,
}

METRIC_NAMES = {"auc": "AUC", "accuracy": "accuracy"}
PROBE_NAMES = {
    "group": "patient, among those\nof its class",
    "magnification": "magnification, on\nother patients' images",
}
NAMES = {"image": "by image", "folder": "by slide folder", "case": "by case", "group": "by group"}
LEVEL_COLOURS = {"image": VERMILLION, "folder": ORANGE}  # the strictest is blue


def draw_leakage(content: dict[str, Any], source: Sequence[str]) -> Figure:
    """Draw ``metrics/leakage.json``.

    Parameters
    ----------
    content : dict
        See `bycase.statistics.leakage.meter.measure_leakage`, with ``probe``.
    source : sequence of str
        Lines that say of which data and network.
    """
    levels = [level for level in LEVELS if content[level] is not None]
    probes = [name for name in PROBE_NAMES if content["probe"][name]["accuracy"] is not None]
    rows = len(levels) + len(probes)
    height = 2.35 + 0.42 * rows + 0.75 * bool(probes)
    figure, body = _new_figure(height, _title(content), source, _note(content, bool(probes)))
    with matplotlib.style.context(["default", STYLE]):
        ratios = [len(levels) + 0.4, *([len(probes) + 0.4] if probes else [])]
        parts = body.subfigures(len(ratios), 1, height_ratios=[r + 1.8 for r in ratios], squeeze=False)[:, 0]
        for axes, metric in zip(parts[0].subplots(1, 2, sharey=True), METRIC_NAMES, strict=True):
            _draw_metric(axes, content, levels, metric)
        if probes:
            _draw_probes(parts[1].subplots(), content["probe"], probes)
    return figure


def _title(content: dict[str, Any]) -> str:
    strictest, inflation = content["strictest"], content["inflation"]
    if strictest == "image":
        return "Every image is its own group: nothing can leak"
    limits, gain = inflation["ci"]["auc"], inflation["auc"]
    if limits["low"] > 0:
        return f"Split by image, AUC looks {gain:.1f} points better than by {strictest}"
    return f"Split by image or by {strictest}: no clear difference in AUC ({gain:+.1f} points)"


def _note(content: dict[str, Any], probed: bool) -> str:
    repeats, folds = content["repeats"], content["folds"]
    note = (
        f"Same features and same linear head for all; {folds}-fold cross-validation, mean over {repeats} "
        f"{'draw' if repeats == 1 else 'draws'} of the folds. Lines: 95 % intervals from resampled patients; "
        "in brackets: points gained over the strictest split (dashed), with the paired interval."
    )
    if content["n_classes"] > 2:
        note = f"{note} AUC: mean of each class against the rest."
    return f"{note} Guesses by nearest centroid; open circle: chance, by permutation." if probed else note


def _draw_metric(axes: Axes, content: dict[str, Any], levels: list[str], metric: str) -> None:
    """A row a level: the score, its interval, its inflation."""
    strictest = content["strictest"]
    for row, level in enumerate(levels):
        at = content[level]
        low, high = at["ci"][metric]["low"], at["ci"][metric]["high"]
        colour = BLUE if level == strictest else LEVEL_COLOURS.get(level, ORANGE)
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(at[metric], row, "o", color=colour, markersize=7, markeredgecolor="white")
        label = f"{at[metric]:.3f}"
        if level != strictest:
            gain = at["inflation"]
            limits = gain["ci"][metric]
            label += f" ({gain[metric]:+.1f}; {limits['low']:.1f} to {limits['high']:.1f})"
        end, side = (high, "right") if high > 0.75 else (low, "left")
        _annotate(axes, label, end, row, side)
    best = content[strictest][metric]
    axes.axvline(best, color=BLUE, linewidth=0.9, linestyle=(0, (4, 2)), zorder=0)
    lowest = min(content[level]["ci"][metric]["low"] for level in levels)
    axes.set_xlim(min(0.5, lowest - 0.02), 1.005)
    axes.set_title(f"{METRIC_NAMES[metric]} by split")
    _rows(axes, [f"{NAMES[level]}\n({content[level]['n_groups']:,})" for level in levels])


def _draw_probes(axes: Axes, probe: dict[str, Any], probes: list[str]) -> None:
    """A row a question: chance, and the share of right guesses."""
    for row, name in enumerate(probes):
        found = probe[name]
        accuracy, chance = found["accuracy"], found["chance"]
        axes.plot([chance, accuracy], [row, row], color=PALE, linewidth=4, solid_capstyle="butt", zorder=1)
        axes.plot(chance, row, "o", markerfacecolor="white", markeredgecolor=GREY, markersize=6.5)
        axes.plot(accuracy, row, "o", color=VERMILLION, markersize=7, markeredgecolor="white")
        p = f"p = {found['p']:.3f}" if found["p"] >= 0.001 else "p < 0.001"
        size = f"{found['n_answers']} answers, {found['n_images']:,} images"
        _annotate(axes, f"{accuracy:.0%} right, chance {chance:.0%} ({p}; {size})", 0.008, row, "left")
    axes.set_xlim(0, 1.005)
    axes.set_title("What the features give away: share guessed right")
    _rows(axes, [PROBE_NAMES[name] for name in probes])


def _annotate(axes: Axes, label: str, x: float, row: int, side: str) -> None:
    """Write above a row's marks, on white, so that no line crosses the letters."""
    axes.annotate(
        label,
        (x, row),
        (0, 8),
        textcoords="offset points",
        ha=side,
        va="bottom",
        size=SMALL_SIZE,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )


def _rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.7, -0.75)
    axes.tick_params(axis="y", length=0)
    axes.grid(color=PALE, linewidth=0.6, axis="x")
    axes.set_axisbelow(True)


def _new_figure(height: float, title: str, subtitle: Sequence[str], note: str) -> tuple[Figure, Any]:
    """A figure with its title block and foot note, and the part between them to draw in."""
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=0.1))
        head = [part for line in subtitle for part in textwrap.wrap(line, 93)]
        foot = textwrap.wrap(note, 104)
        top, bottom = 0.46 + 0.175 * len(head), 0.16 + 0.16 * len(foot)
        shares = [top, height - top - bottom, bottom]
        above, body, below = figure.subfigures(3, 1, height_ratios=shares, squeeze=False)[:, 0]
    edge = 0.12
    block: dict[str, Any] = {"color": GREY, "linespacing": 1.3}
    above.text(edge / WIDTH, 1 - edge / top, title, size=TITLE_SIZE, weight="bold", va="top", color=INK)
    above.text(edge / WIDTH, 1 - (edge + 0.26) / top, "\n".join(head), size=TEXT_SIZE, va="top", **block)
    below.text(edge / WIDTH, edge / bottom, "\n".join(foot), size=SMALL_SIZE, va="bottom", **block)
    return figure, body
