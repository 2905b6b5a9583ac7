"""The decision curve: what acting on the classifier is worth, against acting on everybody and on nobody."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bycase.core.wording import percent
from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, DASHED, DOTTED, GREY, INK, new_figure, styled

HEIGHT = 4.4
LOWEST = 0.12  # of the net benefit of the best, below 0: acting on all costs any amount


def draw_decisions(table: pd.DataFrame, level: str, prevalence: float | None, run_info: RunInfo) -> Figure:
    """Draw net benefit against the probability from which one acts.

    Parameters
    ----------
    table : DataFrame
        See `bycase.statistics.decisions.decision_curve`.
    level : str
        What is acted on: ``image`` or ``patient``.
    prevalence : float or None
        Of the positive class, where one was stated.
    run_info : RunInfo
        Names network, data and split.
    """
    where = "that of the test part" if prevalence is None else f"{percent(prevalence)}, as stated"
    note = (
        f"Net benefit: true positives a {level} less false positives at t / (1 - t), where one acts from a probability "
        f"of {run_info.positive} of t up (Vickers and Elkin, 2006). Prevalence: {where}. Probabilities after "
        f"temperature scaling, where there is one. Shaded: 95 % intervals by resampling {run_info.clusters}."
    )
    figure = new_figure(HEIGHT, f"Decision curve by {level}: {_finding(table)}", run_info.subtitle, note)
    with styled():
        axes = figure.subplots()
        axes.fill_between(table["threshold"], table["low"], table["high"], color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(table["threshold"], table["net_benefit"], color=BLUE, label="classifier")
        axes.plot(table["threshold"], table["treat_all"], color=INK, linestyle=DASHED, label="act on all")
        axes.plot(table["threshold"], table["treat_none"], color=GREY, linestyle=DOTTED, label="act on none")
        top = float(max(table["high"].max(), table["treat_all"].max(), 0.01))
        axes.set(xlim=(0, 1), ylim=(-LOWEST * top, 1.05 * top))
        axes.set(xlabel="probability from which one acts, t", ylabel="net benefit")
        axes.grid()
        axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=3, borderpad=0.1)
    return figure


def _finding(table: pd.DataFrame) -> str:
    """Between which thresholds the classifier is shown to be worth more than acting on all and on none."""
    better = table["threshold"][table["gain_low"] > 0].to_numpy()
    if not len(better):
        return "nowhere shown to gain"
    steps = np.flatnonzero(np.diff(better) > 1.5 * np.diff(table["threshold"]).min())
    runs = np.split(better, steps + 1)
    longest = max(runs, key=len)
    return f"gains from {percent(longest[0])} to {percent(longest[-1])}"
