"""`tuning/params.yaml`, read and checked as a whole."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bycase.core.errors import UserError
from bycase.core.params import Params, read_yaml, validate
from bycase.core.params_data import Count, Section, Share
from bycase.core.params_training import ALL, DropoutLayer

TUNING_PARAMS = Path("tuning/params.yaml")

Widths = list[Count]
Range = tuple[float, float]


@dataclass(frozen=True)
class Hyperparameter:
    """What holds of a hyper-parameter wherever it is searched.

    Attributes
    ----------
    words : str
        Its name in figures.
    low, high : float
        The smallest and the largest valid value; of ``head``, which has lists of widths, without meaning.
    whole, only_choice : bool
        Whether its values are whole numbers, and can be given as ``choice`` alone.
    architecture : bool
        Whether weights do not fit another value, so that it stays as it is in a population.
    """

    words: str
    low: float = 0
    high: float = 0
    whole: bool = False
    only_choice: bool = False
    architecture: bool = False


HYPERPARAMETERS = {
    "learning_rate": Hyperparameter("learning rate", 1e-12, 10),
    "weight_decay": Hyperparameter("weight decay", 0, 10),
    "batch_size": Hyperparameter("batch size", 1, 1e6, whole=True),
    "dropout": Hyperparameter("dropout", 0, 0.99),
    "augmentation": Hyperparameter("augmentation", 0, 10),
    "unfreeze": Hyperparameter("layers unfrozen", 0, 1e6, whole=True, only_choice=True, architecture=True),
    "head": Hyperparameter("hidden layers", only_choice=True, architecture=True),
}
ARCHITECTURE = [key for key, hyperparameter in HYPERPARAMETERS.items() if hyperparameter.architecture]


class Dimension(Section):
    """The values that one hyper-parameter may take."""

    log: Range | None = None
    uniform: Range | None = None
    choice: Annotated[list[int | float | Widths], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Dimension":
        if sum(kind is not None for kind in (self.log, self.uniform, self.choice)) != 1:
            raise ValueError("give one of log: [low, high], uniform: [low, high] and choice: [...]")
        ends = self.log or self.uniform
        if ends and not ends[0] < ends[1]:
            raise ValueError(f"{ends[0]:g} to {ends[1]:g} is no range")
        if self.log and self.log[0] <= 0:
            raise ValueError(f"a log range begins above 0 (it begins at {self.log[0]:g})")
        if self.choice and any(self.choice.count(value) > 1 for value in self.choice):
            raise ValueError("choice names one value twice")
        return self

    def values(self) -> list[int | float | Widths]:
        """The choices, or both ends of the range."""
        return list(self.choice or self.log or self.uniform or ())


class Space(Section):
    """What is searched, of `HYPERPARAMETERS`; a key that is left out keeps the value of `params.yaml`."""

    learning_rate: Dimension | None = None
    weight_decay: Dimension | None = None
    batch_size: Dimension | None = None
    dropout: Dimension | None = None
    augmentation: Dimension | None = None
    unfreeze: Dimension | None = None
    head: Dimension | None = None

    @model_validator(mode="after")
    def _valid_values(self) -> "Space":
        if not self.searched:
            raise ValueError(f"there is nothing to search; give one of {', '.join(HYPERPARAMETERS)}")
        for key, dimension in self.searched.items():
            _check_dimension(key, dimension)
        return self

    @property
    def searched(self) -> dict[str, Dimension]:
        """The dimensions that are given, in the order of `HYPERPARAMETERS`."""
        return {key: getattr(self, key) for key in HYPERPARAMETERS if getattr(self, key) is not None}


def _check_dimension(key: str, dimension: Dimension) -> None:
    if key == "head":
        if dimension.choice is None or not all(isinstance(value, list) for value in dimension.choice):
            raise ValueError("head: give lists of hidden widths, such as choice: [[], [128]]")
        return
    limits = HYPERPARAMETERS[key]
    if limits.only_choice and dimension.choice is None:
        raise ValueError(f"{key}: give whole numbers as choice: [...]")
    for value in dimension.values():
        if isinstance(value, list):
            raise ValueError(f"{key}: {value} is a list; of numbers only head has lists")
        if not limits.low <= value <= limits.high:
            raise ValueError(f"{key}: {value:g} is not within {limits.low:g} and {limits.high:g}")
        if limits.whole and value != int(value):
            raise ValueError(f"{key}: {value:g} is no whole number")


class BudgetParams(Section):
    """What one search may spend: trials times epochs, whatever the algorithm."""

    trials: Annotated[int, Field(ge=1, le=100_000)]
    epochs: Count
    minutes: Annotated[float, Field(gt=0)] | None


class InnerParams(Section):
    """How many folds the trials are scored on."""

    folds: Annotated[int, Field(ge=2, le=20)]


class OuterParams(Section):
    """How many folds the winners are scored on; 0 leaves nested evaluation out."""

    folds: Annotated[int, Field(ge=0, le=20)]

    @model_validator(mode="after")
    def _not_one(self) -> "OuterParams":
        if self.folds == 1:
            raise ValueError("folds: 0 (no nested evaluation) or at least 2")
        return self


class PopulationParams(Section):
    """Population-based training."""

    members: Annotated[int, Field(ge=2, le=1000)]
    interval: Count
    quantile: Annotated[float, Field(gt=0, le=0.5)]
    resample_probability: Share
    bayesian_share: Annotated[float, Field(gt=0, lt=1)]


class RayParams(Section):
    """Where it runs."""

    address: str | None
    storage: str | None


class TuningParams(Section):
    """The whole of `tuning/params.yaml`."""

    algorithm: Literal["random", "bayesian", "pbt", "bayesian+pbt"]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    budget: BudgetParams
    early_stopping: Literal["none", "asha"]
    inner: InnerParams
    outer: OuterParams
    search: list[str | int]
    population: PopulationParams
    workers: Annotated[int, Field(ge=1, le=1000)]
    ray: RayParams
    space: Space

    @model_validator(mode="after")
    def _one_search_a_fold(self) -> "TuningParams":
        if [str(name) for name in self.search] != self.outers:
            raise ValueError(f"search: with outer.folds: {self.outer.folds} it must be [{', '.join(self.outers)}]")
        return self

    @property
    def outers(self) -> list[str]:
        """The searches: 'final', then one an outer fold."""
        return ["final", *map(str, range(self.outer.folds))]


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
    """The runs of a search, in order, within one budget of budget.trials x budget.epochs epochs.

    A population of so many members shares what it may spend: each gets an equal, whole number of epochs.
    """
    budget, population = tuning.budget, tuning.population
    if tuning.algorithm == "random" or tuning.algorithm == "bayesian":
        return [Run(tuning.algorithm, 0, budget.trials, budget.epochs)]
    first, spent = Run("default", 0, 1, budget.epochs), 0
    if tuning.algorithm == "bayesian+pbt":
        first = Run("bayesian", 0, round(population.bayesian_share * budget.trials), budget.epochs)
        spent = first.trials * budget.epochs
    each = (budget.trials * budget.epochs - spent) // population.members
    return [first, Run("pbt", first.trials, population.members, each)]


def load_tuning_params(params: Params, path: Path = TUNING_PARAMS) -> TuningParams:
    """Read and check `tuning/params.yaml` against the project's `params`, whose chosen network is tuned.

    Raises
    ------
    UserError
        If the file is missing or not YAML, a key or value is not valid, or it does not fit the network.
    """
    return check_tuning_params(params, read_yaml(path, TuningParams), str(path))


def check_tuning_params(params: Params, content: dict[str, Any], source: str) -> TuningParams:
    """Check the content of a `tuning/params.yaml` that comes from `source`; see `load_tuning_params`."""
    tuning = validate(TuningParams, content, source)
    for mistake in (*_network_mistakes(params, tuning), *budget_mistakes(params, tuning)):
        raise UserError(f"{source}: {mistake}")
    return tuning


def _network_mistakes(params: Params, tuning: TuningParams) -> Iterator[str]:
    """What of the space does not fit the chosen network."""
    network, space = params.network, tuning.space
    if network.fitted_head:
        yield (
            f"zoo.{params.model}.head of params.yaml: {network.fitted_head} chooses its own settings on validation and "
            "has none to search; give a list of layers, or tune another network"
        )
    if network.mode == "end_to_end" and space.unfreeze:
        yield f"space.unfreeze: {params.model} is trained end to end, every layer from the start; leave it out"
    if network.mode == "frozen" and space.augmentation and not space.augmentation.choice:
        yield "space.augmentation: views of a frozen network are embedded beforehand; give strengths as choice: [...]"
    if network.optimizer == "adam" and space.weight_decay:
        yield f"space.weight_decay: adam has none; set zoo.{params.model}.optimizer to adamw or leave it out"
    if space.dropout and not space.head and not any(isinstance(layer, DropoutLayer) for layer in network.head_layers):
        yield f"space.dropout: zoo.{params.model}.head has no dropout layer; search head too, or leave it out"
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        yield f"tuning needs TensorFlow, and KERAS_BACKEND is {os.environ['KERAS_BACKEND']}; unset it"
    if params.train.strategy != "single":
        yield "a trial is trained on one device; set train.strategy of params.yaml to single"


def budget_mistakes(params: Params, tuning: TuningParams) -> Iterator[str]:
    """What does not fit the budget; also after `algorithm` has been changed."""
    budget, population, top = tuning.budget, tuning.population, params.network.unfreeze
    depths = [top.layers, *(tuning.space.unfreeze.values() if tuning.space.unfreeze else [])]
    if tuning.space.unfreeze and top.layers == ALL:
        yield (
            f"space.unfreeze: zoo.{params.model}.unfreeze.layers is {ALL}; give it a number, since depths are searched "
            "by number"
        )
    deep = [math.inf if depth == ALL else int(depth) for depth in depths if depth and not isinstance(depth, list)]
    if deep and top.epochs >= budget.epochs:
        yield (
            f"budget.epochs: the last {top.epochs} of {budget.epochs} epochs are those of fine-tuning "
            f"(zoo.{params.model}.unfreeze.epochs), which leaves none for the head"
        )
    if deep and min(deep) < top.steps:
        yield f"space.unfreeze: {min(deep)} layers are fewer than the {top.steps} steps of zoo.{params.model}.unfreeze"
    if "pbt" not in tuning.algorithm:
        return
    if tuning.early_stopping == "asha":
        yield f"early_stopping: a population stops nobody early; set it to none with algorithm {tuning.algorithm}"
    if not set(tuning.space.searched) - set(ARCHITECTURE):
        yield f"space: {' and '.join(ARCHITECTURE)} stay as they are in a population; give something else too"
    first, members = plan_runs(tuning)
    if first.algorithm == "bayesian" and first.trials < population.members:
        yield (
            f"population.bayesian_share: {first.trials} Bayesian trials cannot begin {population.members} members; "
            "raise it, or budget.trials"
        )
    if members.epochs < 2 * population.interval:
        yield (
            f"population.interval: {members.epochs} epochs a member leave no exploit every {population.interval}; "
            "lower it or population.members, or raise budget"
        )
