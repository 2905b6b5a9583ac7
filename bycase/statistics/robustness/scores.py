"""Accuracy and AUC of the same images under several conditions, with intervals of them and of their differences.

All conditions see the same resamples of patients, so that what the conditions have in common cancels out of a
difference: it is paired, by image and by patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.bootstrap import resample
from bycase.statistics.intervals import interval, metric_interval, perfect_bound, perfect_mean_ranking_bound
from bycase.statistics.metrics import CLASS, auc_and_accuracy
from bycase.statistics.units import Floats, Units, number_classes, positive_number, predict_classes, renumber

METRICS = ("accuracy", "auc")
KEY = ["fold", "image", "label", "patient"]


@dataclass(frozen=True)
class Resampled:
    """What a difference or a mean of conditions is made of; conditions are numbered as they were given.

    Attributes
    ----------
    units : Units
        Of the first condition; patients are the same in all.
    points, drawn : dict of str to ndarray of shape (n_conditions,) and (n_used, n_conditions)
        Each of `METRICS` on the images themselves, and on resampled patients. In [0, 1].
    class_auc : ndarray of shape (n_conditions, n_classes)
        On the images themselves, of each class against the rest, or of the positive one only.
    """

    units: Units
    points: dict[str, Floats]
    drawn: dict[str, Floats]
    class_auc: Floats


def score_conditions(
    tables: Sequence[pd.DataFrame], classes: Sequence[str], positive: str | None, resamples: int, seed: int
) -> Resampled:
    """Score predictions of the same images under every condition, and on resampled patients.

    Parameters
    ----------
    tables : sequence of DataFrame with the columns `KEY`, ``threshold`` and one a class
        One a condition, one row an image; see `bycase.studies.benchmark.robustness_cells`.
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed; the patients drawn are those of ``metrics/metrics.json``.

    Raises
    ------
    UserError
        If the conditions are not of the same images.
    """
    conditions = [_make_units(table, classes, positive) for table in _pair(tables)]
    statistics = {str(number): partial(auc_and_accuracy, units) for number, units in enumerate(conditions)}
    points, values = resample(conditions[0], statistics, resamples, seed)
    return Resampled(
        conditions[0],
        {metric: np.array([condition[metric] for condition in points.values()]) for metric in METRICS},
        {metric: np.column_stack([drawn[metric] for drawn in values.values()]) for metric in METRICS},
        np.array([condition[CLASS + "auc"] for condition in points.values()]),
    )


def _pair(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The tables with their rows in one order."""
    ordered = [table.sort_values(["fold", "image"], ignore_index=True) for table in tables]
    for table in ordered[1:]:
        if not table[KEY].equals(ordered[0][KEY]):
            raise UserError("the predictions to be compared are not of the same images; run 'dvc repro' again")
    return ordered


def _make_units(table: pd.DataFrame, classes: Sequence[str], positive: str | None) -> Units:
    scores, number = table[list(classes)].to_numpy(np.float64), positive_number(classes, positive)
    return Units(
        classes=tuple(classes),
        truth=number_classes(table["label"], classes),
        scores=scores,
        predicted=predict_classes(scores, number, table["threshold"].to_numpy(np.float64)),
        patient=renumber(table["patient"].to_numpy()),
        fold=table["fold"].to_numpy(np.int64),
        positive=number,
    )


def level(resampled: Resampled, conditions: Sequence[int]) -> dict[str, Any]:
    """The `METRICS`, means over one or several conditions, and their 95 % intervals ``ci``."""
    chosen = list(conditions)
    means = {metric: float(resampled.points[metric][chosen].mean()) for metric in METRICS}
    by_class = {"auc": resampled.class_auc[chosen].mean(axis=0)}
    limits = {
        metric: metric_interval(
            metric, mean, resampled.drawn[metric][:, chosen].mean(axis=1), resampled.units, by_class.get(metric)
        )
        for metric, mean in means.items()
    }
    return {**means, "ci": limits}


def drop(resampled: Resampled, start: int, conditions: Sequence[int]) -> dict[str, Any]:
    """By how much the `METRICS` fall from one condition to the mean over others, and the 95 % intervals ``ci``.

    In [-1, 1], positive where the others are worse. Where no resample differs from another, the interval reaches as far
    as that of a metric without spread does: so many patients may differ without one of them being in the test part.
    """
    points, limits = {}, {}
    for metric in METRICS:
        observed, drawn = resampled.points[metric], resampled.drawn[metric]
        points[metric] = float(observed[start] - observed[list(conditions)].mean())
        fallen = drawn[:, start] - drawn[:, list(conditions)].mean(axis=1)
        limits[metric] = _drop_interval(metric, points[metric], fallen, resampled.units)
    return {**points, "ci": limits}


def _drop_interval(metric: str, point: float, fallen: Floats, units: Units) -> dict[str, float]:
    """By the patients that the metric itself rests on; see `bycase.statistics.intervals`."""
    if metric == "accuracy":
        return _paired_interval(point, fallen, units.n_patients, 1, perfect_bound(units.n_patients))
    sizes = units.classes_of_patients.sum(axis=0)
    several = sizes[sizes > 1]
    if len(several) < 2:
        return {"low": -1.0, "high": 1.0}
    limits = _paired_interval(point, fallen, int(several.sum()), len(several), perfect_mean_ranking_bound(units))
    # A class of a single patient may do anything; of two classes the other has then no rank to be resampled either.
    unknown = float((sizes == 1).sum() / len(sizes))
    return {"low": max(-1.0, limits["low"] - unknown), "high": min(1.0, limits["high"] + unknown)}


def _paired_interval(point: float, fallen: Floats, patients: int, samples: int, perfect: float) -> dict[str, float]:
    # Halfway to 1: as a share of a range twice as long, a reach as of the metric itself.
    return interval(point, fallen, patients, (1 + perfect) / 2, samples=samples, limits=(-1.0, 1.0))
