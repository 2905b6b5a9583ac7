"""For every network of a benchmark, what other rules make of its patients than the mean of their images."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.aggregation import compare_units
from bycase.statistics.comparison.paired import Paired, patient_level
from bycase.statistics.pooling import read_pooling
from bycase.tables.out_of_fold import RULES, RULES_SEPARATOR

UNIT = ["repeat", "image"]


def compare_networks(images: Paired, predictions: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Patients' AUC out of fold under each rule that was fixed before any test, less that under the mean.

    Parameters
    ----------
    images : Paired
        All networks' images.
    predictions : DataFrame
        See `bycase.tables.out_of_fold`; `images` are made of it.

    Returns
    -------
    dict
        By network and rule, see `bycase.statistics.aggregation.compare_units`: one family of all networks and rules.
        Empty where no rules were told.
    """
    if RULES not in predictions or predictions[RULES].isna().any():
        return {}
    texts = np.stack([_texts(predictions, model) for model in images.models])
    each = [np.array([[text.split(RULES_SEPARATOR)[n] for text in row] for row in texts]) for n in range(_count(texts))]
    pooled = [patient_level(replace(images, pooling=rules)) for rules in each]
    means = patient_level(replace(images, pooling=None))
    numbers = range(len(images.models))
    compared = iter(
        compare_units(
            [means.units(number) for number in numbers for _ in pooled],
            [patients.units(number) for number in numbers for patients in pooled],
        )
    )
    names = [read_pooling(str(rules[0, 0])).rule for rules in each]
    return {model: {name: next(compared) for name in names} for model in images.models}


def _texts(predictions: pd.DataFrame, model: str) -> list[str]:
    return list(predictions[predictions["model"] == model].sort_values(UNIT)[RULES].astype(str))


def _count(texts: "np.ndarray[Any, Any]") -> int:
    """How many rules every cell has."""
    return min(text.count(RULES_SEPARATOR) for text in np.unique(texts)) + 1
