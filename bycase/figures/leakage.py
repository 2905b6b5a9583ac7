"""The leakage figure: scores by split level above, what the features give away below."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import clusters_of, interval, tenths
from bycase.figures.parts import draw_interval, row_axes, write_above
from bycase.figures.style import BLUE, GREY, ORANGE, PALE, REFERENCE, VERMILLION, new_figure, styled
from bycase.statistics.leakage.levels import LEVELS
from bycase.statistics.metric_names import metric_words

PANELS = ("auc", "accuracy")
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
        Lines that name network and data.
    """
    levels = [level for level in LEVELS if content[level] is not None]
    probes = [name for name in PROBE_NAMES if content["probe"][name]["accuracy"] is not None]
    rows = len(levels) + len(probes)
    height = 2.35 + 0.42 * rows + 0.75 * bool(probes)
    figure = new_figure(height, _title(content), source, _note(content, bool(probes)))
    with styled():
        ratios = [len(levels) + 0.4, *([len(probes) + 0.4] if probes else [])]
        parts = figure.subfigures(len(ratios), 1, height_ratios=[r + 1.8 for r in ratios], squeeze=False)[:, 0]
        for axes, metric in zip(parts[0].subplots(1, 2, sharey=True), PANELS, strict=True):
            _draw_metric(axes, content, levels, metric)
        if probes:
            _draw_probes(parts[1].subplots(), content["probe"], probes)
    return figure


def _title(content: dict[str, Any]) -> str:
    strictest, inflation = content["strictest"], content["inflation"]
    if strictest == "image":
        unknown = "No patient is known: leakage cannot be measured"
        return unknown if "note" in content else "Every image is its own group: nothing can leak"
    limits, gain = inflation["ci"]["auc"], inflation["auc"]
    if limits["low"] > 0:
        return f"Split by image, AUC looks {gain:.1f} points better than by {strictest}"
    return f"Split by image or by {strictest}: no clear difference in AUC ({gain:+.1f} points)"


def _note(content: dict[str, Any], probed: bool) -> str:
    repeats, folds = content["repeats"], content["folds"]
    note = (
        f"Same features and same linear head for all; {folds}-fold cross-validation, mean over {repeats} "
        f"{'draw' if repeats == 1 else 'draws'} of the folds. Lines: 95 % intervals over "
        f"{clusters_of(content)}; in brackets: points gained over the strictest split (dotted), with the paired "
        "interval."
    )
    if content["n_classes"] > 2:
        note = f"{note} AUC: mean of each class against the rest."
    return f"{note} Guesses by nearest centroid; open circle: chance, by permutation." if probed else note


def _draw_metric(axes: Axes, content: dict[str, Any], levels: list[str], metric: str) -> None:
    """A row a level: the score, its interval, its inflation."""
    strictest = content["strictest"]
    row_axes(axes, [f"{NAMES[level]}\n({content[level]['n_groups']:,})" for level in levels])
    for row, level in enumerate(levels):
        scores = content[level]
        colour = BLUE if level == strictest else LEVEL_COLOURS.get(level, ORANGE)
        draw_interval(axes, scores, metric, row, color=colour)
        label = f"{scores[metric]:.3f}"
        if level != strictest:
            gain = scores["inflation"]
            label += f" ({gain[metric]:+.1f}; {interval(gain['ci'][metric], tenths)})"
        low, high = scores["ci"][metric]["low"], scores["ci"][metric]["high"]
        end, side = (high, "right") if high > 0.75 else (low, "left")
        write_above(axes, label, end, row, side)
    axes.axvline(content[strictest][metric], **REFERENCE)
    lowest = min(content[level]["ci"][metric]["low"] for level in levels)
    axes.set_xlim(min(0.5, lowest - 0.02), 1.005)
    axes.set_title(f"{metric_words(metric)} by split", weight="bold")


def _draw_probes(axes: Axes, probe: dict[str, Any], probes: list[str]) -> None:
    """A row a question: chance, and the share of right guesses."""
    row_axes(axes, [PROBE_NAMES[name] for name in probes])
    for row, name in enumerate(probes):
        answer = probe[name]
        accuracy, chance = answer["accuracy"], answer["chance"]
        axes.plot([chance, accuracy], [row, row], color=PALE, linewidth=4, solid_capstyle="butt", zorder=1)
        axes.plot(chance, row, "o", markerfacecolor="white", markeredgecolor=GREY, markersize=6.5)
        axes.plot(accuracy, row, "o", color=VERMILLION, markersize=7, markeredgecolor="white")
        p = f"p = {answer['p']:.3f}" if answer["p"] >= 0.001 else "p < 0.001"
        size = f"{answer['n_answers']} answers, {answer['n_images']:,} images"
        write_above(axes, f"{accuracy:.0%} right, chance {chance:.0%} ({p}; {size})", 0.008, row, "left")
    axes.set_xlim(0, 1.005)
    axes.set_title("What the features give away: share guessed right", weight="bold")
