"""Hyper-parameters' values as figures and studies take them: decades of a log range, words of a choice."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bycase.statistics.units import Floats
from bycase.studies.tune.params import Dimension
from bycase.studies.tune.space import head_words

Dimensions = Mapping[str, Dimension]  # what is searched; see `bycase.studies.tune.params.Space.searched`

WORDS = {
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "batch_size": "batch size",
    "unfreeze": "layers unfrozen",
    "head": "hidden layers",
}


def hyperparameter_words(name: str) -> str:
    """A hyper-parameter's name in a figure."""
    return WORDS.get(name, name)


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
