"""Accuracy and AUC against the severity of each corruption."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bycase.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    SMALL_SIZE,
    VERMILLION,
    new_figure,
    styled,
)

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, INK, GREY)
MARKERS = "osD^vP*X"
METRIC_WORDS = {"auc": "AUC", "accuracy": "accuracy"}
COLUMNS, LEGEND_COLUMNS = 3, 2
EDGES, PANEL, LEGEND_LINE = 1.0, 1.62, 0.22  # inches
BAND, MOST_BANDS = 0.13, 2  # opacity; number
APART = 0.08  # of a severity, between two curves with bars


def draw_robustness(
    summaries: Mapping[str, Mapping[str, Any]], subtitle: Sequence[str], metrics: Sequence[str] = ("auc", "accuracy")
) -> Figure:
    """Draw one panel a corruption and one of their mean, with intervals as bands.

    Parameters
    ----------
    summaries : mapping of str to mapping
        Each model's, see `summarise_robustness`; of the same corruptions and severities.
    subtitle : sequence of str
        Of which network and data.
    metrics : sequence of str
        Drawn in every panel; with several models one is enough.
    """
    first = next(iter(summaries.values()))
    panels = ["mean", *first["corruptions"]]
    rows = -(-len(panels) // COLUMNS)
    curves = [(model, metric) for model in summaries for metric in metrics]
    names = [_name(model, metric, summaries, metrics) for model, metric in curves]
    note = (
        f"Severity 0: the untouched images. {'Bands' if _banded(curves) else 'Bars'}: 95 % intervals by resampling "
        "patients. Dotted: AUC of chance."
    )
    legend = LEGEND_LINE * -(-len(curves) // LEGEND_COLUMNS)
    figure = new_figure(EDGES + PANEL * rows + legend, _title(summaries), subtitle, note)
    with styled():
        grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=[legend, *[PANEL] * rows])
        top = figure.add_subplot(grid[0, :])
        top.axis("off")
        axes = [figure.add_subplot(grid[1 + place // COLUMNS, place % COLUMNS]) for place in range(len(panels))]
        for panel, place in zip(panels, axes, strict=True):
            for number, (model, metric) in enumerate(curves):
                aside = APART * (number - (len(curves) - 1) / 2)
                _draw_curve(place, summaries[model], panel, metric, number, None if _banded(curves) else aside)
            _finish(place, panel, metrics)
            place.set_xticks([0, *map(int, first["by_severity"])])
        for place in axes[-COLUMNS:]:
            place.set_xlabel("severity")
        for place in axes[::COLUMNS]:
            place.set_ylabel(" and ".join(METRIC_WORDS[metric] for metric in metrics))
        handles = [Line2D([], [], color=_colour(number), marker=_marker(number)) for number in range(len(curves))]
        top.legend(handles, names, loc="center left", ncols=LEGEND_COLUMNS, fontsize=SMALL_SIZE, borderaxespad=0)
    return figure


def _title(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    drops = [summary["mean"]["auc_drop"] for summary in summaries.values()]
    if len(drops) > 1:
        return f"Robustness: damage costs {min(drops):.3f} to {max(drops):.3f} of AUC on average"
    mean = next(iter(summaries.values()))["mean"]
    limits = mean["ci"]["auc_drop"]
    return f"Robustness: mean AUC drop {mean['auc_drop']:.3f} (95 % CI {limits['low']:.3f} to {limits['high']:.3f})"


def _name(model: str, metric: str, summaries: Mapping[str, Mapping[str, Any]], metrics: Sequence[str]) -> str:
    """What a curve is called: the model, the metric, or both, whichever there are several of."""
    words = METRIC_WORDS[metric]
    if len(summaries) == 1:
        return words
    return model if len(metrics) == 1 else f"{model}, {words}"


def _banded(curves: Sequence[object]) -> bool:
    """Whether intervals are drawn as bands, of which more than a few hide one another."""
    return len(curves) <= MOST_BANDS


def _draw_curve(
    axes: Axes, summary: Mapping[str, Any], panel: str, metric: str, number: int, aside: float | None
) -> None:
    """Draw a curve with its band; with `aside` moved by so much, with bars in its place."""
    cells = summary["by_severity"] if panel == "mean" else summary["corruptions"][panel]
    points = [summary["clean"], *cells.values()]
    severities = [severity + (aside or 0) for severity in (0, *map(int, cells))]
    low, high = ([point["ci"][metric][end] for point in points] for end in ("low", "high"))
    colour = _colour(number)
    if aside is not None:
        axes.vlines(severities, low, high, color=colour, linewidth=0.8, alpha=0.6)
    else:
        axes.fill_between(severities, low, high, color=colour, alpha=BAND, linewidth=0)
    values = [point[metric] for point in points]
    axes.plot(severities, values, color=colour, marker=_marker(number), markersize=4, linewidth=1.4)


def _finish(axes: Axes, panel: str, metrics: Sequence[str]) -> None:
    axes.set_title("mean of all" if panel == "mean" else panel, weight="bold" if panel == "mean" else "normal")
    axes.set_ylim(-0.02, 1.02)
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    if "auc" in metrics:
        axes.axhline(0.5, color=GREY, linewidth=1, linestyle=(0, (1, 2)))


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]
