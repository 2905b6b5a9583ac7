"""Which networks differ: each with its interval, and bars that join those which the data cannot tell apart."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import metric_with_interval
from bycase.figures.comparison.marks import names_itself
from bycase.figures.parts import draw_interval, row_axes, write_above
from bycase.figures.style import BLUE, GREEN, GREY, REFERENCE, new_figure, styled
from bycase.statistics.comparison.verdict import indistinguishable_groups
from bycase.statistics.metric_names import metric_words

WIDE = 8.2  # inches
BAR = 0.28  # likewise, between two bars
LABEL = 36  # characters of a line of a network's label


def equivalent_groups(models: Sequence[str], pairs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The largest groups of networks all of which are equivalent to one another, within the margin.

    Parameters
    ----------
    models : sequence of str
        All networks, best first.
    pairs : sequence of mapping
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    """
    apart = {frozenset((pair["first"], pair["second"])) for pair in pairs if pair["verdict"] != "equivalent"}
    return [group for group in indistinguishable_groups(models, apart) if len(group) > 1]


def draw_critical_difference(
    board: Mapping[str, Any],
    comparisons: Mapping[str, Any],
    networks: Mapping[str, str],
    subtitle: Sequence[str],
    clusters: str = "patients",
) -> Figure:
    """Draw the networks on the metric's axis, best first, beside bars that join them.

    After Demsar (2006, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7), whose bars join
    average ranks over data sets; here they join what paired tests on one data set do not separate.

    Parameters
    ----------
    board, subtitle
        See `bycase.figures.comparison.roc.draw_roc`.
    comparisons : mapping
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    networks : mapping of str to str
        What each network is, in words.
    clusters : str
        What was counted: images, where patients are unknown.
    """
    settings = comparisons["settings"]
    metric, level = settings["metric"], settings["level"]
    rows = {name: row for row, name in enumerate(board)}
    equivalent = equivalent_groups(list(board), comparisons["pairs"])
    unresolved = [group for group in comparisons["groups"] if len(group) > 1 and set(group) not in map(set, equivalent)]
    bars = [*((group, True) for group in equivalent), *((group, False) for group in unresolved)]
    bars.sort(key=lambda bar: (min(rows[name] for name in bar[0]), -len(bar[0])))
    figure = new_figure(
        1.95 + 0.46 * len(rows), _title(board, comparisons), subtitle, _note(settings, bool(bars), clusters), WIDE
    )
    with styled():
        widths = [WIDE * 0.62, max(BAR * (len(bars) + 1), 0.3)]
        axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=widths)
        row_axes(axes, [_row_label(name, networks[name]) for name in rows])
        for name, row in rows.items():
            scores = board[name][level]
            draw_interval(axes, scores, metric, row, color=BLUE)
            limits = scores["ci"][metric]
            middle = (limits["low"] + limits["high"]) / 2
            write_above(axes, metric_with_interval(scores, metric), middle, row, "center")
        axes.set_xlabel(f"{level} {metric_words(metric)}")
        _mark_baseline(axes, board, metric, level)
        beside.axis("off")
        beside.set_xlim(-0.5, max(len(bars), 1) - 0.5)
        for place, (group, within) in enumerate(bars):
            _draw_bar(beside, sorted(rows[name] for name in group), place, within)
    return figure


def _row_label(name: str, network: str) -> str:
    """A network in at most a few short lines, without what its trainings chose."""
    return textwrap.fill(network.partition(" (")[0], LABEL) if names_itself(name, network) else name


def _title(board: Mapping[str, Any], comparisons: Mapping[str, Any]) -> str:
    settings, pairs = comparisons["settings"], comparisons["pairs"]
    best, metrics = next(iter(board.items()))
    outcomes = _outcomes(pairs)
    resolved, same = outcomes.count("shown to differ"), outcomes.count("equivalent")
    value = metrics[settings["level"]][settings["metric"]]
    if len(pairs) < 2:
        return f"{best} first with {value:.3f}{''.join(f'; the pair: {outcome}' for outcome in outcomes)}"
    differ = f"{resolved or 'none'} of {len(pairs)} pairs shown to differ"
    return f"{best} first with {value:.3f}; {differ}{f', {same} equivalent' if same else ''}"


def _outcomes(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The outcome for each pair, whichever of the two is the better."""
    return ["shown to differ" if pair["verdict"] in ("better", "worse") else str(pair["verdict"]) for pair in pairs]


def _note(settings: Mapping[str, Any], bars: bool, clusters: str) -> str:
    note = f"Dots and lines: 95 % intervals over {clusters}. Dotted: a constant prediction."
    if not bars:
        return f"{note} Bars would join networks without a significant difference."
    return (
        f"{note} Bars join networks without a significant difference (paired, Holm, alpha {settings['alpha']:g}): "
        f"green and solid, equivalent within {settings['margin']:g}; grey and dashed, not resolvable here."
    )


def _mark_baseline(axes: Axes, board: Mapping[str, Any], metric: str, level: str) -> None:
    """The constant prediction, where it is not far below everything."""
    values = {metrics[level]["baseline"][metric] for metrics in board.values()}
    low, high = axes.get_xlim()
    for value in values:
        if value >= low - 0.3 * (high - low):
            axes.axvline(value, **REFERENCE)


def _draw_bar(axes: Axes, rows: Sequence[int], place: int, within: bool) -> None:
    colour, dashes, width = (GREEN, "-", 3.2) if within else (GREY, (0, (1.2, 0.9)), 2.2)
    axes.plot([place, place], [rows[0], rows[-1]], color=colour, linewidth=width, linestyle=dashes)
    axes.plot([place] * len(rows), rows, "o", color=colour, markersize=6.5, markeredgecolor="white")
