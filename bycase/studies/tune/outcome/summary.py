"""The content of `metrics/tuning.json`, and what it means in words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bycase.core.wording import decimals, plural, sample_words, value_with_interval
from bycase.statistics.metric_names import metric_words
from bycase.studies.tune.outcome.nested import TUNED, Nested, describe_difference, optimism_of, score_folds
from bycase.studies.tune.outcome.searches import Search
from bycase.studies.tune.place import DEFAULT, STATUSES


def summarise(final: Search, nested: Sequence[Search], outer: Nested | None) -> dict[str, Any]:
    """Numbers of a tuning, the same keys whatever the network and the algorithm.

    Returns
    -------
    dict
        ``inner``: the winner's score of the final search and of each outer fold's, and the default settings' own;
        ``trials`` and ``epochs`` over all searches. With a nested evaluation, of which `outer` are the scores, also
        ``outer`` and ``default_outer`` (score, interval, each fold), ``optimism`` and ``default_optimism`` (mean inner
        minus outer score), ``gain`` (tuned minus default settings). Those of the default settings are left out where
        these have failed.
    """
    searches = [final, *nested]
    summary: dict[str, Any] = {
        "inner": {search.outer: search.score for search in searches},
        "default_inner": {s.outer: s.default_score for s in searches if math.isfinite(s.default_score)},
        "trials": {
            "all": sum(len(search.trials) for search in searches),
            **{status: sum(int((s.trials["status"] == status).sum()) for s in searches) for status in STATUSES},
        },
        "epochs": {
            "asked": sum(search.about["epochs_asked"] for search in searches),
            "spent": sum(search.about["epochs_spent"] for search in searches),
        },
    }
    if outer is None:
        return summary
    inner = {TUNED: [s.inner for s in nested], DEFAULT: [s.default_inner for s in nested]}
    reached = {TUNED: [s.score for s in nested], DEFAULT: [s.default_score for s in nested]}
    for way, score in outer.scores.items():
        prefix, limits = "" if way == TUNED else f"{way}_", outer.limits[way]
        folds = {str(fold): value for fold, value in score_folds(outer, way).items()}
        summary[f"{prefix}outer"] = {"score": score, "ci": limits, "folds": folds}
        predicted = [table for table in inner[way] if table is not None]
        summary[f"{prefix}optimism"] = optimism_of(outer, way, predicted, reached[way])
    if DEFAULT in outer.scores:
        summary["gain"] = describe_difference(outer.difference(TUNED, DEFAULT))
    summary["n_images"], summary["n_patients"] = len(outer.paired.truth), outer.paired.n_patients
    return summary


def sentences(summary: Mapping[str, Any], final: Search) -> list[str]:
    """What came out in plain words, first of all whether tuning has helped; last the ``note`` of `summary`, if any."""
    note = [summary["note"]] if "note" in summary else []
    metric = monitor_words(final.about["monitor"])
    trials = summary["trials"]
    # Told apart, since a search in which many trials fail has in truth been a smaller one.
    failed = ", ".join(f"{trials[status]} {status}" for status in STATUSES[1:] if trials[status])
    spent = (
        f"{plural(trials['all'], 'trial')} in all searches{f' ({failed})' if failed else ''}, "
        f"{summary['epochs']['spent']} of {summary['epochs']['asked']} epochs"
    )
    if "outer" not in summary:
        return [
            f"no nested evaluation (outer.folds is 0): the inner {metric} of {decimals(final.score)} is too high by an "
            f"unknown amount, and whether tuning has helped cannot be said",
            spent,
            *note,
        ]
    reached = [
        f"{value_with_interval(summary[key]['score'], summary[key]['ci'], decimals)} {words}"
        for key, words in (("outer", "tuned"), ("default_outer", "by default"))
        if key in summary
    ]
    return [
        f"{_gain_words(summary.get('gain'))}; outer {metric} {', '.join(reached)}, "
        f"{sample_words(summary['n_images'], summary)}",
        f"optimism {signed(summary['optimism'])}: the searches' own {metric}, inner minus outer"
        f"{_doubt(summary['optimism'])}",
        spent,
        *note,
    ]


def _gain_words(gain: Mapping[str, Any] | None) -> str:
    if gain is None:
        return "the default settings have failed in an outer fold, so that there is nothing to compare with"
    numbers = f"gain over the default settings {signed(gain)}"
    if gain["ci"]["low"] > 0:
        return f"tuning has helped: {numbers}, the interval lies above 0"
    if gain["ci"]["high"] < 0:
        return f"tuning has made it worse: {numbers}, the interval lies below 0"
    return f"tuning is not shown to help: {numbers}, the interval includes 0: no gain shown"


def _doubt(optimism: Mapping[str, Any]) -> str:
    within = optimism["ci"]["low"] <= 0 <= optimism["ci"]["high"]
    return "; the interval includes 0: no optimism shown" if within else ""


def signed(difference: Mapping[str, Any]) -> str:
    """A difference with its 95 % interval."""
    return value_with_interval(difference["estimate"], difference["ci"], decimals, "95 % CI")


def monitor_words(monitor: str) -> str:
    """The name of the score that a search goes by, the higher the better."""
    return "log loss, negative" if monitor == "loss" else metric_words(monitor)
