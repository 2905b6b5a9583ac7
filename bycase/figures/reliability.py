"""The reliability figure: how often predictions come true, before and after temperature scaling, at both levels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import error_with_test
from bycase.figures.curve_tables import calibration_table
from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, DASHED, GREEN, ORANGE, PURPLE, REFERENCE, new_figure, styled
from bycase.statistics.calibration.bins import Forecasts, make_forecasts
from bycase.statistics.calibration.temperature import scale_units
from bycase.statistics.units import Units

STYLES = {"before": (ORANGE, "s", "-"), "after": (BLUE, "o", DASHED)}
HEIGHT = 6.4


def reliability_tables(units: Mapping[str, Units], run_info: RunInfo) -> dict[str, dict[str, pd.DataFrame]]:
    """Each level's calibration, before scaling and, where there is a temperature, after.

    Parameters
    ----------
    units : mapping of level to Units
        ``image`` and, where patients are known, ``patient``, of the test part.
    run_info : RunInfo
        Names network, data and split, and holds the errors and the temperatures, which come from validation.

    Returns
    -------
    dict of level to dict of DataFrame
        ``before`` and ``after``; see `bycase.figures.curve_tables.calibration_table`.
    """
    tables = {level: {"before": calibration_table(plain)} for level, plain in units.items()}
    if "temperature" in run_info.metrics["calibration"]:
        for level, plain in units.items():
            tables[level]["after"] = calibration_table(scale_known(plain, level, run_info))
    return tables


def scale_known(units: Units, level: str, run_info: RunInfo) -> Units:
    """One level's units scaled by its temperature, or as they are where none was fitted."""
    known = "temperature" in run_info.metrics["calibration"]
    return scale_units(units, _temperature(level, run_info)) if known else units


def reliability_words(positive: str | None) -> tuple[str, str]:
    """What the axes of a reliability figure hold: the share observed, and the probability predicted."""
    if positive is None:
        return "share that is right", "probability of the predicted class"
    return f"share that is {positive}", f"predicted probability of {positive}"


def draw_reliability(
    tables: Mapping[str, Mapping[str, pd.DataFrame]], units: Mapping[str, Units], run_info: RunInfo
) -> Figure:
    """Draw observed against predicted probability, a column a level, and how the predictions are spread.

    Parameters
    ----------
    tables : mapping of level to mapping of str to DataFrame
        See `reliability_tables`.
    units, run_info
        See `reliability_tables`.
    """
    observed, predicted = reliability_words(run_info.positive)
    kinds = ("right", "wrong")
    if run_info.positive is not None:
        kinds = f"true {run_info.positive}", f"true {run_info.negative}"
    errors = run_info.metrics["calibration"]["image"]
    title = f"Calibration: image ECE {errors['before']['ece']:.3f}, by chance {errors['before']['ece_expected']:.3f}"
    note = (
        "Dots: bins of equally many units, over which the expected calibration error (ECE) is taken; in brackets what "
        "calibrated predictions would show by chance, and the p-value of a test of calibration. Shaded: 95 % intervals "
        f"over {run_info.clusters}. Above the line probabilities are too low, below too high."
    )
    if "after" in tables["image"]:
        title = f"{title}; scaled {errors['after']['ece']:.3f}"
        note += " T: temperature, fitted on validation. Bars: before scaling."
    figure = new_figure(HEIGHT, title, run_info.subtitle, note)
    with styled():
        panels = figure.subplots(2, len(tables), sharex=True, sharey="row", height_ratios=[3.2, 1], squeeze=False)
        for column, level in enumerate(tables):
            _draw_level(panels[0, column], tables[level], level, run_info)
            _draw_spread(panels[1, column], make_forecasts(units[level]), kinds)
            panels[1, column].set(xlabel=predicted, xticks=np.linspace(0, 1, 5))
        panels[0, 0].set_ylabel(observed)
        panels[1, 0].set_ylabel("share of units")
        panels[1, 0].legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=2, borderpad=0.1)
    return figure


def _draw_level(axes: Axes, tables: Mapping[str, pd.DataFrame], level: str, run_info: RunInfo) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.32), yticks=np.linspace(0, 1, 6))
    axes.grid()
    axes.plot([0, 1], [0, 1], **REFERENCE)
    for name, table in tables.items():
        colour, marker, dashes = STYLES[name]
        words = error_with_test(run_info.metrics["calibration"][level][name])
        label = f"{'plain' if name == 'before' else f'T {_temperature(level, run_info):.2f}'}: ECE {words}"
        x, y = table["predicted"], table["observed"]
        line: Any = {"color": colour, "linewidth": 1.2}
        axes.fill_between(x, table["low"], table["high"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(x, y, marker=marker, linestyle=dashes, markersize=4.5, label=label, **line)
        if len(table) == 1:
            axes.errorbar(x, y, yerr=[y - table["low"], table["high"] - y], **line)
    axes.set_title(f"{level}s", weight="bold")
    axes.legend(loc="upper left", handlelength=1.4, borderpad=0.2)


def _draw_spread(axes: Axes, forecasts: Forecasts, kinds: tuple[str, str]) -> None:
    edges = np.linspace(0, 1, 21)
    bottom = np.zeros(len(edges) - 1)
    style: Any = {"align": "edge", "edgecolor": "white", "linewidth": 0.6}
    outcomes = forecasts.outcome, ~forecasts.outcome
    for members, colour, kind in zip(outcomes, (PURPLE, GREEN), kinds, strict=True):
        share = np.histogram(forecasts.confidence[members], edges)[0] / len(forecasts.confidence)
        axes.bar(edges[:-1], share, edges[1], bottom, color=colour, label=kind, **style)
        bottom += share


def _temperature(level: str, run_info: RunInfo) -> float:
    calibration = run_info.metrics["calibration"]
    temperature: float = calibration["temperature"] if level == "image" else calibration["patient"]["temperature"]
    return temperature
