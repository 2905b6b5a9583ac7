"""Whether another program gives a network's own outputs: differences, and how large they may be."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_DIFFERENCE = 1e-4  # of probabilities; rounding in float32 stays a hundredfold below
LARGEST_FEATURE_DIFFERENCE = 1e-3  # relative to the largest feature


def largest_difference(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest absolute difference between two arrays of one shape."""
    return float(np.abs(reference - other).max())


def relative_difference(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest difference between two arrays of one shape, relative to the largest absolute value of `reference`."""
    return largest_difference(reference, other) / max(float(np.abs(reference).max()), 1e-12)


def describe_breach(checks: Iterable[tuple[str, float, float]]) -> str | None:
    """Say in one line what exceeds its limit, or is not a number; None where nothing does.

    `checks` are names, values and the largest values allowed; all are told, those that are kept as well.
    """
    checks = list(checks)
    # Written so that NaN fails too.
    if all(value <= limit for _, value, limit in checks):
        return None
    return ", ".join(f"{name} {value:.3g} (limit {limit:g})" for name, value, limit in checks)
