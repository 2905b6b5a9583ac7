"""How a search went: trials and the best score so far, by the epochs spent."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import decimals
from bycase.figures.style import BLUE, GREY, INK, PALE, SMALL_SIZE, VERMILLION, new_figure, styled
from bycase.studies.tune.outcome.progress import best_so_far, last_epochs
from bycase.studies.tune.outcome.searches import FAILED, Search, count_words, describe_searches
from bycase.studies.tune.outcome.summary import NAMES

HEIGHT = 4.3


def draw_history(final: Search, nested: Sequence[Search]) -> Figure:
    """Draw the search on the whole pool, and the outer folds' searches behind it.

    Parameters
    ----------
    final : Search
        On the whole pool.
    nested : sequence of Search
        Of the outer folds.
    """
    metric = NAMES[final.about["monitor"]]
    failed = int(final.searched["status"].isin(FAILED).sum())
    title = f"Best inner {metric} {decimals(final.score)} after {count_words(final.about['epochs_spent'], 'epoch')}"
    note = (
        "Dots: each trial's best epoch, where the trial ended. Steps: the best until then; thin, those of the outer "
        f"folds' searches. {f'Crosses: {failed} trials that diverged, crashed or were lost. ' if failed else ''}"
        "Dashed: the settings of params.yaml. Inner scores choose among trials and are too high."
    )
    figure = new_figure(HEIGHT, title, describe_searches(final, len(nested)), note)
    with styled():
        axes = figure.subplots()
        for search in nested:
            _draw_steps(axes, search, GREY, 0.8)
        _draw_steps(axes, final, BLUE, 2.2)
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
        axes.grid(color=PALE, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _draw_steps(axes: Axes, search: Search, colour: str, width: float) -> None:
    best = best_so_far(search.epochs)
    axes.step(best["spent"], best["score"], where="post", color=colour, linewidth=width, zorder=3)


def _draw_trials(axes: Axes, search: Search) -> None:
    trials = search.searched
    ended = trials["trial"].map(last_epochs(search.epochs))
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
