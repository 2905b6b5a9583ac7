"""The leakage meter: one head, the same features, scored under every split level."""

from collections.abc import Sequence
from functools import partial
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
from bycase.core.seeding import derive_seed, generator
from bycase.datasets.fingerprints import FINGERPRINTS, read_fingerprints
from bycase.statistics.bootstrap import on_all_patients, with_classes
from bycase.statistics.intervals import expanded_tail, interval, perfect_bound
from bycase.statistics.leakage.levels import LEVELS, Levels
from bycase.statistics.metrics import auc_and_accuracy
from bycase.statistics.units import Floats, Integers, Units, number_classes, positive_number

METRICS = ("auc", "accuracy")
# A metric that sets classes against one another has a mean for each of two samples.
SAMPLES = {"auc": 2, "accuracy": 1}
MAX_ITERATIONS = 1000  # of a head's fit


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
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Cross-validate the head under every level and compare each with the strictest.

    Out-of-fold predictions of all folds are pooled, then scored; scores are means over the repeats.
    All levels are scored on the same resamples of patients, so that differences are paired.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features), float64
        In the manifest's order.
    manifest : DataFrame with the columns ``label`` and ``group``
        ``group`` is what the bootstrap resamples: the patient, or what stands for one.
    levels : Levels
        What to split by.
    folds, repeats : int
        Folds of each cross-validation, and how often it is repeated with other folds.
    logistic_C : float
        scikit-learn's ``C``.
    resamples : int
        Draws of patients.
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
    n_patients = int(patient.max()) + 1
    counts = generator(seed, "leakage", "bootstrap").multinomial(
        n_patients, np.full(n_patients, 1 / n_patients), size=resamples
    )
    rarest = int(manifest.groupby("label")["group"].nunique().min())

    positive = positive_number(classes, classes[-1])  # of two classes each has the same AUC against the other
    points: dict[str, dict[str, float]] = {}
    values: dict[str, dict[str, Floats]] = {}
    for level, groups in levels.groups.items():
        seeds = [derive_seed(seed, "leakage", repeat) for repeat in range(repeats)]
        scores = [out_of_fold(features, truth, groups, folds, logistic_C, own_seed) for own_seed in seeds]
        units = [Units(classes, truth, each, each.argmax(axis=1), patient, positive=positive) for each in scores]
        counts = with_classes(units[0], counts, len(classes))
        whole = on_all_patients(units[0], partial(_scores, units))
        points[level] = {name: float(value) for name, value in whole.items()}
        values[level] = _scores(units, counts)

    strictest = levels.strictest
    perfect = {"auc": perfect_bound(rarest), "accuracy": perfect_bound(n_patients)}
    content: dict[str, Any] = dict.fromkeys(LEVELS)
    for level, groups in levels.groups.items():
        content[level] = {
            "n_groups": int(groups.max()) + 1,
            **points[level],
            "ci": {
                name: interval(points[level][name], values[level][name], n_patients, perfect[name], SAMPLES[name])
                for name in METRICS
            },
            "inflation": _inflation(points, values, level, strictest, n_patients),
        }
    return {
        "n_images": len(truth),
        "n_patients": n_patients,
        "n_classes": len(classes),
        "folds": folds,
        "repeats": repeats,
        "resamples_used": len(counts),
        "strictest": strictest,
        "left_out": dict(levels.left_out),
        "inflation": _inflation(points, values, "image", strictest, n_patients),
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
) -> Floats:
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
    ndarray of shape (n_images, n_classes), float64
        Probabilities; a class that a training part lacks gets 0.
    """
    probabilities = np.zeros((len(truth), int(truth.max()) + 1))
    head = make_head(logistic_C)
    single = len(np.unique(groups)) == len(groups)
    kind = StratifiedKFold if single else StratifiedGroupKFold
    parts = kind(folds, shuffle=True, random_state=seed).split(features, truth, None if single else groups)
    with threadpool_limits(1):
        for train, test in parts:
            head.fit(features[train], truth[train])
            probabilities[np.ix_(test, head.classes_)] = head.predict_proba(features[test])
    return probabilities


def _scores(repeats: Sequence[Units], counts: Integers) -> dict[str, Floats]:
    """AUC and accuracy of resampled patients, (n_resamples,), each the mean over repeats of the cross-validation."""
    scores = [auc_and_accuracy(units, counts) for units in repeats]
    return {metric: np.mean([values[metric] for values in scores], axis=0) for metric in METRICS}


def _inflation(
    points: dict[str, dict[str, float]], values: dict[str, dict[str, Floats]], level: str, strictest: str, n: int
) -> dict[str, Any]:
    """Points by which `level` looks better than `strictest`, with 95 % intervals from paired resamples."""
    limits = {}
    for name in METRICS:
        tail = expanded_tail(n, SAMPLES[name])
        low, high = 100 * np.quantile(values[level][name] - values[strictest][name], [tail, 1 - tail])
        limits[name] = {"low": float(low), "high": float(high)}
    return {**{name: 100 * (points[level][name] - points[strictest][name]) for name in METRICS}, "ci": limits}
