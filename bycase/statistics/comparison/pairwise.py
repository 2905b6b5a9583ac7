"""The content of `metrics/benchmark/comparisons.json`: every pair of networks, tested and put into words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.statistics.comparison.correlations import measure_resolution
from bycase.statistics.comparison.differences import (
    Difference,
    Pair,
    confidence_interval,
    measure_differences,
    p_not_equivalent,
    p_two_sided,
    simultaneous_interval,
    standard_error,
)
from bycase.statistics.comparison.mcnemar import clustered_p, exact_by_patient, exact_ignoring_clusters
from bycase.statistics.comparison.paired import Paired, patient_level
from bycase.statistics.comparison.resampling import metrics_of, point_values, values_of_repeats
from bycase.statistics.comparison.verdict import POWER, holm, indistinguishable_groups, judge, patients_needed
from bycase.statistics.comparison.words import Finding, notes, resolution_note, sentence
from bycase.statistics.metric_names import lower_is_better
from bycase.statistics.units import Floats

ByPair = dict[Pair, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """What is compared, and how; see `compare_pairs`."""

    metric: str
    level: str
    margin: float
    alpha: float
    power: float
    resamples: int
    seed: int


def compare_pairs(
    paired: Paired,
    metric: str,
    level: str,
    margin: float,
    alpha: float,
    resamples: int,
    seed: int,
    clusters: str = "patients",
) -> dict[str, Any]:
    """Compare all pairs of networks on the same patients.

    The verdict is by `bycase.statistics.comparison.differences`, for the chosen metric and level; all other metrics and
    McNemar's tests stand beside it. The chance in training is in the differences where there are several repeats
    (`bycase.statistics.comparison.resampling`), and left out with a single one.

    Parameters
    ----------
    paired : Paired
        The networks, at image level.
    metric : str
        One of `bycase.statistics.comparison.resampling.metrics_of`.
    level : str
        ``image`` or ``patient``.
    margin : float
        The difference that matters.
    alpha : float
        Of each test over all pairs together, in (0, 0.5).
    resamples : int
        Of the bootstrap over patients, for metrics without a closed form.
    seed : int
        The pipeline's seed.
    clusters : str
        What the patients are called in sentences: images, where each is one, since patients are unknown.

    Returns
    -------
    dict
        ``settings``, ``models``, ``n_images``, ``n_patients``, ``repeats``; ``values`` by level, metric and network;
        ``spread_over_repeats`` of each network, empty with a single repeat; ``notes``; ``resolution``, see
        `bycase.statistics.comparison.correlations.measure_resolution`; ``pairs``, a list; ``groups``, see
        `bycase.statistics.comparison.verdict.indistinguishable_groups`. The difference is always that of the first
        network minus the second.

    Raises
    ------
    UserError
        If the metric or the level is unknown.
    """
    levels = {"image": paired, "patient": patient_level(paired)}
    for key, value, valid in (("metric", metric, metrics_of(paired)), ("level", level, tuple(levels))):
        if value not in valid:
            raise UserError(f"compare.{key}: unknown {key} '{value}'; choose of: {', '.join(valid)}")
    settings = Settings(metric, level, margin, alpha, POWER, resamples, seed)
    numbers = list(combinations(range(len(paired.models)), 2))
    values = {name: point_values(units) for name, units in levels.items()}
    trainings = {name: values_of_repeats(units) for name, units in levels.items()}
    differences = {
        name: measure_differences(
            units,
            metrics_of(paired),
            numbers,
            resamples,
            generator(seed, "compare", "bootstrap"),
            trainings[name],
        )
        for name, units in levels.items()
    }
    by_repeat = trainings[level].get(metric)
    resolution = measure_resolution(paired, alpha, POWER)
    summaries = _summaries(differences[level][metric], by_repeat, settings)
    beside = {
        "metrics": {name: _every_metric(of_level, numbers) for name, of_level in differences.items()},
        "mcnemar": _mcnemar(levels, numbers),
    }
    chosen = values[level][metric]
    pairs = [
        _describe(paired, pair, chosen, differences[level][metric][pair], summaries[pair], settings, clusters)
        | {test: {name: pairs[pair] for name, pairs in results.items()} for test, results in beside.items()}
        for pair in numbers
    ]
    return {
        "settings": asdict(settings),
        "models": list(paired.models),
        "n_images": len(set(paired.names)),
        "n_patients": paired.n_patients,
        "repeats": len(paired.repeats),
        "values": {
            name: {key: _by_model(paired, of_models) for key, of_models in of_level.items()}
            for name, of_level in values.items()
        },
        "spread_over_repeats": {} if by_repeat is None else _by_model(paired, by_repeat.std(axis=0, ddof=1)),
        "notes": [
            *notes(metric, len(paired.repeats), len(numbers), alpha, margin, clusters),
            *resolution_note(resolution, metric, clusters),
        ],
        "resolution": resolution,
        "pairs": pairs,
        "groups": _groups(pairs, _by_model(paired, chosen), metric),
    }


def _summary(difference: Difference) -> dict[str, Any]:
    return {
        "difference": difference.estimate,
        "ci": confidence_interval(difference),
        "se": standard_error(difference),
        "p": p_two_sided(difference),
    }


def _summaries(differences: Mapping[Pair, Difference], by_repeat: Floats | None, settings: Settings) -> ByPair:
    """Of the metric and level that decide: tests and interval over all pairs together, and the spread over repeats."""
    summaries = {
        pair: {**_summary(difference), "p_equivalence": p_not_equivalent(difference, settings.margin)}
        for pair, difference in differences.items()
    }
    adjusted = _adjusted(summaries, {"p": "p_holm", "p_equivalence": "p_equivalence_holm"})
    for (i, j), summary in adjusted.items():
        summary["ci_simultaneous"] = simultaneous_interval(
            differences[i, j], settings.alpha, len(differences), summary["p_holm"]
        )
        spread = None if by_repeat is None else float((by_repeat[:, i] - by_repeat[:, j]).std(ddof=1))
        summary["spread_over_repeats"] = spread
    return adjusted


def _describe(
    paired: Paired,
    pair: Pair,
    values: Floats,
    difference: Difference,
    summary: dict[str, Any],
    settings: Settings,
    clusters: str,
) -> dict[str, Any]:
    """Verdict and sentence, in front of the numbers that they rest on."""
    i, j = pair
    within_margin = summary["p_equivalence_holm"] < settings.alpha
    verdict = judge(
        summary["difference"],
        summary["p_holm"],
        summary["p_equivalence_holm"],
        settings.alpha,
        lower_is_better(settings.metric),
    )
    n_pairs = len(paired.models) * (len(paired.models) - 1) // 2
    fewest = difference.patients if difference.says_nothing else None
    of_patients = math.sqrt(max(summary["se"] ** 2 - difference.of_trainings, 0.0))  # rounding, where trainings are all
    needed = patients_needed(of_patients, paired.n_patients, settings.margin, settings.alpha, n_pairs, fewest)
    finding = Finding(
        models=(paired.models[i], paired.models[j]),
        metric=settings.metric,
        level=settings.level,
        values=(float(values[i]), float(values[j])),
        **summary["ci_simultaneous"],
        p=summary["p_holm"],
        p_equivalence=summary["p_equivalence_holm"],
        margin=settings.margin,
        verdict=verdict,
        within_margin=within_margin,
        needed=needed,
        n_patients=paired.n_patients,
        spread=summary["spread_over_repeats"],
        repeats=len(paired.repeats),
        confidence=("simultaneous " if n_pairs > 1 else "") + f"{1 - settings.alpha:.0%} CI".replace("%", " %"),
        clusters=clusters,
    )
    return {
        "first": paired.models[i],
        "second": paired.models[j],
        "verdict": verdict,
        "within_margin": within_margin,
        "sentence": sentence(finding),
        **summary,
        "patients_needed": needed,
    }


def _every_metric(differences: Mapping[str, Mapping[Pair, Difference]], pairs: Sequence[Pair]) -> ByPair:
    """All metrics of each pair, not adjusted."""
    return {pair: {metric: _summary(by_pair[pair]) for metric, by_pair in differences.items()} for pair in pairs}


def _mcnemar(levels: Mapping[str, Paired], pairs: Sequence[Pair]) -> dict[str, ByPair]:
    """Of images adjusted for clusters and, to compare, not; of patients exact."""
    images, patients = levels["image"], levels["patient"]
    of_images, of_patients = {}, {}
    for i, j in pairs:
        exact = exact_ignoring_clusters(images.right[i], images.right[j])
        of_images[i, j] = {
            "first_only": exact.first_only,
            "second_only": exact.second_only,
            "p_ignoring_clusters": exact.p,
            "p_clustered": clustered_p(images.right[i], images.right[j], images.patient),
        }
        of_patients[i, j] = asdict(exact_by_patient(patients.right[i], patients.right[j], patients.patient))
    return {
        "image": _adjusted(of_images, {"p_clustered": "p_clustered_holm"}),
        "patient": _adjusted(of_patients, {"p": "p_holm"}),
    }


def _adjusted(results: ByPair, names: Mapping[str, str]) -> ByPair:
    """Add Holm-adjusted p-values under the name that `names` gives to each raw one."""
    adjusted = {new: holm([result[raw] for result in results.values()]) for raw, new in names.items()}
    return {
        pair: {**result, **{new: p_values[number] for new, p_values in adjusted.items()}}
        for number, (pair, result) in enumerate(results.items())
    }


def _by_model(paired: Paired, values: Floats) -> dict[str, float]:
    return {model: float(value) for model, value in zip(paired.models, values, strict=True)}


def _groups(pairs: Sequence[Mapping[str, Any]], values: Mapping[str, float], metric: str) -> list[list[str]]:
    sign = 1 if lower_is_better(metric) else -1
    ranked = sorted(values, key=lambda model: (sign * values[model], model))
    different = {frozenset((pair["first"], pair["second"])) for pair in pairs if pair["verdict"] in ("better", "worse")}
    return indistinguishable_groups(ranked, different)
