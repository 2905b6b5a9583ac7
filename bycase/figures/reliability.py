"""The reliability figure: how often predictions come true, before and after temperature scaling, at both levels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.curve_tables import calibration_table
from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, SMALL_SIZE, new_figure, styled
from bycase.statistics.calibration.forecasts import Forecasts, make_forecasts
from bycase.statistics.calibration.temperature import scale_units
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Units

STYLES = {"before": (ORANGE, "s", "-"), "after": (BLUE, "o", (0, (5, 1.5)))}
HEIGHT = 6.4


def reliability_tables(
    units: Mapping[str, Units | ClassUnits], run_info: RunInfo, seed: int
) -> dict[str, dict[str, pd.DataFrame]]:
    """Each level's calibration, before and after scaling by its temperature.

    Parameters
    ----------
    units : mapping of level to Units or ClassUnits
        ``image`` and ``patient``, of the test part.
    run_info : RunInfo
        Holds the temperatures, which come from validation.
    seed : int
        Of the bootstrap over patients.

    Returns
    -------
    dict of level to dict of DataFrame
        ``before`` and ``after``; see `bycase.figures.curve_tables.calibration_table`.
    """
    tables: dict[str, dict[str, pd.DataFrame]] = {}
    for level, of in units.items():
        versions = {"before": of, "after": scale_units(of, _temperature(level, run_info))}
        forecasts = {name: make_forecasts(version) for name, version in versions.items()}
        tables[level] = {name: calibration_table(at.outcome, at.confidence, of, seed) for name, at in forecasts.items()}
    return tables


def draw_reliability(
    tables: Mapping[str, Mapping[str, pd.DataFrame]], units: Mapping[str, Units | ClassUnits], run_info: RunInfo
) -> Figure:
    """Draw observed against predicted probability, a column a level, and how the predictions are spread.

    Parameters
    ----------
    tables : mapping of level to mapping of str to DataFrame
        See `reliability_tables`.
    units : mapping of level to Units or ClassUnits
        ``image`` and ``patient``, of the test part.
    run_info : RunInfo
        What the figure says of itself.
    """
    several = len(run_info.classes) > 2
    observed = "share that is right" if several else f"share that is {run_info.positive}"
    predicted = "probability of the predicted class" if several else f"predicted probability of {run_info.positive}"
    kinds = ("right", "wrong") if several else (f"truly {run_info.positive}", f"truly {run_info.negative}")
    note = (
        "Dots: bins of equally many units, over which the expected calibration error (ECE; 95 % CI) is taken; shaded: "
        "95 % intervals by resampling patients. Above the line probabilities are too low, below too high. T: "
        "temperature, fitted on validation. ECE is biased upward with few units. Bars: before scaling."
    )
    ece = {name: run_info.metrics["calibration"]["image"][name]["ece"] for name in STYLES}
    title = f"Calibration: image ECE {ece['before']:.3f}, scaled {ece['after']:.3f}"
    figure = new_figure(HEIGHT, title, run_info.subtitle, note)
    with styled():
        panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=[3.2, 1])
        for column, level in enumerate(tables):
            _draw_level(panels[0, column], tables[level], level, run_info)
            _draw_spread(panels[1, column], make_forecasts(units[level]), kinds)
            panels[1, column].set(xlabel=predicted, xticks=np.linspace(0, 1, 5))
        panels[0, 0].set_ylabel(observed)
        panels[1, 0].set_ylabel("share of units")
        panels[1, 0].legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=2, fontsize=SMALL_SIZE, borderpad=0.1)
    return figure


def _draw_level(axes: Axes, tables: Mapping[str, pd.DataFrame], level: str, run_info: RunInfo) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.32), yticks=np.linspace(0, 1, 6))
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
    for name, table in tables.items():
        colour, marker, dashes = STYLES[name]
        at = run_info.metrics["calibration"][level][name]
        limits = at["ci"]["ece"]
        words = "plain: ECE" if name == "before" else f"T {_temperature(level, run_info):.2f}: ECE"
        label = f"{words} {at['ece']:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"
        axes.fill_between(table["predicted"], table["low"], table["high"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(
            table["predicted"],
            table["observed"],
            color=colour,
            marker=marker,
            linestyle=dashes,
            markersize=4.5,
            linewidth=1.2,
            label=label,
        )
        if len(table) == 1:
            axes.errorbar(
                table["predicted"],
                table["observed"],
                yerr=[table["observed"] - table["low"], table["high"] - table["observed"]],
                color=colour,
                linewidth=1.2,
            )
    axes.set_title(f"{level}s", weight="bold")
    axes.legend(loc="upper left", fontsize=SMALL_SIZE, handlelength=1.4, labelcolor=INK, borderpad=0.2)


def _draw_spread(axes: Axes, of: Forecasts, kinds: tuple[str, str]) -> None:
    edges = np.linspace(0, 1, 21)
    bottom = np.zeros(len(edges) - 1)
    for members, colour, kind in zip((of.outcome, ~of.outcome), (PURPLE, GREEN), kinds, strict=True):
        share = np.histogram(of.confidence[members], edges)[0] / len(of.confidence)
        width = edges[1]
        axes.bar(
            edges[:-1], share, width, bottom, align="edge", color=colour, edgecolor="white", linewidth=0.6, label=kind
        )
        bottom += share


def _temperature(level: str, run_info: RunInfo) -> float:
    calibration = run_info.metrics["calibration"]
    temperature: float = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
    return temperature
