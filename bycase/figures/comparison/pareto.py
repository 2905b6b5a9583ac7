"""What accuracy costs: the chosen metric against work and time, with the front that no other network beats."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.parts import draw_interval
from bycase.figures.style import REFERENCE, new_figure, styled
from bycase.statistics.metric_names import metric_words

WIDE, HEIGHT = 9.6, 3.6  # inches: of the figure, of its panels
PANELS = {
    "flops": ("GFLOPs an image", 1e-9),
    "fitting_seconds": ("seconds to train, frozen features included", 1.0),
}
ROOM = 2.0  # factor left free on either side of a logarithmic axis


def pareto_front(costs: Mapping[str, float], values: Mapping[str, float]) -> list[str]:
    """The networks that no other one beats in both; cheapest first.

    Parameters
    ----------
    costs : mapping of str to float
        Less is better.
    values : mapping of str to float
        More is better; the same keys.

    Returns
    -------
    list of str
        Costs and values rise. Of networks that are equal in both, the first.
    """
    front: list[str] = []
    for name in sorted(costs, key=lambda name: (costs[name], -values[name])):
        if not front or values[name] > values[front[-1]]:
            front.append(name)
    return front


def draw_pareto(
    board: Mapping[str, Any], metric: str, level: str, subtitle: Sequence[str], clusters: str = "patients"
) -> Figure:
    """Draw each network's metric, with its interval, against what it costs.

    Parameters
    ----------
    board, subtitle
        See `bycase.figures.comparison.roc.draw_roc`.
    metric, level : str
        What is on the vertical axis; more is better.
    clusters : str
        What was counted: images, where patients are unknown.
    """
    values = {name: float(metrics[level][metric]) for name, metrics in board.items()}
    colours = colour_models(list(board))
    known = [cost for cost in PANELS if all(cost in metrics["cost"] for metrics in board.values())]
    words = f"{level} {metric_words(metric)}"
    best = max(values, key=lambda name: values[name])
    quickest = _quickest(board, known, best)
    title = f"{words[0].upper()}{words[1:]}: {best} best with {values[best]:.3f}{quickest}"
    note = (
        "Left and up is better. Stepped line: the front, whose networks no other one beats in both. Bars: 95 % "
        f"intervals over {clusters}; whether two networks differ is told by their paired comparison, not by these."
    )
    labels = {name: f"{name}: {value:.3f}" for name, value in values.items()}
    figure = new_figure(HEIGHT + 1.1 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        for axes, cost in zip(panels_over_legend(figure, len(known), HEIGHT, labels, colours), known, strict=True):
            cost_words, unit = PANELS[cost]
            spent = {name: metrics["cost"][cost] * unit for name, metrics in board.items()}
            _draw_front(axes, spent, values)
            for name, metrics in board.items():
                draw_interval(axes, metrics[level], metric, spent[name], upright=True, color=colours[name])
            _log_axis(axes, list(spent.values()))
            axes.set(xlabel=cost_words, ylabel=words)
            axes.grid()
    return figure


def _quickest(board: Mapping[str, Any], known: Sequence[str], best: str) -> str:
    """Which network took the least time to train, as the rest of a title; nothing where a time is not known."""
    if "fitting_seconds" not in known:
        return ""
    cheapest = min(board, key=lambda name: board[name]["cost"]["fitting_seconds"])
    return ", " + ("and quickest" if best == cheapest else f"{cheapest} quickest") + " to train"


def _draw_front(axes: Axes, spent: Mapping[str, float], values: Mapping[str, float]) -> None:
    front = pareto_front(spent, values)
    x, y = [spent[name] for name in front], [values[name] for name in front]
    axes.step([*x, max(spent.values()) * ROOM], [*y, y[-1]], where="post", **REFERENCE)


def _log_axis(axes: Axes, spent: Sequence[float]) -> None:
    """A logarithmic axis with room at its ends, and ticks as plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(min(spent) / ROOM, max(spent) * ROOM)
    steps = (1, 2, 5) if max(spent) / min(spent) < 30 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
