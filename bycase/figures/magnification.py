"""A magnification that the network was not trained on, against the same images where it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bycase.figures.robustness import METRIC_WORDS
from bycase.figures.style import BLUE, PALE, SMALL_SIZE, VERMILLION, new_figure, styled

KINDS = (("all", BLUE, "o", "trained on all magnifications"), ("held_out", VERMILLION, "D", "trained without this one"))
COLUMNS = 2
EDGES, PANEL, LEGEND = 1.3, 2.5, 0.22  # inches
APART = 0.11  # of the distance between two magnifications


def draw_magnification_shift(
    summaries: Mapping[str, Mapping[int, Mapping[str, Any]]], subtitle: Sequence[str], metric: str = "auc"
) -> Figure:
    """Draw one panel a model: the metric at each magnification, with it and without it in training.

    Parameters
    ----------
    summaries : mapping of str to mapping of int to mapping
        Model to magnification to `bycase.statistics.robustness.summary.summarise_shift`.
    subtitle : sequence of str
        Of which data.
    metric : {'auc', 'accuracy'}
        What is drawn.
    """
    words = METRIC_WORDS[metric]
    rows = -(-len(summaries) // COLUMNS)
    note = (
        f"Both networks are tested on the same images of that magnification. Bars: 95 % intervals by resampling "
        f"patients. Below each magnification: the drop of {words} with its paired 95 % interval."
    )
    figure = new_figure(EDGES + PANEL * rows, _title(summaries, metric), subtitle, note)
    with styled():
        columns = min(COLUMNS, len(summaries))
        grid = figure.add_gridspec(1 + rows, columns, height_ratios=[LEGEND, *[PANEL] * rows])
        top = figure.add_subplot(grid[0, :])
        top.axis("off")
        for number, (model, shifts) in enumerate(summaries.items()):
            axes = figure.add_subplot(grid[1 + number // columns, number % columns])
            _draw_panel(axes, shifts, metric)
            axes.set_title(model)
            if number % columns == 0:
                axes.set_ylabel(f"test {words}")
        handles = [Line2D([], [], color=colour, marker=marker) for _, colour, marker, _ in KINDS]
        names = [name for *_, name in KINDS]
        top.legend(handles, names, loc="center left", ncols=len(KINDS), fontsize=SMALL_SIZE, borderaxespad=0)
    return figure


def _title(summaries: Mapping[str, Mapping[int, Mapping[str, Any]]], metric: str) -> str:
    drops = [(shift["drop"][metric], model, at) for model, shifts in summaries.items() for at, shift in shifts.items()]
    worst, model, at = max(drops)
    if len(drops) > 1:
        return f"Unseen magnifications: {METRIC_WORDS[metric]} drop up to {worst:.3f}"
    limits = summaries[model][at]["drop"]["ci"][metric]
    return f"Unseen {at}X: {METRIC_WORDS[metric]} drop {worst:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"


def _draw_panel(axes: Axes, shifts: Mapping[int, Mapping[str, Any]], metric: str) -> None:
    magnifications = sorted(shifts)
    for side, (kind, colour, marker, _) in zip((-APART, APART), KINDS, strict=True):
        for place, magnification in enumerate(magnifications):
            of = shifts[magnification][kind]
            limits = of["ci"][metric]
            axes.vlines(place + side, limits["low"], limits["high"], color=colour, linewidth=1.2, alpha=0.7)
            axes.plot(place + side, of[metric], marker, color=colour, markersize=6, markeredgecolor="white")
    axes.set(xlim=(-0.5, len(magnifications) - 0.5), ylim=(-0.03, 1.03))
    words = [_drop_words(magnification, shifts[magnification]["drop"], metric) for magnification in magnifications]
    axes.set_xticks(range(len(magnifications)), words)
    axes.grid(color=PALE, linewidth=0.6, axis="y")
    axes.set_axisbelow(True)


def _drop_words(magnification: int, fallen: Mapping[str, Any], metric: str) -> str:
    limits = fallen["ci"][metric]
    return f"{magnification}X\n{fallen[metric]:.3f}\n({limits['low']:.2f} to\n{limits['high']:.2f})"
