"""Accuracy and AUC of the same images under several conditions, with intervals of them and of their differences.

All conditions see the same resamples of patients, so that what the conditions have in common cancels out of a
difference: it is paired, by image and by patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap, rank_metrics_within, weighted_sums
from bycase.statistics.intervals import interval, metric_interval, perfect_bound, perfect_ranking_bound
from bycase.statistics.multiclass.intervals import mean_interval, perfect_mean_ranking_bound
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Bools, Floats, Integers, Units

METRICS = ("accuracy", "auc")
KEY = ["stratum", "image", "label", "patient"]


@dataclass(frozen=True)
class Resampled:
    """What a difference or a mean of conditions is made of; conditions are numbered as they were given.

    Attributes
    ----------
    units : Units or ClassUnits
        Of the first condition; patients are the same in all.
    points, drawn : dict of str to ndarray of shape (n_conditions,) and (n_used, n_conditions)
        Each of `METRICS` on the images themselves, and on resampled patients. In [0, 1].
    class_auc : ndarray of shape (n_conditions, n_classes)
        On the images themselves, of each class against the rest; of two classes, of the positive one only.
    """

    units: Units | ClassUnits
    points: dict[str, Floats]
    drawn: dict[str, Floats]
    class_auc: Floats


def resample(
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
    conditions = [_score(table, classes, positive) for table in _pair(tables)]

    def statistic(counts: Integers) -> dict[str, Floats]:
        ranked = np.stack([_class_auc(units, counts) for units, _ in conditions], axis=1)
        right = np.column_stack([of_condition for _, of_condition in conditions]).astype(np.float64)
        units = conditions[0][0]
        drawn = weighted_sums(units, np.ones((right.shape[0], 1)), counts)
        return {
            "accuracy": weighted_sums(units, right, counts) / drawn,
            "auc": np.nanmean(ranked, axis=2),
            "class_auc": ranked,
        }

    units = conditions[0][0]
    at = statistic(np.ones((1, units.n_patients), np.int64))
    drawn = bootstrap(units, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    return Resampled(
        units,
        {metric: at[metric][0] for metric in METRICS},
        {metric: drawn[metric] for metric in METRICS},
        at["class_auc"][0],
    )


def _pair(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The tables with their rows in one order."""
    ordered = [table.sort_values(["stratum", "image"], ignore_index=True) for table in tables]
    for table in ordered[1:]:
        if not table[KEY].equals(ordered[0][KEY]):
            raise UserError("the predictions to be compared are not of the same images; run 'dvc repro' again")
    return ordered


def _score(table: pd.DataFrame, classes: Sequence[str], positive: str | None) -> tuple[Units | ClassUnits, Bools]:
    """One condition's units, and whether each is called rightly."""
    patient = np.unique(table["patient"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    stratum = table["stratum"].to_numpy(np.int64)
    if positive is None:
        truth = pd.Index(classes).get_indexer(pd.Index(table["label"])).astype(np.int64)
        several = ClassUnits(tuple(classes), truth, table[list(classes)].to_numpy(np.float64), patient, stratum)
        return several, several.right
    two = Units((table["label"] == positive).to_numpy(bool), table[positive].to_numpy(np.float64), patient, stratum)
    return two, two.truth == (two.scores >= table["threshold"].to_numpy(np.float64))


def _class_auc(units: Units | ClassUnits, counts: Integers) -> Floats:
    """AUC of the positive class, or of each class against the rest; (n_resamples, n_classes)."""
    rest = [units] if isinstance(units, Units) else [units.against_rest(number) for number in range(len(units.classes))]
    return np.column_stack([rank_metrics_within(of, counts)[0] for of in rest])


def level(resampled: Resampled, conditions: Sequence[int]) -> dict[str, float | dict[str, dict[str, float]]]:
    """Accuracy and AUC, the mean over conditions, with 95 % intervals.

    Parameters
    ----------
    resampled : Resampled
        See `resample`.
    conditions : sequence of int
        One or several.

    Returns
    -------
    dict
        `METRICS`, and ``ci`` with the keys ``low`` and ``high`` of each.
    """
    chosen = list(conditions)
    limits = {}
    for metric in METRICS:
        values = resampled.drawn[metric][:, chosen].mean(axis=1)
        values, units = values[np.isfinite(values)], resampled.units
        if isinstance(units, Units):
            limits[metric] = metric_interval(metric, _mean(resampled, metric, chosen), values, units)
        elif metric == "auc":
            limits[metric] = mean_interval(metric, resampled.class_auc[chosen].mean(axis=0), values, units)
        else:
            perfect = perfect_bound(units.n_patients)
            limits[metric] = interval(_mean(resampled, metric, chosen), values, units.n_patients, perfect)
    return {**{metric: _mean(resampled, metric, chosen) for metric in METRICS}, "ci": limits}


def drop(resampled: Resampled, start: int, conditions: Sequence[int]) -> dict[str, tuple[float, dict[str, float]]]:
    """By how much accuracy and AUC fall from one condition to the mean over others, with 95 % intervals.

    Where no resample differs from another, the interval reaches as far as that of a metric without spread does: so
    many patients may differ without one of them being in the test part.

    Parameters
    ----------
    resampled : Resampled
        See `resample`.
    start : int
        The condition that the others are held against.
    conditions : sequence of int
        One or several.

    Returns
    -------
    dict of str to (float, dict)
        Each of `METRICS` to the drop, in [-1, 1], positive where the others are worse, and its ``low`` and ``high``.
    """
    drops = {}
    for metric in METRICS:
        drawn = resampled.drawn[metric]
        fallen = drawn[:, start] - drawn[:, list(conditions)].mean(axis=1)
        point = float(resampled.points[metric][start]) - _mean(resampled, metric, conditions)
        drops[metric] = point, _drop_interval(metric, point, fallen[np.isfinite(fallen)], resampled.units)
    return drops


def _drop_interval(metric: str, point: float, fallen: Floats, units: Units | ClassUnits) -> dict[str, float]:
    """By the patients that the metric itself rests on; see `bycase.statistics.intervals`."""
    if metric == "accuracy":
        return _paired_interval(point, fallen, units.n_patients, 1, perfect_bound(units.n_patients))
    if isinstance(units, Units):
        sizes = np.array([units.patients_of(True), units.patients_of(False)])
        perfect = perfect_ranking_bound(int(sizes[0]), int(sizes[1]))
    else:
        sizes = units.classes_of_patients.sum(axis=0)
        perfect = perfect_mean_ranking_bound(units)
    several = sizes[sizes > 1]
    if len(several) < 2:
        return {"low": -1.0, "high": 1.0}
    limits = _paired_interval(point, fallen, int(several.sum()), len(several), perfect)
    # A class of a single patient may do anything; of two classes the other has then no rank to be resampled either.
    unknown = float((sizes == 1).sum() / len(sizes))
    return {"low": max(-1.0, limits["low"] - unknown), "high": min(1.0, limits["high"] + unknown)}


def _paired_interval(point: float, fallen: Floats, patients: int, samples: int, perfect: float) -> dict[str, float]:
    # Halfway to 1: as a share of a range twice as long, a reach as of the metric itself.
    return interval(point, fallen, patients, (1 + perfect) / 2, samples=samples, limits=(-1.0, 1.0))


def _mean(resampled: Resampled, metric: str, conditions: Sequence[int]) -> float:
    return float(resampled.points[metric][list(conditions)].mean())
