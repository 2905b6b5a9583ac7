"""Which hyper-parameters the score depends on, by fANOVA, in every search.

Hutter, F., Hoos, H. and Leyton-Brown, K. (2014). An Efficient Approach for Assessing Hyperparameter Importance. ICML.
"""

from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bycase.core.wording import plural
from bycase.figures.parts import row_axes
from bycase.figures.style import BLUE, GREY, INK, SMALL_SIZE, new_figure, styled
from bycase.studies.tune.outcome.parallel import axis_numbers, value_words
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.params import HYPERPARAMETERS, Dimension
from bycase.studies.tune.space import Dimensions

if TYPE_CHECKING:
    import optuna

LEAST = 10  # trials with a score, and LEAST_EACH a hyper-parameter
LEAST_EACH = 3
ROW = 0.36  # inches


def trials_needed(dimensions: Sized) -> int:
    """With how many trials a forest on so many hyper-parameters begins to say something."""
    return max(LEAST, LEAST_EACH * len(dimensions))


def importances(trials: pd.DataFrame, dimensions: Dimensions, seed: int) -> dict[str, float]:
    """The share of the score's variance over the space that each hyper-parameter explains by itself.

    In the order of `dimensions`; adding up to 1, or all 0 where the score does not vary. Empty with fewer trials that
    have a score than `trials_needed`. `seed` is that of the random forest.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    scored = trials[trials["score"].notna()]
    if len(scored) < trials_needed(dimensions):
        return {}
    if scored["score"].min() == scored["score"].max():
        return dict.fromkeys(dimensions, 0.0)
    shares = get_param_importances(rebuild_study(scored, dimensions), evaluator=FanovaImportanceEvaluator(seed=seed))
    return {name: float(shares[name]) for name in dimensions}


def rebuild_study(scored: pd.DataFrame, dimensions: Dimensions) -> "optuna.Study":
    """Optuna's study of trials that have a score.

    A log range is handed on in decades: the forest averages over a range as if it were uniform, by which the lower
    decades of a learning rate would not count.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    columns = {name: _column(scored[name], dimension) for name, dimension in dimensions.items()}
    distributions = {name: _distribution(columns[name], dimension) for name, dimension in dimensions.items()}
    for row, score in enumerate(scored["score"]):
        settings = {name: column[row] for name, column in columns.items()}
        study.add_trial(optuna.trial.create_trial(params=settings, distributions=distributions, value=float(score)))
    return study


def _column(tried: "pd.Series[Any]", dimension: Dimension) -> list[Any]:
    if dimension.choice is not None:
        return [value_words(value) for value in tried]
    return axis_numbers(tried, dimension).tolist()


def _distribution(column: list[Any], dimension: Dimension) -> "optuna.distributions.BaseDistribution":
    import optuna

    if dimension.choice is not None:
        # The default settings' value may be none of the choices.
        return optuna.distributions.CategoricalDistribution(sorted({*column, *map(value_words, dimension.choice)}))
    # Population-based training leaves the range, and so may the default settings.
    reached = [*column, *axis_numbers(dimension.values(), dimension).tolist()]
    return optuna.distributions.FloatDistribution(min(reached), max(reached))


def draw_importance(final: Search, nested: Sequence[Search], dimensions: Dimensions, seed: int) -> Figure:
    """Draw the importance of each hyper-parameter in the search on the whole pool and in the outer folds' searches.

    The largest stands on top; `seed` is that of the random forests.
    """
    shares = importances(final.searched, dimensions, seed)
    outer_shares = [share for search in nested if (share := importances(search.searched, dimensions, seed))]
    names = sorted(dimensions, key=lambda name: -shares.get(name, 0.0))
    title = "Importance of hyper-parameters: unknown"
    if any(shares.values()):
        title = f"{HYPERPARAMETERS[names[0]].words.capitalize()} matters most: {shares[names[0]]:.2f}"
    note = (
        f"Share of the variance of the inner {monitor_words(final.about['monitor'])} over the space, by fANOVA (a "
        "random forest on the trials). Bars: the search on all patients. Dots: the outer folds' searches; where they "
        "lie far apart, the order means little."
    )
    figure = new_figure(2.0 + ROW * len(names), title, describe_searches(final, len(nested)), note)
    with styled():
        axes = figure.subplots()
        rows = np.arange(len(names))
        row_axes(axes, [HYPERPARAMETERS[name].words for name in names])
        axes.set(xlim=(0, 1.08), xlabel="importance")
        if not shares:
            scored = int(final.searched["score"].notna().sum())
            words = f"{plural(scored, 'trial')} with a score: too few, {trials_needed(names)} are needed"
            axes.text(0.5, 0.5, words, ha="center", va="center", color=INK, transform=axes.transAxes)
            return figure
        axes.barh(rows, [shares[name] for name in names], color=BLUE, height=0.62)
        for share in outer_shares:
            dots = [share[name] for name in names]
            axes.plot(dots, rows, "o", color=GREY, markersize=5, markeredgecolor="white", zorder=3)
        for row, name in enumerate(names):
            place = max(share[name] for share in (shares, *outer_shares)), row
            axes.annotate(
                f"{shares[name]:.2f}", place, (6, 0), textcoords="offset points", va="center", size=SMALL_SIZE
            )
    return figure
