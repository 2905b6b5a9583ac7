"""`metrics/benchmark/leaderboard.json`: every network's metrics, calibration and cost, the best first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.calibration.assessment import assess_temperatures
from bycase.statistics.calibration.temperature import apply_temperature
from bycase.statistics.comparison.paired import Paired, paired_benchmark, patient_level
from bycase.statistics.comparison.resampling import assess_network, assess_recognition, values_of_repeats
from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.aggregation import compare_networks
from bycase.studies.compare.inputs import Inputs
from bycase.tables.out_of_fold import PREDICTIONS

LEVELS = ("image", "patient")
KEYS = ("model", "repeat", "fold")
THRESHOLDS = ["threshold", "patient_threshold"]


def make_leaderboard(inputs: Inputs, settings: CompareParams) -> dict[str, Any]:
    """Score every network and rank them.

    Parameters
    ----------
    inputs : Inputs
        Predictions and cost.
    settings : CompareParams
        The metric and level that rank, and the resamples of the bootstrap.

    Returns
    -------
    dict
        By network, the best first: ``rank``, from 1, equals sharing it; ``image`` and ``patient``, see
        `assess_network`, the intervals of several repeats over patients and trainings; each with ``baseline``,
        ``over_constant``, ``calibration`` (``before`` and ``after`` each fold's temperature, where all have one) and,
        of several repeats, ``repeat_sd``; ``cost``; of several repeats ``ensemble``, the two levels of
        `average_repeats`, whose intervals are over patients only. ``patient`` has ``aggregation``, where its rules are
        told: see `bycase.studies.compare.aggregation.compare_networks`. All leaves are numbers, the keys the same for
        all.
    """
    rows = _score_levels(inputs, inputs.predictions, settings.resamples, trainings=True)
    for name, row in rows.items():
        for level in LEVELS:
            row[level]["baseline"] = inputs.baselines[name][level]
            row[level]["over_constant"] = inputs.over_constant[name][level]
    images = paired_benchmark(inputs.predictions, inputs.classes, inputs.positive, PREDICTIONS)
    for name, compared in compare_networks(images, inputs.predictions).items():
        rows[name]["patient"]["aggregation"] = compared
    _add_calibration(rows, inputs)
    if np.ptp(inputs.predictions["repeat"]) > 0:
        _add_spread(rows, inputs)
        averaged = average_repeats(inputs.predictions, inputs.classes)
        for name, ensemble in _score_levels(inputs, averaged, settings.resamples).items():
            rows[name]["ensemble"] = ensemble
    costs = mean_costs(inputs.cost)
    ranks = rank_networks({name: row[settings.level][settings.metric] for name, row in rows.items()})
    return {name: {"rank": rank, **rows[name], "cost": costs.get(name, {})} for name, rank in ranks.items()}


def average_repeats(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """A deep ensemble of the repeats: each image's probabilities and thresholds, averaged over them.

    Every member was trained on other patients than the image's. Rows stay as they are, so that an image is still
    ranked against those of its fold in each repeat, and the AUC is over the same pairs as a single network's. It may
    lie below theirs: as folds are drawn anew, two images of a fold share one member, and each member has its own scale.

    Lakshminarayanan, B., Pritzel, A. and Blundell, C. (2017). Simple and Scalable Predictive Uncertainty Estimation
    using Deep Ensembles. NeurIPS.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.out_of_fold`.
    classes : sequence of str
        The probability columns.
    """
    columns = [*classes, *THRESHOLDS]
    means = predictions.groupby(["model", "image"])[columns].transform("mean")
    return predictions.assign(**{column: means[column] for column in columns})


def scale_predictions(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The predictions with each fold's temperature applied; see `bycase.statistics.calibration.temperature`."""
    scaled = apply_temperature(
        predictions[list(classes)].to_numpy(np.float64), predictions["temperature"].to_numpy(np.float64)
    )
    return predictions.assign(**dict(zip(classes, scaled.T, strict=True)))


def mean_costs(cost: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean cost of a training, by network.

    Parameters
    ----------
    cost : DataFrame with the columns `KEYS` and others of numbers
        One row a training.

    Returns
    -------
    dict of str to dict of str to float
        The columns' means; ``fitting_seconds``, training and the frozen features together. What is not known for every
        training is left out. Empty without trainings.
    """
    if cost.empty:
        return {}
    known = cost.drop(columns=[column for column in KEYS if column != "model"]).dropna(axis="columns")
    if {"training_seconds", "embed_seconds"} <= set(known):
        known = known.assign(fitting_seconds=known["training_seconds"] + known["embed_seconds"])
    return {
        str(name): {str(column): float(value) for column, value in row.items()}
        for name, row in known.groupby("model").mean().iterrows()
    }


def rank_networks(values: Mapping[str, float]) -> dict[str, int]:
    """Ranks from 1, the highest value first; equal values share the better rank, in the order given."""
    best_first = sorted(values, key=lambda name: -values[name])
    ordered = [values[name] for name in best_first]
    return {name: 1 + ordered.index(values[name]) for name in best_first}


def pair_levels(inputs: Inputs, predictions: pd.DataFrame) -> dict[str, Paired]:
    """All networks' images, and patients, side by side."""
    images = paired_benchmark(predictions, inputs.classes, inputs.positive, PREDICTIONS)
    return dict(zip(LEVELS, (images, patient_level(images)), strict=True))


def _score_levels(
    inputs: Inputs, predictions: pd.DataFrame, resamples: int, trainings: bool = False
) -> dict[str, dict[str, Any]]:
    levels = pair_levels(inputs, predictions)
    repeats = {level: values_of_repeats(units) if trainings else {} for level, units in levels.items()}
    rows: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(levels["image"].models):
        rows[name] = {
            level: assess_network(units, number, resamples, inputs.seed, repeats[level])
            for level, units in levels.items()
        }
        rate, limits = assess_recognition(levels["image"], number, trainings)
        rows[name]["patient"]["recognition_rate"] = rate
        rows[name]["patient"]["ci"]["recognition_rate"] = limits
    return rows


def _add_calibration(rows: dict[str, dict[str, Any]], inputs: Inputs) -> None:
    states = {"before": inputs.predictions}
    if inputs.predictions["temperature"].notna().all():
        states["after"] = scale_predictions(inputs.predictions, inputs.classes)
    for state, predictions in states.items():
        for level, paired in pair_levels(inputs, predictions).items():
            for number, name in enumerate(paired.models):
                calibration = assess_temperatures(paired.units(number), 1.0, inputs.seed)["before"]
                rows[name][level].setdefault("calibration", {})[state] = calibration


def _add_spread(rows: dict[str, dict[str, Any]], inputs: Inputs) -> None:
    """Add the standard deviation of each metric over the repeats."""
    for level, paired in pair_levels(inputs, inputs.predictions).items():
        for metric, values in values_of_repeats(paired).items():
            for name, value in zip(paired.models, values.std(axis=0, ddof=1), strict=True):
                rows[name][level].setdefault("repeat_sd", {})[metric] = float(value)
