"""All trials of a search as lines over the hyper-parameters, coloured by their score (Inselberg, 1985)."""

from collections.abc import Iterable, Sequence
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
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.params import HYPERPARAMETERS, Dimension
from bycase.studies.tune.space import Dimensions, head_words

HEIGHT, WIDE = 4.6, 8.2
TICKS = 4  # of a range
SPREAD = 0.05  # of a choice's trials round their value, so that they can be told apart
COLOURS = "viridis"  # evenly lighter, also for colour-blind readers
SHOWN = 0.1  # quantile of the scores below which all have one colour, since a few failures would take the whole scale


def value_words(value: Any) -> str:
    """A choice as the trials' table has it; whole numbers without decimals."""
    if isinstance(value, list | tuple):
        return head_words(value)
    return value if isinstance(value, str) else f"{value:g}"


def axis_numbers(values: Iterable[Any], dimension: Dimension) -> Floats:
    """Values of a range on its axis: of ``log`` their decimal logarithms.

    The default settings may have 0, which no logarithm has; it counts as the range's low end.
    """
    numbers = np.array(list(values), np.float64)
    if dimension.log is None:
        return numbers
    decades: Floats = np.log10(np.where(numbers > 0, numbers, dimension.log[0]))
    return decades


def axis_places(values: "pd.Series[Any]", dimension: Dimension) -> tuple[Floats, Floats, list[str]]:
    """Where one hyper-parameter's values lie on an axis from 0 to 1, (n_trials,), and its ticks with their words."""
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
    metric, trials = monitor_words(final.about["monitor"]), final.searched
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
        heights = np.empty((len(scored), len(dimensions)))
        for place, (name, dimension) in enumerate(dimensions.items()):
            heights[:, place], ticks, words = axis_places(scored[name], dimension)
            _draw_axis(axes, place, HYPERPARAMETERS[name].words, ticks, words)
            if dimension.choice is not None and len(scored) > 1:
                heights[:, place] += SPREAD * np.linspace(-1, 1, len(scored))
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
