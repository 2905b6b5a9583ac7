"""`benchmark/params.yaml`, read and checked as a whole."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bycase.core.errors import UserError
from bycase.core.params import Params, load_section
from bycase.core.params_data import Count, Section
from bycase.core.params_training import is_imported

BENCHMARK_PARAMS = Path("benchmark/params.yaml")

Factor = Annotated[float, Field(ge=1, le=1e6)]


class BudgetParams(Section):
    """What may be spent on tuning and training a network, the same for all."""

    epochs: Count
    trials: Annotated[int, Field(ge=1, le=1000)]
    learning_rate: Factor
    weight_decay: Factor


class ExtrasParams(Section):
    """Further stages that cells of the first repeat run."""

    uncertainty: bool
    robustness: bool


class ShiftParams(Section):
    """Networks that are also trained without one magnification, and which magnifications."""

    models: list[str]
    magnifications: list[Literal[40, 100, 200, 400]]


class CompareParams(Section):
    """How two networks are compared."""

    metric: Literal["auc", "accuracy", "balanced_accuracy", "average_precision"]
    level: Literal["image", "patient"]
    margin: Annotated[float, Field(gt=0, lt=0.5)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    resamples: Annotated[int, Field(ge=100, le=1_000_000)]


class BenchmarkParams(Section):
    """The whole of `benchmark/params.yaml`."""

    models: Annotated[list[str], Field(min_length=1)]
    fold: Annotated[list[int], Field(min_length=2, max_length=20)]
    repeat: Annotated[list[int], Field(min_length=1, max_length=100)]
    budget: BudgetParams
    extras: ExtrasParams
    shift: ShiftParams
    compare: CompareParams

    @model_validator(mode="after")
    def _consistent(self) -> "BenchmarkParams":
        for key in ("fold", "repeat"):
            numbers = getattr(self, key)
            if numbers != list(range(len(numbers))):
                raise ValueError(f"{key}: {numbers} must count 0, 1, 2 and so on: DVC needs each, and all are needed")
        for key, names in (("models", self.models), ("shift.models", self.shift.models)):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{key}: {min(twice)} stands twice")
        strangers = [name for name in self.shift.models if name not in self.models]
        if strangers:
            raise ValueError(f"shift.models: {strangers[0]} is not one of models, with which it is compared")
        return self

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(self.fold)

    @property
    def repeats(self) -> int:
        """Number of draws of all folds."""
        return len(self.repeat)


def load_benchmark_params(params: Params, path: Path = BENCHMARK_PARAMS) -> BenchmarkParams:
    """Read and check `benchmark/params.yaml`.

    Parameters
    ----------
    params : Params
        The project's, whose ``zoo`` has the networks.
    path : Path
        The file.

    Raises
    ------
    UserError
        If the file is missing or not YAML, a key or value is not valid, or a network is not in the zoo.
    """
    benchmark = load_section(BenchmarkParams, path)
    for name in benchmark.models:
        if name not in params.zoo:
            raise UserError(f"{path}: models: unknown network '{name}'; choose of: {', '.join(sorted(params.zoo))}")
    if any(map(is_imported, benchmark.models)) and benchmark.extras.robustness:
        raise UserError(
            f"{path}: extras.robustness: imported features cannot be damaged as images can; set it to false"
        )
    if params.split.validation + 1 / benchmark.folds >= 1:
        raise UserError(
            f"{path}: fold: one of {benchmark.folds} folds and split.validation {params.split.validation:g} of "
            "params.yaml leave nothing to train on"
        )
    return benchmark
