"""Nested evaluation: how good the winners are on outer folds that their searches have not seen.

The best of many trials has the highest inner score partly by luck, so that this score is too high; what it exceeds
the outer score by is its optimism (Cawley and Talbot, 2010, "On Over-fitting in Model Selection and Subsequent
Selection Bias in Performance Evaluation", JMLR 11).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.statistics.bootstrap import on_all_patients
from bycase.statistics.comparison.differences import (
    Difference,
    Pair,
    confidence_interval,
    influence_difference,
    measure_differences,
    p_two_sided,
)
from bycase.statistics.comparison.paired import Paired, paired_benchmark
from bycase.statistics.comparison.resampling import assess_network
from bycase.statistics.influence import Influence, average, measure_influence
from bycase.statistics.intervals import range_width
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import Integers, Units, number_classes, number_patients, predict_classes
from bycase.studies.tune.outcome.searches import PIPELINE, Search
from bycase.studies.tune.place import DEFAULT, SEARCHES
from bycase.tables.predictions import check_predictions

TUNED = "tuned"
HALF = 0.5  # of two classes the more probable is predicted, as for the inner score


@dataclass(frozen=True)
class Nested:
    """Outer scores of several ways to choose settings, on the same images.

    Attributes
    ----------
    paired : Paired
        Their predictions of the outer folds; its ``models`` are the ways.
    metric : str
        A metric of `bycase.statistics.metrics.weighted_metrics`.
    sign : int
        -1 where the score is the metric's negative, which is a loss; else 1.
    scores : dict of str to float
        Of each way; higher is better.
    limits : dict of str to dict
        ``low`` and ``high``, 95 %, of each way.
    differences : dict of tuple of two int to Difference
        The metric of each way, by number, minus that of each other.
    """

    paired: Paired
    metric: str
    sign: int
    scores: dict[str, float]
    limits: dict[str, dict[str, float]]
    differences: Mapping[Pair, Difference]

    def difference(self, one: str, other: str) -> Difference:
        """The score of one way minus that of another."""
        i, j = (self.paired.models.index(way) for way in (one, other)[:: self.sign])
        return self.differences[i, j]


def outer_rows(
    way: str, repeat: int, predictions: Mapping[int, pd.DataFrame], patients: Mapping[str, str]
) -> pd.DataFrame:
    """Predictions of all outer folds in the benchmark's layout; see `bycase.tables.out_of_fold`.

    `way` is their ``model``; ``repeat`` counts from 0, such as of several seeds; `predictions` are by outer fold, and
    `patients` by image, see `name_patients`.
    """
    rows = pd.concat([table.assign(fold=fold) for fold, table in predictions.items()], ignore_index=True)
    return rows.drop(columns=["group", "case"], errors="ignore").assign(
        model=way, repeat=repeat, patient=rows["image"].map(patients), threshold=HALF, patient_threshold=HALF
    )


def name_patients(
    predictions: Mapping[int, pd.DataFrame], manifest: pd.DataFrame, classes: Sequence[str], name: Path = SEARCHES
) -> dict[str, str]:
    """The patient of each image of the outer folds, by image; see `bycase.statistics.units.number_patients`.

    `predictions` are by outer fold; images of the manifest that are of none are dropped, so that the test part has no
    influence. `name` says where the predictions are from, in errors.

    Raises
    ------
    UserError
        If an image is in two folds or not in the manifest, or a patient is in two folds.
    """
    everything = pd.concat([table.assign(fold=fold) for fold, table in predictions.items()], ignore_index=True)
    check_predictions(everything, classes, name, f"run 'dvc repro -f {PIPELINE}'")
    pool = manifest.loc[manifest["image"].isin(everything["image"]), ["image", "group"]]
    number = number_patients(everything, pool, name)
    folds = everything["fold"].groupby(number).nunique()
    if (folds > 1).any():
        image = everything["image"][number == folds.index[folds > 1][0]].iloc[0]
        raise UserError(f"{name}: the patient of image {image} is in two outer folds; run 'dvc repro -f {PIPELINE}'")
    # Named by an image of its own, whatever the order of the folds.
    return dict(zip(everything["image"], everything.groupby(number)["image"].transform("min"), strict=True))


def rows_of_searches(nested: Sequence[Search], manifest: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the outer folds in the benchmark's layout, by the tuned and by the default settings.

    The latter are left out if they failed in any of the folds.
    """
    tuned = {int(search.outer): search.predictions for search in nested if search.predictions is not None}
    default = {int(search.outer): search.default for search in nested if search.default is not None}
    patients = name_patients(tuned, manifest, nested[0].about["classes"])
    tables = [outer_rows(TUNED, 0, tuned, patients)]
    if len(default) == len(tuned):
        tables.append(outer_rows(DEFAULT, 0, default, patients))
    return pd.concat(tables, ignore_index=True)


