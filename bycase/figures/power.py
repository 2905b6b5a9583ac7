"""The power figure: the smallest difference between two networks that so many patients resolve."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bycase.core.wording import percent, tenths
from bycase.figures.style import BLUE, DASHED, DOTTED, GREEN, PALE, SMALL_SIZE, VERMILLION, new_figure, styled
from bycase.statistics.metric_names import metric_words
from bycase.statistics.power.resolution import GRID, METRICS, SCENARIOS

HEIGHT = 4.6
STYLES: dict[str, Any] = {
    "optimistic": {"color": GREEN, "linestyle": DASHED},
    "middle": {"color": BLUE, "linestyle": "-"},
    "pessimistic": {"color": VERMILLION, "linestyle": DOTTED},
}
TICKS = (10, 30, 100, 300, 1000)


def draw_power(content: dict[str, Any], curves: pd.DataFrame, source: Sequence[str]) -> Figure:
    """Draw what numbers of patients resolve, and where the data set stands.

    Parameters
    ----------
    content : dict
        See `bycase.statistics.power.resolution.resolution`.
    curves : DataFrame
        See `bycase.statistics.power.resolution.resolution_curves`.
    source : sequence of str
        Lines that name the data.
    """
    assumed = content["assumptions"]
    note = (
        f"Two-sided test at alpha {assumed['alpha']:g} with a power of {percent(assumed['power'])}; the worse network "
        f"has an accuracy of {assumed['accuracy']:g} and an AUC of {assumed['auc']:g}. Scenarios: correlations between "
        "the networks and between images of one patient, as params.yaml states them. A line begins where a perfect "
        f"network would be told from the assumed one. Upright: the {_units(content)} of this data set."
    )
    figure = new_figure(HEIGHT, _title(content), source, note)
    with styled():
        for axes, metric in zip(figure.subplots(1, 2, sharey=True), METRICS, strict=True):
            _draw_metric(axes, content, curves[curves["metric"] == metric], metric)
        figure.axes[0].set_ylabel("smallest difference found, points")
        figure.axes[0].legend(loc="upper right", borderpad=0.2)
    return figure


def _title(content: dict[str, Any]) -> str:
    everyone, best = content["all"], content["all"][SCENARIOS[0]]
    found = {metric: best[f"{metric}_points"] for metric in METRICS}
    words = ", ".join(f"{tenths(points)} of {metric_words(metric)}" for metric, points in found.items() if points)
    return f"{everyone['n_patients']:,} {_units(content)} resolve {words + ' points' if words else 'nothing'} at best"


def _units(content: dict[str, Any]) -> str:
    """What is counted; where patients are unknown, the groups of duplicates that stand for them."""
    return "groups" if "note" in content else "patients"


def _draw_metric(axes: Axes, content: dict[str, Any], curves: pd.DataFrame, metric: str) -> None:
    for name, style in STYLES.items():
        rows = curves[curves["scenario"] == name]
        axes.plot(rows["patients"], rows["points"], label=name, **style)
    for part, words in (("test", "test part"), ("all", "all")):
        patients = content[part]["n_patients"]
        if patients is None:
            continue
        axes.axvline(patients, color=PALE, linewidth=1.2, zorder=0)
        axes.annotate(
            words,
            (patients, 0),
            (2, 2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            size=SMALL_SIZE,
        )
        for name, style in STYLES.items():
            points = content[part][name][f"{metric}_points"]
            if points is not None:
                axes.plot(patients, points, "o", color=style["color"], markeredgecolor="white", markersize=6)
    axes.set_xscale("log")
    axes.set(xlabel="patients", xlim=(GRID[0], GRID[-1]), ylim=(0, None), xticks=TICKS)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_title(metric_words(metric), weight="bold")
    axes.grid(axis="y")
