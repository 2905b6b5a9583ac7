"""Comparisons in words, one sentence or two a pair, the same whichever network stands first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bycase.core.wording import decimals, p_equals, plain_share, plural, tenths, value_with_interval
from bycase.statistics.comparison.verdict import POWER, REVERSED, Verdict
from bycase.statistics.metric_names import lower_is_better, metric_words


@dataclass(frozen=True)
class Finding:
    """The results of comparing a pair of networks.

    Attributes
    ----------
    models : tuple of two str
        The first and the second.
    metric, level : str
        What is compared: a key of `bycase.statistics.metric_names.METRICS`; ``image`` or ``patient``.
    values : tuple of two float
        Of each network.
    low, high : float
        Interval of the first minus the second, over all pairs together.
    p, p_equivalence : float
        Holm-adjusted p-values of no difference, and of one of the margin or more.
    margin : float
        The difference that matters.
    verdict : str
        On the first network.
    within_margin : bool
        Whether the difference is shown to be smaller than the margin.
    needed : mapping
        See `bycase.statistics.comparison.verdict.patients_needed`.
    n_patients : int
        Patients at hand.
    spread : float or None
        Standard deviation of the difference over repeats; None with a single one.
    repeats : int
        Their number.
    confidence : str
        What the interval is.
    clusters : str
        What is counted: patients, or images where patients are unknown.
    """

    models: tuple[str, str]
    metric: str
    level: str
    values: tuple[float, float]
    low: float
    high: float
    p: float
    p_equivalence: float
    margin: float
    verdict: Verdict
    within_margin: bool
    needed: Mapping[str, int]
    n_patients: int
    spread: float | None
    repeats: int
    confidence: str = "95 % CI"
    clusters: str = "patients"


def sentence(finding: Finding) -> str:
    """State which network is better by how much, or what cannot be concluded."""
    finding = _better_first(finding)
    (one, other), margin = finding.models, plain_share(finding.margin)
    if finding.verdict == "better":
        small = f", but by less than the margin of {margin}" if finding.within_margin else ""
        text = f"{one} is better than {other}{small}: {_numbers(finding)}, Holm-adjusted {p_equals(finding.p)}."
    elif finding.verdict == "equivalent":
        text = (
            f"{one} and {other} are equivalent within {margin}: {_numbers(finding)}, two one-sided tests with "
            f"Holm-adjusted {p_equals(finding.p_equivalence)}."
        )
    else:
        text = (
            f"{one} and {other} cannot be told apart with {finding.n_patients} {finding.clusters}: "
            f"{_numbers(finding)}, Holm-adjusted {p_equals(finding.p)}. {_outlook(finding)}"
        )
    if finding.spread is None:
        return text
    return (
        f"{text} Over {finding.repeats} repeats of folds and training the difference has a standard deviation of "
        f"{decimals(finding.spread)}."
    )


def notes(metric: str, repeats: int, pairs: int, alpha: float, margin: float, clusters: str = "patients") -> list[str]:
    """Notes on all pairs, and on what the numbers leave out."""
    trained = (
        "Each network was trained once per fold; the variation between trainings is in none of the numbers."
        if repeats == 1
        else f"Intervals and p-values are of the mean over {repeats} repeats; the variance between trainings, from "
        "how the repeats of all networks differ, is part of them."
    )
    whole = "patients with all their images" if clusters == "patients" else f"{clusters} as if independent"
    delong = ": DeLong's, clustered" if metric == "auc" else ""
    together = "" if pairs == 1 else " The interval of a difference holds for all pairs together."
    return [
        f"Intervals and p-values are of t tests over {whole}, the same for all networks{delong}.{together}",
        trained,
        f"P-values are adjusted by Holm's procedure, each test over its {plural(pairs, 'pair')}, at alpha {alpha:g}.",
        f"Equivalent: two one-sided tests show a difference smaller than {plain_share(margin)} in either direction; "
        "their p-values are adjusted likewise.",
        f"Numbers of {clusters} needed assume a power of {POWER:.0%} after the strictest adjustment and the observed "
        f"standard error{'' if repeats == 1 else ', but for the part of trainings'}.",
    ]


def resolution_note(resolution: Mapping[str, Any], metric: str, clusters: str = "patients") -> list[str]:
    """What difference in `metric` these `clusters` resolve, where it is known; see `measure_resolution`."""
    scenarios = resolution["scenarios"].get(metric)
    if not scenarios:
        return []
    points = sorted({tenths(scenario["points"]) for scenario in scenarios.values()}, key=float)
    span = " to ".join(dict.fromkeys((points[0], points[-1])))
    pairs = ", depending on the pair" if len(points) > 1 else ""
    return [
        f"These {clusters} resolve {span} points of {metric_words(metric)} at image level{pairs}: so large a true "
        f"difference would be found with a power of {resolution['power']:.0%} by a single test."
    ]


def _better_first(finding: Finding) -> Finding:
    """The pair with the better value first, of equal ones the first by name."""
    sign = 1 if lower_is_better(finding.metric) else -1
    (one, other), (value, rival) = finding.models, finding.values
    if (sign * value, one) <= (sign * rival, other):
        return finding
    return replace(
        finding,
        models=(other, one),
        values=(rival, value),
        low=-finding.high,
        high=-finding.low,
        verdict=REVERSED.get(finding.verdict, finding.verdict),
    )


def _numbers(finding: Finding) -> str:
    one, other = finding.values
    limits = {"low": finding.low, "high": finding.high}
    return (
        f"{finding.level} {metric_words(finding.metric)} {decimals(one)} against {decimals(other)}, difference "
        f"{value_with_interval(one - other, limits, decimals, finding.confidence)}"
    )


def _outlook(finding: Finding) -> str:
    """The number of patients that would settle the comparison."""
    margin, n = plain_share(finding.margin), finding.n_patients
    difference, equivalence = finding.needed["difference"], finding.needed["equivalence"]
    if difference > n:
        return (
            f"Detecting a true difference of {margin} would take about {difference:,} {finding.clusters}, showing "
            f"equivalence about {equivalence:,}."
        )
    detected = f"A true difference of {margin} would be detected with a power of {POWER:.0%} or more"
    if equivalence > n:
        return f"{detected}; showing equivalence would take about {equivalence:,} {finding.clusters}."
    return f"{detected}, but the observed difference is too close to it to show equivalence."
