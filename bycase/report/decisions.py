"""Tables of what decisions are worth, and of whether subgroups differ."""

from collections.abc import Mapping, Sequence

from bycase.core.wording import DASH, Numbers, metric_with_interval, p_value, percent, share
from bycase.report.blocks import Table
from bycase.report.sections import LEVELS, intervals_words
from bycase.statistics.metric_names import metric_words, short_metric_words

PREDICTIVE = ("ppv", "npv")
COMPARED = ("auc", "accuracy", "sensitivity", "specificity")


def decision_tables(decisions: Numbers, clusters: str = "patients") -> list[Table]:
    """Predictive values where a prevalence is stated, and net benefit by the probability from which one acts.

    Parameters
    ----------
    decisions : mapping
        See `bycase.statistics.decisions.describe_decisions`; empty without a positive class.
    clusters : str
        What was resampled.
    """
    intervals = intervals_words(clusters)
    tables = []
    if predictive := decisions.get("predictive_values"):
        rows = [
            (LEVELS[level], *(metric_with_interval(numbers, name) for name in PREDICTIVE))
            for level, numbers in predictive.items()
        ]
        caption = f"Predictive values at a prevalence of {percent(decisions['prevalence'])}. {intervals}"
        tables.append(Table(caption, ("", *map(metric_words, PREDICTIVE)), rows))
    if benefits := decisions.get("net_benefit"):
        rows = [
            (
                f"{int(name.rsplit('_', 1)[1])} %",
                metric_with_interval(numbers, "net_benefit"),
                share(numbers["treat_all"]),
                metric_with_interval(numbers, "gain"),
            )
            for name, numbers in benefits.items()
        ]
        where = f"of {percent(decisions['prevalence'])}" if "prevalence" in decisions else "of the test part"
        caption = (
            "Net benefit by the probability from which one acts (Vickers and Elkin, 2006), in true positives a unit, "
            f"at the prevalence {where}; acting on none has 0. Gain: over the better of acting on all and on none. "
            f"{intervals}"
        )
        tables.append(Table(caption, ("acting from", "classifier", "acting on all", "gain"), rows))
    return tables


def interaction_tables(
    interactions: Mapping[str, Mapping[str, Mapping[str, Numbers]]], levels: Sequence[str] = ("image", "patient")
) -> list[Table]:
    """Whether each property's subgroups differ; see `bycase.statistics.interactions.assess_interactions`."""
    tables = []
    for level in (level for level in levels if level in interactions):
        columns = interactions[level]
        metrics = [metric for metric in COMPARED if any(metric in tests for tests in columns.values())]
        rows = [
            (
                column,
                *(
                    f"{p_value(tests[metric]['p_holm'])} ({p_value(tests[metric]['p'])})" if metric in tests else DASH
                    for metric in metrics
                ),
            )
            for column, tests in columns.items()
        ]
        caption = (
            f"Whether subgroups differ, {LEVELS[level]}: p-values of interaction tests, Holm-adjusted over the "
            "properties, in brackets as they are. Subgroups of fewer than 3 patients are left out. Dash: not tested."
        )
        if rows:
            tables.append(Table(caption, ("property", *map(short_metric_words, metrics)), rows))
    return tables
