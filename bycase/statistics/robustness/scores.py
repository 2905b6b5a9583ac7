"""Accuracy and AUC of the same images under several conditions, with intervals of them and of their differences.

All conditions are of the same patients, so that what the conditions have in common cancels out of a difference: it is
paired, by image and by patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.comparison.differences import confidence_interval, influence_difference
from bycase.statistics.influence import Influence, average, measure_influence
from bycase.statistics.intervals import influence_interval, metric_interval, no_surer, perfect_metric_bound
from bycase.statistics.units import Units, number_classes, positive_number, predict_classes, renumber

METRICS = ("accuracy", "auc")
KEY = ["fold", "image", "label", "patient"]


@dataclass(frozen=True)
class Scored:
    """What a difference or a mean of conditions is made of; conditions are numbered as they were given.

    Attributes
    ----------
    units : list of Units
        Of each condition; patients are the same in all.
    influences : dict of str to list of Influence
        Of each of `METRICS`, of each condition.
    """

    units: list[Units]
    influences: dict[str, list[Influence]]

    def mean(self, metric: str, conditions: Sequence[int]) -> Influence:
        """The mean over conditions."""
        return average([self.influences[metric][number] for number in conditions])


def score_conditions(tables: Sequence[pd.DataFrame], classes: Sequence[str], positive: str | None) -> Scored:
    """Score predictions of the same images under every condition.

    Parameters
    ----------
    tables : sequence of DataFrame with the columns `KEY`, ``threshold`` and one a class
        One a condition, one row an image; see `bycase.studies.benchmark.robustness_cells`.
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for.

    Raises
    ------
    UserError
        If the conditions are not of the same images.
    """
    conditions = [_make_units(table, classes, positive) for table in _pair(tables)]
    return Scored(
        conditions, {metric: [measure_influence(metric, units) for units in conditions] for metric in METRICS}
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


def level(scored: Scored, conditions: Sequence[int]) -> dict[str, Any]:
    """The `METRICS`, means over one or several conditions, and their 95 % intervals ``ci``."""
    means = {metric: scored.mean(metric, conditions) for metric in METRICS}
    return {
        **{metric: mean.estimate for metric, mean in means.items()},
        "ci": {metric: _mean_interval(scored, metric, mean, conditions) for metric, mean in means.items()},
    }


def _mean_interval(scored: Scored, metric: str, mean: Influence, conditions: Sequence[int]) -> dict[str, float]:
    units = scored.units[conditions[0]]
    if len(conditions) == 1:
        return metric_interval(metric, mean.estimate, None, units)
    perfect = perfect_metric_bound(metric, units)
    return no_surer(influence_interval(mean, perfect), perfect)


def drop(scored: Scored, start: int, conditions: Sequence[int]) -> dict[str, Any]:
    """By how much the `METRICS` fall from one condition to the mean over others, and the 95 % intervals ``ci``.

    In [-1, 1], positive where the others are worse; see `bycase.statistics.comparison.differences`.
    """
    falls = {
        metric: influence_difference(scored.influences[metric][start].minus(scored.mean(metric, conditions)))
        for metric in METRICS
    }
    return {
        **{metric: fall.estimate for metric, fall in falls.items()},
        "ci": {metric: confidence_interval(fall) for metric, fall in falls.items()},
    }
