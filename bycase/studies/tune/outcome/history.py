"""How a search went: trials and the best score so far, by the epochs spent."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import decimals, plural
from bycase.figures.style import BLUE, GREY, INK, SMALL_SIZE, VERMILLION, new_figure, styled
from bycase.statistics.units import Floats, Integers
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.place import FAILED

HEIGHT = 4.3


def best_so_far(epochs: pd.DataFrame) -> pd.DataFrame:
    """The best score of any trial until each epoch of the budget was spent: columns ``spent`` and ``score``.

    Epochs without a score, as of a trial that diverges, keep the one before; those before the first score, and those
    outside the budget, which have no ``spent``, are left out.
    """
    ordered = epochs[["spent", "score"]].dropna(subset="spent").sort_values("spent", kind="stable")
    return ordered.assign(score=ordered["score"].cummax().ffill()).dropna().reset_index(drop=True)


def at_spent(best: pd.DataFrame, spent: Integers) -> Floats:
    """The score of `best_so_far` after so many epochs, both (n,); NaN before the first, and the last one beyond it."""
    place = np.searchsorted(best["spent"].to_numpy(), spent, side="right") - 1
    padded = np.append(best["score"].to_numpy(np.float64), np.nan)
    return padded[place]


def draw_history(final: Search, nested: Sequence[Search]) -> Figure:
    """Draw the search on the whole pool, and the outer folds' searches behind it."""
    metric = monitor_words(final.about["monitor"])
    failed = int(final.searched["status"].isin(FAILED).sum())
    title = f"Best inner {metric} {decimals(final.score)} after {plural(final.about['epochs_spent'], 'epoch')}"
    note = (
        "Dots: each trial's best epoch, where the trial ended. Steps: the best until then; thin, those of the outer "
        f"folds' searches. {f'Crosses: {failed} trials that diverged, crashed or were lost. ' if failed else ''}"
        "Dashed: the settings of params.yaml. Inner scores choose among trials and are too high."
    )
    figure = new_figure(HEIGHT, title, describe_searches(final, len(nested)), note)
    with styled():
        axes = figure.subplots()
        for search, colour, width in (*((each, GREY, 0.8) for each in nested), (final, BLUE, 2.2)):
            best = best_so_far(search.epochs)
            axes.step(best["spent"], best["score"], where="post", color=colour, linewidth=width, zorder=3)
        _draw_trials(axes, final)
        if np.isfinite(final.default_score):
            axes.axhline(final.default_score, color=INK, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
            axes.annotate(
                f"default {decimals(final.default_score)}",
                (1, final.default_score),
                (-2, -3),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                va="top",
                size=SMALL_SIZE,
                color=INK,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.75},
                zorder=5,
            ).set_in_layout(False)
        axes.set(xlabel="epochs spent in the search", ylabel=f"inner {metric}")
        axes.set_xlim(0, max(final.about["epochs_spent"], 1) * 1.02)
        axes.grid()
    return figure


def _draw_trials(axes: Axes, search: Search) -> None:
    trials = search.searched
    ended = trials["trial"].map(search.epochs.groupby("trial")["spent"].max())
    # A trial that failed before its first epoch ended stands where it began, or else where the one before it ended.
    place = ended.fillna(trials["started_epoch_total"]).ffill().fillna(0)
    failed = trials["status"].isin(FAILED)
    axes.plot(place[~failed], trials["score"][~failed], "o", color=BLUE, markersize=4, alpha=0.45, zorder=2, mew=0)
    (crosses,) = axes.plot(
        place[failed],
        np.full(int(failed.sum()), 0.02),
        "x",
        color=VERMILLION,
        markersize=6,
        mew=1.6,
        transform=axes.get_xaxis_transform(),
        zorder=4,
    )
    crosses.set_in_layout(False)
