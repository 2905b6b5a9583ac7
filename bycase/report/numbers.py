"""Numbers as the report writes them: metrics with 95 % intervals, counts, seconds, bytes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Numbers = Mapping[str, Any]

NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "precision": "precision",
    "f1": "F1",
    "macro_f1": "macro F1",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "log_loss": "log loss",
    "recognition_rate": "mean share right a patient",
    "ece": "ECE",
    "slope": "calibration slope",
    "entropy": "mean entropy",
}
DASH = "\N{EN DASH}"


def share(value: float) -> str:
    """A share or score with three decimals."""
    return f"{value:.3f}"


def percent(value: float) -> str:
    """A share as percent, such as ``90 %``."""
    return f"{100 * value:.3g} %"


def interval(limits: Numbers) -> str:
    """Such as ``0.784 to 0.936``."""
    return f"{limits['low']:.3f} to {limits['high']:.3f}"


def with_interval(at: Numbers, metric: str) -> str:
    """Such as ``0.871 (0.784 to 0.936)``; without the interval where there is none, a dash without the metric."""
    if at.get(metric) is None:
        return DASH
    limits = at.get("ci", {}).get(metric)
    return f"{share(at[metric])} ({interval(limits)})" if limits else share(at[metric])


def said(at: Numbers, metric: str) -> str:
    """Such as ``AUC 0.871 (95 % interval 0.784 to 0.936)``."""
    limits = at.get("ci", {}).get(metric)
    words = f"{NAMES.get(metric, metric)} {share(at[metric])}"
    return f"{words} (95 % interval {interval(limits)})" if limits else words


def count(value: float) -> str:
    """A whole number in groups of three digits."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """A duration, such as ``2 min 28 s``."""
    if value < 120:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def p_value(value: float | None) -> str:
    """Such as ``0.021`` or ``< 0.001``; a dash where it is not defined."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else share(value)


def metric_rows(levels: Sequence[Numbers], metrics: Iterable[str]) -> list[tuple[str, ...]]:
    """One row a metric that some level has: its name, then its value at each level.

    Parameters
    ----------
    levels : sequence of mapping
        Each with metrics by name, and their intervals under ``ci``.
    metrics : iterable of str
        Rows, in order.
    """
    return [
        (NAMES.get(metric, metric), *(with_interval(level, metric) for level in levels))
        for metric in metrics
        if any(level.get(metric) is not None for level in levels)
    ]
