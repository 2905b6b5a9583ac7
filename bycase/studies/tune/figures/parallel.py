"""All trials of a search as lines over the hyper-parameters, coloured by their score (Inselberg, 1985)."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bycase.core.wording import decimals
from bycase.figures.style import GREY, INK, SMALL_SIZE, VERMILLION, new_figure, styled
from bycase.statistics.units import Floats
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import NAMES
from bycase.studies.tune.outcome.values import Dimensions, axis_numbers, hyperparameter_words, value_words
from bycase.studies.tune.params import Dimension

HEIGHT, WIDE = 4.6, 8.2
TICKS = 4  # of a range
SPREAD = 0.05  # of a choice's trials round their value, so that they can be told apart
COLOURS = "viridis"  # evenly lighter, also for colour-blind readers
SHOWN = 0.1  # quantile of the scores below which all have one colour, since a few failures would take the whole scale


def axis_places(values: "pd.Series[Any]", dimension: Dimension) -> tuple[Floats, Floats, list[str]]:
    """Where values lie on an axis from 0 to 1, and the axis' ticks.

    Parameters
    ----------
    values : Series of shape (n_trials,)
        One hyper-parameter.
    dimension : Dimension
        Its range, or its choices.

    Returns
    -------
    places : ndarray of shape (n_trials,), float64, in [0, 1]
    ticks : ndarray of shape (n_ticks,), float64, in [0, 1]
    words : list of str
        Of each tick.
    """
    if dimension.choice is not None:
        words = [value_words(value) for value in dimension.choice]
        # The default settings may have a value that is not one of the choices.
        words += sorted({value_words(value) for value in values} - set(words))
        ticks = (np.arange(len(words)) + 0.5) / len(words)
        return ticks[[words.index(value_words(value)) for value in values]], ticks, words
    numbers = axis_numbers(values, dimension)
    # Population-based training leaves the range, and so may the default settings.
    reached = np.append(numbers, axis_numbers(dimension.values(), dimension))
    low, width = reached.min(), np.ptp(reached)
    ticks = np.linspace(0, 1, TICKS)
    words = [f"{10**mark if dimension.log else mark:.2g}" for mark in low + width * ticks]
    return (numbers - low) / width, ticks, words


def draw_parallel(final: Search, nested: int, dimensions: Dimensions) -> Figure:
    """Draw the trials of the search on the whole pool; `nested` is the number of outer folds."""
    metric, trials = NAMES[final.about["monitor"]], final.searched
    scored = trials[trials["score"].notna()].sort_values("score")
    missing = len(trials) - len(scored)
    best = final.winner
    title = f"Trial {best['trial']} is the best of {len(trials)}: inner {metric} {decimals(final.score)}"
    note = (
        "One line a trial, the best in red; of population-based training the settings at its best epoch. Lines are "
        "moved a little apart on axes of choices. "
        f"{f'Left out: {missing} without a score.' if missing else ''}"
    )
    figure = new_figure(HEIGHT, title, describe_searches(final, nested), note, WIDE)
    with styled():
        axes = figure.subplots()
        shades = _shades(scored["score"])
        for place, (name, of) in enumerate(dimensions.items()):
            _draw_axis(axes, place, hyperparameter_words(name), *axis_places(scored[name], of)[1:])
        heights = _heights(scored, dimensions)
        for line, (trial, score) in enumerate(zip(scored["trial"], scored["score"], strict=True)):
            winner = trial == best["trial"]
            axes.plot(
                np.arange(len(dimensions)),
                heights[line],
                color=VERMILLION if winner else shades.to_rgba(score),
                linewidth=2.4 if winner else 1.0,
                alpha=1 if winner else 0.7,
                marker="o" if len(dimensions) == 1 or winner else None,
                markersize=4,
                zorder=4 if winner else 2,
            )
        axes.set(xlim=(-0.3, len(dimensions) - 0.35), ylim=(-0.04, 1.12))
        axes.axis("off")
        bar = figure.colorbar(shades, ax=axes, fraction=0.03, pad=0.01, extend="min")
        bar.set_label(f"inner {metric}")
        bar.outline.set_visible(False)
    return figure


def _shades(scores: "pd.Series[float]") -> ScalarMappable:
    low, high = float(scores.quantile(SHOWN)), float(scores.max())
    if high - low < 1e-9:
        low, high = low - 0.005, high + 0.005
    return ScalarMappable(Normalize(low, high), mpl.colormaps[COLOURS])


def _heights(scored: pd.DataFrame, dimensions: Dimensions) -> Floats:
    """Where each trial crosses each axis; (n_trials, n_hyperparameters)."""
    columns = []
    for name, of in dimensions.items():
        places = axis_places(scored[name], of)[0]
        if of.choice is not None and len(scored) > 1:
            places = places + SPREAD * np.linspace(-1, 1, len(scored))
        columns.append(places)
    return np.column_stack(columns)


def _draw_axis(axes: Axes, place: int, name: str, ticks: Floats, words: Sequence[str]) -> None:
    axes.plot([place, place], [0, 1], color=GREY, linewidth=1, zorder=3)
    axes.text(place, 1.06, name, ha="center", va="bottom", color=INK, size=SMALL_SIZE)
    for tick, word in zip(ticks, words, strict=True):
        axes.annotate(
            word,
            (place, tick),
            (3, 0),
            textcoords="offset points",
            va="center",
            size=SMALL_SIZE,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.75},
            zorder=5,
        )
