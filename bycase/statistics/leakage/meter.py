"""The leakage meter: one head, the same features, scored under every split level."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bycase.core.errors import UserError
from bycase.core.seeding import derive_seed
from bycase.datasets.fingerprints import FINGERPRINTS, read_fingerprints
from bycase.statistics.comparison.differences import confidence_interval, influence_difference
from bycase.statistics.influence import Influence, average, draws_of, measure_influence
from bycase.statistics.intervals import influence_interval, no_surer, perfect_metric_bound
from bycase.statistics.leakage.levels import LEVELS, Levels
from bycase.statistics.units import Floats, Integers, Units, number_classes, positive_number

METRICS = ("auc", "accuracy")
Repeated = dict[str, list[Influence]]  # by metric, of each repeat
MAX_ITERATIONS = 1000  # of a head's fit
MOST_IMAGES = 20_000  # that are measured; of larger data sets, patients are drawn at random


def read_features(images: "pd.Series[str]", folder: Path = FINGERPRINTS) -> Floats:
    """The reference network's features of `images`, paths below ``data/restructured``; (n_images, n_features).

    Raises
    ------
    UserError
        If a file is missing, or an image has no features.
    """
    fingerprints = read_fingerprints(folder)
    rows = pd.Index(fingerprints.images).get_indexer(pd.Index(images))
    if (rows < 0).any():
        raise UserError(f"{folder} has no features of {images.iloc[int(np.argmin(rows))]}; run 'dvc repro -f audit'")
    return fingerprints.features[rows].astype(np.float64)


def measure_leakage(
    features: Floats,
    manifest: pd.DataFrame,
    levels: Levels,
    *,
    folds: int,
    repeats: int,
    logistic_C: float,
    seed: int,
) -> dict[str, Any]:
    """Cross-validate the head under every level and compare each with the strictest.

    Out-of-fold predictions are ranked within their fold, whose head is its own; scores are means over the repeats. All
    levels are scored on the same patients, so that differences are paired by patient; how the repeats' draws of folds
    differ is part of every interval.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features), float64
        In the manifest's order.
    manifest : DataFrame with the columns ``label`` and ``group``
        ``group`` is the patient, or what stands for one.
    levels : Levels
        What to split by.
    folds, repeats : int
        Folds of each cross-validation, and how often it is repeated with other folds.
    logistic_C : float
        scikit-learn's ``C``.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``image``, ``folder``, ``case`` and ``group``, each None where left out, else with ``n_groups``,
        the metrics in [0, 1], their 95 % intervals ``ci``, and ``inflation``; the last is that of
        `inflation` at the top: how much better the level looks than the strictest, in points, with its
        paired interval ``ci``. The strictest level's own inflation is 0.
    """
    classes = tuple(sorted(set(manifest["label"])))
    truth = number_classes(manifest["label"], classes)
    patient = pd.factorize(manifest["group"])[0].astype(np.int64)
    positive = positive_number(classes, classes[-1])  # of two classes each has the same AUC against the other
    seeds = [derive_seed(seed, "leakage", repeat) for repeat in range(repeats)]
    units: dict[str, list[Units]] = {}
    for level, groups in levels.groups.items():
        drawn = [out_of_fold(features, truth, groups, folds, logistic_C, own_seed) for own_seed in seeds]
        units[level] = [
            Units(classes, truth, scores, scores.argmax(axis=1), patient, fold, positive) for scores, fold in drawn
        ]
    repeated = {
        level: {metric: [measure_influence(metric, each) for each in of_level] for metric in METRICS}
        for level, of_level in units.items()
    }
    inflations = {level: _inflation(repeated[level], repeated[levels.strictest]) for level in units}
    if len(units) > 1:
        del inflations[levels.strictest]["ci"]  # of nothing but itself
    content: dict[str, Any] = dict.fromkeys(LEVELS)
    for level, groups in levels.groups.items():
        content[level] = {
            "n_groups": int(groups.max()) + 1,
            **_scores(repeated[level], units[level][0]),
            "inflation": inflations[level],
        }
    return {
        "n_images": len(truth),
        "n_patients": int(patient.max()) + 1,
        "n_classes": len(classes),
        "folds": folds,
        "repeats": repeats,
        "strictest": levels.strictest,
        "left_out": dict(levels.left_out),
        "inflation": inflations["image"],
        **content,
    }


def make_head(logistic_C: float) -> Pipeline:
    """Standardisation and L2-penalised logistic regression, not fitted; `logistic_C` is scikit-learn's ``C``."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=logistic_C, max_iter=MAX_ITERATIONS))


def out_of_fold(
    features: Floats,
    truth: Integers,
    groups: Integers,
    folds: int,
    logistic_C: float,
    seed: int,
) -> tuple[Floats, Integers]:
    """Predict every image by a head fitted on the folds that do not hold its group.

    Standardised features and L2-penalised logistic regression, both fitted on the training folds
    only; folds are stratified by class. On one thread: a fit of this size takes 30 ms so, and many times as long when
    several threads wait for one another; the result then also repeats to the last bit.

    Parameters
    ----------
    features, truth, groups : ndarray of shape (n_images, n_features), float64; (n_images,), int64; (n_images,), int64
        Of a frozen network; class numbers, each of which occurs; what stays in one fold.
    folds : int
        Number of folds.
    logistic_C : float
        scikit-learn's ``C``.
    seed : int
        Draws the folds.

    Returns
    -------
    probabilities : ndarray of shape (n_images, n_classes), float64
        A class that a training part lacks gets 0.
    fold : ndarray of shape (n_images,), int64, from 0 up
        Whose head each is from.
    """
    fold = np.zeros(len(truth), np.int64)
    probabilities = np.zeros((len(truth), int(truth.max()) + 1))
    head = make_head(logistic_C)
    single = len(np.unique(groups)) == len(groups)
    kind = StratifiedKFold if single else StratifiedGroupKFold
    parts = kind(folds, shuffle=True, random_state=seed).split(features, truth, None if single else groups)
    with threadpool_limits(1):
        for number, (train, test) in enumerate(parts):
            fold[test] = number
            head.fit(features[train], truth[train])
            probabilities[np.ix_(test, head.classes_)] = head.predict_proba(features[test])
    return probabilities, fold


def mean_over_repeats(repeats: Sequence[Influence]) -> Influence:
    """The mean over repeats of a cross-validation, whose draws of folds differ."""
    return average(repeats).with_draws(draws_of(np.array([each.estimate for each in repeats]), repeats))


def _scores(repeated: Repeated, units: Units) -> dict[str, Any]:
    """The `METRICS` of a level, means over the repeats, and their 95 % intervals ``ci``."""
    means = {metric: mean_over_repeats(repeats) for metric, repeats in repeated.items()}
    perfect = {metric: perfect_metric_bound(metric, units) for metric in METRICS}
    return {
        **{metric: mean.estimate for metric, mean in means.items()},
        "ci": {
            metric: no_surer(influence_interval(mean, perfect[metric]), perfect[metric])
            for metric, mean in means.items()
        },
    }


def _inflation(repeated: Repeated, strictest: Repeated) -> dict[str, Any]:
    """Points by which a level looks better than the strictest, and their 95 % intervals."""
    gains = {}
    for metric in METRICS:
        pairs = zip(repeated[metric], strictest[metric], strict=True)
        gains[metric] = influence_difference(mean_over_repeats([one.minus(other) for one, other in pairs]))
    return {
        **{metric: 100 * gain.estimate for metric, gain in gains.items()},
        "ci": {
            metric: {end: 100 * value for end, value in confidence_interval(gain).items()}
            for metric, gain in gains.items()
        },
    }
