"""What a search runs: which algorithm, how many trials of how many epochs, all within one budget of epochs."""

from dataclasses import dataclass
from typing import Literal

from bycase.studies.tune.params import TuningParams

Algorithm = Literal["default", "random", "bayesian", "pbt"]


@dataclass(frozen=True)
class Run:
    """One run of Ray Tune.

    Attributes
    ----------
    algorithm : str
        'default' trains the settings of `params.yaml` alone, beside a population and outside its budget.
    first, trials : int
        The number of its first trial, and of how many; of a population, members.
    epochs : int
        Of each trial.
    """

    algorithm: Algorithm
    first: int
    trials: int
    epochs: int

    @property
    def numbers(self) -> range:
        """Its trials."""
        return range(self.first, self.first + self.trials)


def plan_runs(tuning: TuningParams) -> list[Run]:
    """The runs of a search, in order; budget.trials x budget.epochs epochs in all.

    A population of so many members shares what it may spend: each gets an equal, whole number of epochs.
    """
    budget, population = tuning.budget, tuning.population
    if tuning.algorithm == "random":
        return [Run("random", 0, budget.trials, budget.epochs)]
    if tuning.algorithm == "bayesian":
        return [Run("bayesian", 0, budget.trials, budget.epochs)]
    if tuning.algorithm == "pbt":
        first = Run("default", 0, 1, budget.epochs)
        spent = 0
    else:
        first = Run("bayesian", 0, round(population.bayesian_share * budget.trials), budget.epochs)
        spent = first.trials * budget.epochs
    each = (budget.trials * budget.epochs - spent) // population.members
    return [first, Run("pbt", first.trials, population.members, each)]
