"""Accuracy and AUC against the severity of each corruption."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import clusters_of, metric_with_interval
from bycase.figures.parts import handle, panels_with_legend
from bycase.figures.style import COLOURS, REFERENCE, new_figure, styled
from bycase.statistics.metric_names import metric_words

MARKERS = "osD^vP*X"
COLUMNS, LEGEND_COLUMNS = 3, 2
EDGES, PANEL, LEGEND_LINE = 1.0, 1.62, 0.22  # inches
BAND, MOST_BANDS = 0.13, 2  # opacity; number, beyond which bands hide one another and bars are drawn
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
        Names networks and data.
    metrics : sequence of str
        Drawn in every panel; with several models one is enough.
    """
    first = next(iter(summaries.values()))
    panels = ["mean", *first["corruptions"]]
    rows = -(-len(panels) // COLUMNS)
    curves = [(model, metric) for model in summaries for metric in metrics]
    banded = len(curves) <= MOST_BANDS
    note = (
        f"Severity 0: the untouched images. {'Bands' if banded else 'Bars'}: 95 % intervals over {clusters_of(first)}. "
        "Dotted: AUC of chance."
    )
    legend = LEGEND_LINE * -(-len(curves) // LEGEND_COLUMNS)
    handles = [
        handle(_name(model, metric, summaries, metrics), **_style(number))
        for number, (model, metric) in enumerate(curves)
    ]
    figure = new_figure(EDGES + PANEL * rows + legend, _title(summaries), subtitle, note)
    with styled():
        columns = {"handles": handles, "ncols": LEGEND_COLUMNS}
        axes = panels_with_legend(figure, len(panels), COLUMNS, (PANEL, legend), columns, below=False)
        for panel, place in zip(panels, axes, strict=True):
            for number, (model, metric) in enumerate(curves):
                aside = 0 if banded else APART * (number - (len(curves) - 1) / 2)
                _draw_curve(place, summaries[model], panel, metric, aside, banded, _style(number))
            place.set_title("mean of all" if panel == "mean" else panel, weight="bold" if panel == "mean" else "normal")
            place.set(ylim=(-0.02, 1.02), xticks=[0, *map(int, first["by_severity"])])
            place.grid()
            if "auc" in metrics:
                place.axhline(0.5, **REFERENCE)
        for place in axes[-COLUMNS:]:
            place.set_xlabel("severity")
        for place in axes[::COLUMNS]:
            place.set_ylabel(" and ".join(map(metric_words, metrics)))
    return figure


def _title(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    drops = [summary["mean"]["auc_drop"] for summary in summaries.values()]
    if len(drops) > 1:
        return f"Robustness: damage costs {min(drops):.3f} to {max(drops):.3f} of AUC on average"
    mean = next(iter(summaries.values()))["mean"]
    return f"Robustness: mean AUC drop {metric_with_interval(mean, 'auc_drop', name='95 % CI')}"


def _name(model: str, metric: str, summaries: Mapping[str, Mapping[str, Any]], metrics: Sequence[str]) -> str:
    """A curve's name: the model, the metric, or both, whichever there are several of."""
    words = metric_words(metric)
    if len(summaries) == 1:
        return words
    return model if len(metrics) == 1 else f"{model}, {words}"


def _draw_curve(
    axes: Axes,
    summary: Mapping[str, Any],
    panel: str,
    metric: str,
    aside: float,
    banded: bool,
    style: Mapping[str, Any],
) -> None:
    """Draw a curve, moved by `aside`, with its intervals as a band or as bars."""
    cells = summary["by_severity"] if panel == "mean" else summary["corruptions"][panel]
    points = [summary["clean"], *cells.values()]
    severities = [severity + aside for severity in (0, *map(int, cells))]
    low, high = ([point["ci"][metric][end] for point in points] for end in ("low", "high"))
    if banded:
        axes.fill_between(severities, low, high, color=style["color"], alpha=BAND, linewidth=0)
    else:
        axes.vlines(severities, low, high, color=style["color"], linewidth=0.8, alpha=0.6)
    axes.plot(severities, [point[metric] for point in points], markersize=4, linewidth=1.4, **style)


def _style(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
