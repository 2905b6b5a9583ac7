"""What the public functions return: frozen, one sentence as text, a dictionary of plain values for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from bycase.core.wording import Write, decimals, value_with_interval


class Result:
    """A result; `str` gives its sentence."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def to_dict(self) -> dict[str, Any]:
        """All that it holds, as dictionaries, lists, texts and plain numbers."""
        content: dict[str, Any] = as_plain(self)
        return content


@dataclass(frozen=True, repr=False)
class Estimate(Result):
    """A number and the ends of its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        In the unit of what is estimated.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.written(decimals)

    def written(self, write: Write) -> str:
        """In words, each number by `write`."""
        return value_with_interval(self.value, {"low": self.low, "high": self.high}, write, "95 % CI")


def as_plain(content: Any) -> Any:
    """Results, mappings and sequences of such as dictionaries and lists; NumPy's numbers as Python's."""
    if is_dataclass(content) and not isinstance(content, type):
        return {field.name: as_plain(getattr(content, field.name)) for field in fields(content)}
    if isinstance(content, Mapping):
        return {str(key): as_plain(value) for key, value in content.items()}
    if isinstance(content, tuple | list):
        return [as_plain(value) for value in content]
    return content.item() if isinstance(content, np.generic) else content


def estimates(level: Mapping[str, Any]) -> dict[str, Estimate]:
    """The numbers of a level of ``metrics.json`` that have an interval in its ``ci``."""
    limits = {name: ends for name, ends in level["ci"].items() if isinstance(ends, Mapping) and "low" in ends}
    return {name: Estimate(level[name], ends["low"], ends["high"]) for name, ends in limits.items()}
