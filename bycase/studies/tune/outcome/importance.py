"""Which hyper-parameters the score depends on, by fANOVA.

Hutter, F., Hoos, H. and Leyton-Brown, K. (2014). An Efficient Approach for Assessing Hyperparameter Importance. ICML.
"""

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

import pandas as pd

from bycase.studies.tune.outcome.values import Dimensions, axis_numbers, value_words
from bycase.studies.tune.params import Dimension

if TYPE_CHECKING:
    import optuna

LEAST = 10  # trials with a score, and LEAST_EACH a hyper-parameter
LEAST_EACH = 3


def trials_needed(dimensions: Sized) -> int:
    """With how many trials a forest on so many hyper-parameters begins to say something."""
    return max(LEAST, LEAST_EACH * len(dimensions))


def importances(trials: pd.DataFrame, dimensions: Dimensions, seed: int) -> dict[str, float]:
    """The share of the score's variance over the space that each hyper-parameter explains by itself.

    Parameters
    ----------
    trials : DataFrame
        See `bycase.studies.tune.outcome.searches.Search`; those without a score are left out.
    dimensions : mapping
        What was searched.
    seed : int
        Of the random forest.

    Returns
    -------
    dict of str to float
        In the order of `dimensions`; adding up to 1, or all 0 where the score does not vary. Empty with fewer trials
        than `trials_needed`.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    scored = trials[trials["score"].notna()]
    if len(scored) < trials_needed(dimensions):
        return {}
    if scored["score"].min() == scored["score"].max():
        return dict.fromkeys(dimensions, 0.0)
    found = get_param_importances(rebuild_study(scored, dimensions), evaluator=FanovaImportanceEvaluator(seed=seed))
    return {name: float(found[name]) for name in dimensions}


def rebuild_study(scored: pd.DataFrame, dimensions: Dimensions) -> "optuna.Study":
    """Optuna's study of trials that have a score.

    A log range is handed on in decades: the forest averages over a range as if it were uniform, by which the lower
    decades of a learning rate would not count.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    columns = {name: _column(scored[name], of) for name, of in dimensions.items()}
    distributions = {name: _distribution(columns[name], of) for name, of in dimensions.items()}
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
