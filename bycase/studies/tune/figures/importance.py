"""Which hyper-parameters mattered, in every search."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from bycase.figures.style import BLUE, GREY, INK, PALE, SMALL_SIZE, new_figure, styled
from bycase.studies.tune.outcome.importance import trials_needed
from bycase.studies.tune.outcome.searches import FINAL, Search, count_words, describe_searches
from bycase.studies.tune.outcome.summary import NAMES
from bycase.studies.tune.outcome.values import Dimensions, hyperparameter_words

ROW = 0.36  # inches


def draw_importance(
    final: Search, nested: Sequence[Search], found: Mapping[str, Mapping[str, float]], dimensions: Dimensions
) -> Figure:
    """Draw the importance of each hyper-parameter, the largest on top.

    Parameters
    ----------
    final : Search
        On the whole pool.
    nested : sequence of Search
        Of the outer folds.
    found : mapping of str to mapping
        By search; see `bycase.studies.tune.outcome.importance.importances`. Empty where there were too few trials.
    dimensions : mapping
        What was searched.
    """
    of_final = found[FINAL]
    names = sorted(dimensions, key=lambda name: -of_final.get(name, 0.0))
    most = names[0] if any(of_final.values()) else None
    title = (
        f"{hyperparameter_words(most).capitalize()} matters most: {of_final[most]:.2f}"
        if most
        else "Importance of hyper-parameters: unknown"
    )
    note = (
        f"Share of the variance of the inner {NAMES[final.about['monitor']]} over the space, by fANOVA (a random "
        "forest on the trials). Bars: the search on all patients. Dots: the outer folds' searches; where they lie far "
        "apart, the order means little."
    )
    figure = new_figure(2.0 + ROW * len(names), title, describe_searches(final, len(nested)), note)
    with styled():
        axes = figure.subplots()
        rows = np.arange(len(names))
        axes.set_yticks(rows, [hyperparameter_words(name) for name in names])
        axes.set(xlim=(0, 1.08), ylim=(len(names) - 0.4, -0.6), xlabel="importance")
        axes.tick_params(axis="y", length=0)
        axes.grid(color=PALE, linewidth=0.6, axis="x")
        axes.set_axisbelow(True)
        if not of_final:
            scored = int(final.searched["score"].notna().sum())
            words = f"{count_words(scored, 'trial')} with a score: too few, {trials_needed(names)} are needed"
            axes.text(0.5, 0.5, words, ha="center", va="center", color=INK, transform=axes.transAxes)
            return figure
        axes.barh(rows, [of_final[name] for name in names], color=BLUE, height=0.62)
        highest = [max(of.get(name, 0.0) for of in found.values()) for name in names]
        for search in nested:
            of = found[search.outer]
            if of:
                axes.plot(
                    [of[name] for name in names], rows, "o", color=GREY, markersize=5, markeredgecolor="white", zorder=3
                )
        for row, name in enumerate(names):
            place = (highest[row], row)
            axes.annotate(
                f"{of_final[name]:.2f}", place, (6, 0), textcoords="offset points", va="center", size=SMALL_SIZE
            )
    return figure
