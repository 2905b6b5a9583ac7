"""Whether networks know what they do not know: errors among the images kept, and the coverage of prediction sets."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend, shorten
from bycase.figures.parts import draw_interval, row_axes
from bycase.figures.style import REFERENCE, new_figure, styled
from bycase.statistics.uncertainty.table import PLAIN

WIDE, HEIGHT, ROW = 9.6, 3.4, 0.3  # inches: of the figure, of its panels at least, of a network's row
LEVELS = {"image": "white", "patient": None}  # how the dot is filled; None: in the network's colour


def draw_uncertainty(
    summaries: Mapping[str, Mapping[str, Any]], risk: Mapping[str, pd.DataFrame], subtitle: Sequence[str]
) -> Figure:
    """Draw all networks' risk-coverage curves, and how many of a patient's images their prediction sets cover.

    Where patients are unknown, how many of all images.

    Parameters
    ----------
    summaries : mapping of str to mapping
        Each network's; see `bycase.statistics.uncertainty.summary.summarise`.
    risk : mapping of str to DataFrame
        Each network's; see `bycase.statistics.uncertainty.summary.tabulate_risk`.
    subtitle : sequence of str
        Lines that name the data.
    """
    colours, known = colour_models(list(summaries)), "note" not in next(iter(summaries.values()))
    levels = LEVELS if known else {"image": LEVELS["image"]}
    last, share = ("patient", "mean share of a patient's") if known else ("image", "share of all")
    labels = {}
    for name, summary in summaries.items():
        area, size = summary["selective"][PLAIN]["aurc"], summary["conformal"][last]["size"]
        labels[name] = f"{name}: AURC {area:.3f}, sets of {size:.2f}"
    best = max(summaries, key=lambda name: summaries[name]["selective"][PLAIN]["accuracy_80"])
    kept = summaries[best]["selective"][PLAIN]["accuracy_80"]
    title = f"Abstention: accuracy {kept:.3f} on the surest 80 % of images, {best}"
    note = (
        f"Left: errors among the images kept, the surest first; AURC: area under it. Right: {share} images whose class "
        f"is in the prediction set, calibrated on validation images{' (open) or patients (filled)' if known else ''}, "
        f"with 95 % intervals; dotted: the coverage asked for. Sets of: mean number of classes, calibrated on {last}s."
    )
    height = max(HEIGHT, 0.9 + ROW * len(summaries))
    figure = new_figure(height + 1.35 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        left, right = panels_over_legend(figure, 2, height, labels, colours)
        for name, table in risk.items():
            plain = table[table["method"] == PLAIN]
            left.plot(plain["coverage"], plain["risk"], color=colours[name])
        left.set(xlabel="share of images kept", ylabel="share of errors among them", xlim=(0, 1.01))
        left.set_ylim(bottom=0)
        left.grid()
        _draw_coverage(right, summaries, colours, levels)
    return figure


def _draw_coverage(
    axes: Axes, summaries: Mapping[str, Mapping[str, Any]], colours: Mapping[str, str], levels: Mapping[str, str | None]
) -> None:
    """A row a network, in it a dot a level of calibration."""
    metric, of = ("patient_coverage", "a patient's") if "patient" in levels else ("coverage", "all")
    row_axes(axes, [shorten(name) for name in summaries])
    for row, (name, summary) in enumerate(summaries.items()):
        for offset, (level, filling) in zip((-0.15, 0.15), levels.items(), strict=False):
            style: Any = {"color": colours[name], "markerfacecolor": filling or colours[name]}
            style |= {"markeredgecolor": colours[name], "markersize": 6}
            draw_interval(axes, summary["conformal"][level], metric, row + offset, **style)
    axes.axvline(next(iter(summaries.values()))["coverage"], **REFERENCE)
    axes.set_xlabel(f"share of {of} images covered")