def score_ways(
    rows: pd.DataFrame, about: Mapping[str, Any], resamples: int, seed: int, name: Path = SEARCHES
) -> Nested:
    """Score several ways on the outer folds, by the metric that the searches went by.

    Parameters
    ----------
    rows : DataFrame
        See `outer_rows`.
    about : mapping with the keys ``classes``, ``positive``, ``monitor``
        Of any search.
    resamples, seed : int
        Of the bootstrap over patients.
    name : Path
        Where the predictions are from, named in errors.

    Raises
    ------
    UserError
        If not all ways have predicted the same images, or no fold has two classes.
    """
    paired = paired_benchmark(rows, about["classes"], about["positive"], name)
    metric, sign = metric_of(about["monitor"], len(about["classes"]))
    scores, limits = {}, {}
    for number, way in enumerate(paired.models):
        assessed = assess_network(paired, number, resamples, seed)
        low, high = sorted(sign * end for end in assessed["ci"][metric].values())
        scores[way], limits[way] = sign * float(assessed[metric]), {"low": low, "high": high}
    pairs = list(permutations(range(len(paired.models)), 2))
    differences = measure_differences(paired, [metric], pairs, resamples, generator(seed, "tune", "bootstrap"))
    return Nested(paired, metric, sign, scores, limits, differences[metric])


def score_folds(nested: Nested, way: str) -> dict[int, float]:
    """The score of each outer fold by its number; a fold in which it is not defined, as of one class, is left out."""
    return _score_parts(nested, way, nested.paired.fold)


def score_repeats(nested: Nested, way: str) -> dict[int, float]:
    """The score of each repeat, such as a seed, by its number."""
    return _score_parts(nested, way, nested.paired.repeat)


def _score_parts(nested: Nested, way: str, part: Integers) -> dict[int, float]:
    everything, scores = nested.paired.units(nested.paired.models.index(way)), {}
    for number in np.unique(part):
        units = everything.select(part == number)
        values = on_all_patients(units, partial(weighted_metrics, units))
        score = nested.sign * float(values[nested.metric])
        if np.isfinite(score):
            scores[int(number)] = score
    return scores


def metric_of(monitor: str, n_classes: int) -> tuple[str, int]:
    """The metric that a monitor is, and the sign with which it is a score; see `bycase.training.scores`."""
    if monitor == "loss":
        return "log_loss", -1
    return "macro_f1" if monitor == "f1" and n_classes > 2 else monitor, 1


def optimism_of(nested: Nested, way: str, inner: Sequence[pd.DataFrame], scores: Sequence[float]) -> dict[str, Any]:
    """By how much the inner scores of a way are too high, paired by patient.

    An easy patient raises the inner scores as well as the outer one, and so is no evidence of optimism: what each
    patient adds to the error of the outer score is subtracted from what the patient adds to that of the inner ones.

    Parameters
    ----------
    nested : Nested
        The outer scores.
    way : str
        One of its ways.
    inner : sequence of DataFrame
        Of each search, the predictions of its inner folds; see `bycase.studies.tune.outcome.searches.Search`.
    scores : sequence of float
        Of each search, the inner score.

    Returns
    -------
    dict
        ``estimate``, the mean inner score less the outer one, and its 95 % interval ``ci``.
    """
    paired = nested.paired
    outer = measure_influence(nested.metric, paired.units(paired.models.index(way)))
    number = dict(zip(paired.names, paired.patient, strict=True))
    of_searches = [_mean_over_folds(table, number, paired, nested.metric) for table in inner]
    parts, shares = (np.mean([getattr(one, name) for one in of_searches], axis=0) for name in ("parts", "scores"))
    searched = replace(outer, estimate=nested.sign * mean(scores), parts=parts, scores=shares)
    difference = influence_difference(searched.minus(outer), range_width(nested.metric))
    difference = difference if nested.sign > 0 else difference.mirrored
    return {"estimate": difference.estimate, "ci": confidence_interval(difference)}


def _mean_over_folds(table: pd.DataFrame, number: Mapping[str, int], paired: Paired, metric: str) -> Influence:
    """The influences on the mean score of a search's inner folds; patients are numbered as in the outer folds."""
    classes, folds = list(paired.classes), []
    for _, rows in table.groupby("fold"):
        scores = rows[classes].to_numpy(np.float64)
        units = Units(
            classes=paired.classes,
            truth=number_classes(rows["label"], classes),
            scores=scores,
            predicted=predict_classes(scores, paired.positive, HALF),
            patient=rows["image"].map(number).to_numpy().astype(np.int64),
            positive=paired.positive,
        )
        influence = measure_influence(metric, units)
        missing = ((0, paired.n_patients - len(influence.parts)), (0, 0))
        folds.append(
            replace(influence, parts=np.pad(influence.parts, missing), scores=np.pad(influence.scores, missing))
        )
    return average(folds)


def describe_difference(difference: Difference) -> dict[str, Any]:
    """Estimate, 95 % interval and p-value of there being none."""
    return {"estimate": difference.estimate, "ci": confidence_interval(difference), "p": p_two_sided(difference)}


def mean(values: Iterable[float]) -> float:
    """Of outer folds, each counting the same."""
    return float(np.mean(list(values)))
