"""The leakage meter: one head, the same features, scored under every split level."""

from typing import Any

import numpy as np
import pandas as pd

from bycase.core.seeding import derive_seed, generator
from bycase.statistics.intervals import expanded_tail, interval, perfect_bound
from bycase.statistics.leakage.head import out_of_fold
from bycase.statistics.leakage.levels import LEVELS, Levels
from bycase.statistics.leakage.scores import METRICS, Floats, draw_patients, point_scores, resampled_scores

# A metric that sets classes against one another has a mean for each of two samples.
SAMPLES = {"auc": 2, "accuracy": 1}


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
    truth = pd.factorize(manifest["label"], sort=True)[0].astype(np.int64)
    patient = pd.factorize(manifest["group"])[0].astype(np.int64)
    counts = draw_patients(truth, patient, resamples, generator(seed, "leakage", "bootstrap"))
    n_patients = counts.shape[1]
    rarest = int(manifest.groupby("label")["group"].nunique().min())

    points: dict[str, dict[str, float]] = {}
    values: dict[str, dict[str, Floats]] = {}
    for level, groups in levels.groups.items():
        predictions = [
            out_of_fold(features, truth, groups, folds, logistic_C, derive_seed(seed, "leakage", repeat))
            for repeat in range(repeats)
        ]
        points[level] = point_scores(truth, predictions)
        values[level] = resampled_scores(truth, predictions, patient, counts)

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
        "n_classes": int(truth.max()) + 1,
        "folds": folds,
        "repeats": repeats,
        "resamples_used": len(counts),
        "strictest": strictest,
        "left_out": dict(levels.left_out),
        "inflation": _inflation(points, values, "image", strictest, n_patients),
        **content,
    }


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
