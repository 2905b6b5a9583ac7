"""A magnification that the network was not trained on, against the same images where it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import metric_with_interval
from bycase.figures.parts import draw_interval, handle, panels_with_legend
from bycase.figures.style import BLUE, VERMILLION, new_figure, styled
from bycase.statistics.metric_names import metric_words

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
        Names the data.
    metric : {'auc', 'accuracy'}
        What is drawn.
    """
    words, columns = metric_words(metric), min(COLUMNS, len(summaries))
    note = (
        f"Both networks are tested on the same images of that magnification. Bars: 95 % intervals over "
        f"patients. Below each magnification: the drop of {words} with its paired 95 % interval."
    )
    handles = [handle(name, color=colour, marker=marker) for _, colour, marker, name in KINDS]
    figure = new_figure(EDGES + PANEL * -(-len(summaries) // COLUMNS), _title(summaries, metric), subtitle, note)
    with styled():
        legend = {"handles": handles, "ncols": len(handles)}
        panels = panels_with_legend(figure, len(summaries), columns, (PANEL, LEGEND), legend, below=False)
        for axes, (model, shifts) in zip(panels, summaries.items(), strict=True):
            _draw_panel(axes, shifts, metric)
            axes.set_title(model)
        for axes in panels[::columns]:
            axes.set_ylabel(f"test {words}")
    return figure


def _title(summaries: Mapping[str, Mapping[int, Mapping[str, Any]]], metric: str) -> str:
    words = metric_words(metric)
    drops = [shift["drop"] for shifts in summaries.values() for shift in shifts.values()]
    if len(drops) > 1:
        return f"Unseen magnifications: {words} drop up to {max(drop[metric] for drop in drops):.3f}"
    (magnification,) = next(iter(summaries.values()))
    return f"Unseen {magnification}X: {words} drop {metric_with_interval(drops[0], metric)}"


def _draw_panel(axes: Axes, shifts: Mapping[int, Mapping[str, Any]], metric: str) -> None:
    magnifications = sorted(shifts)
    for side, (kind, colour, marker, _) in zip((-APART, APART), KINDS, strict=True):
        for place, magnification in enumerate(magnifications):
            style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 6}
            draw_interval(axes, shifts[magnification][kind], metric, place + side, upright=True, **style)
    axes.set(xlim=(-0.5, len(magnifications) - 0.5), ylim=(-0.03, 1.03))
    words = [_drop_words(magnification, shifts[magnification]["drop"], metric) for magnification in magnifications]
    axes.set_xticks(range(len(magnifications)), words)
    axes.grid(axis="y")


def _drop_words(magnification: int, drop: Mapping[str, Any], metric: str) -> str:
    limits = drop["ci"][metric]
    return f"{magnification}X\n{drop[metric]:.3f}\n({limits['low']:.2f} to\n{limits['high']:.2f})"
