"""The numbers of `metrics/uncertainty.json`, from the table of one test part or of all folds' together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bycase.statistics.bootstrap import resample
from bycase.statistics.bounds import perfect_bound
from bycase.statistics.conformal import assess_sets, coverage_of_classes
from bycase.statistics.intervals import interval, no_surer, rate_interval
from bycase.statistics.selective import measure_curve, measure_selection, rank_images
from bycase.statistics.uncertainty.assessment import assess_methods
from bycase.statistics.uncertainty.table import METHODS, PLAIN, SETS, sets_of, units_of
from bycase.statistics.units import Floats, Integers

CURVE_RESAMPLES = 1000
GRID = np.linspace(0.1, 1, 37)  # coverages at which the curve is drawn


def summarise(
    table: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
    patient: Integers,
    fold: Integers | None,
    coverage: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Assess methods, prediction sets and selective prediction on test images.

    Parameters
    ----------
    table : DataFrame
        See `bycase.statistics.uncertainty.table`; of several folds, one below the other.
    classes : sequence of str
        All classes, of two the positive one last.
    positive : str or None
        Of two classes, the one that is looked for.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.
    fold : ndarray of shape (n_images,), int64, or None
        The fold of each image, whose network was its own; see `bycase.statistics.units.Units`.
    coverage : float, in (0, 1)
        Of the prediction sets.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        For each method its metrics, see `assess_methods`, with ``entropy`` and, of
        several predictions, ``mutual_information``: means over images, in nats. ``conformal``: by the level that sets
        were calibrated on, see `bycase.statistics.conformal.assess_sets`, with ``per_class``, the coverage of each
        class's images. ``selective``: of the plain prediction, by each method's confidence, ``aurc``, ``accuracy_80``
        and ``accuracy_90``. ``coverage``; ``n`` (images) and ``n_patients``. Intervals take the network and what was
        calibrated on validation as given. All leaves are numbers.
    """
    images = {method: units_of(table, method, classes, positive, patient, fold) for method in METHODS}
    plain = images[PLAIN]
    assessed = assess_methods(images, resamples, seed)
    for method in METHODS:
        for column in ("entropy", "mutual_information"):
            if f"{method}_{column}" in table:
                assessed[method][column] = float(table[f"{method}_{column}"].mean())

    sets = {level: sets_of(table, level, classes) for level in SETS}
    ranks = {method: rank_images(table[f"{method}_confidence"].to_numpy(), fold) for method in METHODS}
    conformal = {level: assess_sets(held, plain.truth, patient, coverage) for level, held in sets.items()}
    for level, held in sets.items():
        by_class = coverage_of_classes(held, plain.truth)
        conformal[level]["per_class"] = {label: float(by_class[k]) for k, label in enumerate(classes)}
        covered = held[np.arange(len(plain.truth)), plain.truth]
        conformal[level]["ci"]["per_class"] = {
            label: rate_interval(covered, plain.truth == k, patient) for k, label in enumerate(classes)
        }
    statistics = {method: measure_selection(~plain.right, ranked, patient) for method, ranked in ranks.items()}
    points, values = resample(plain, statistics, resamples, seed)
    return {
        "coverage": coverage,
        **assessed,
        "conformal": conformal,
        "selective": {
            method: {
                **{name: float(point) for name, point in points[method].items()},
                "ci": {
                    name: _kept_interval(float(point), values[method][name], plain.n_patients)
                    for name, point in points[method].items()
                },
            }
            for method in METHODS
        },
        "n": len(table),
        "n_patients": plain.n_patients,
    }


def tabulate_risk(
    table: pd.DataFrame, classes: Sequence[str], patient: Integers, fold: Integers | None, seed: int
) -> pd.DataFrame:
    """The risk-coverage curve of each method's confidence in the plain prediction.

    Parameters
    ----------
    table, classes, patient, fold, seed
        See `summarise`.

    Returns
    -------
    DataFrame with the columns ``method``, ``coverage``, ``risk``, ``low``, ``high``
        A row a method and coverage of `GRID`: the share of errors among the images kept, with its 95 % interval.
    """
    images = units_of(table, PLAIN, classes, None, patient, fold)
    curves = {
        method: measure_curve(~images.right, rank_images(table[f"{method}_confidence"].to_numpy(), fold), patient, GRID)
        for method in METHODS
    }
    points, values = resample(images, curves, CURVE_RESAMPLES, seed)
    rows = []
    for method in METHODS:
        for place, coverage in enumerate(GRID):
            risk, drawn = float(points[method]["risk"][place]), values[method]["risk"][:, place]
            bounds = _kept_interval(risk, drawn, images.n_patients)
            rows.append({"method": method, "coverage": float(coverage), "risk": risk, **bounds})
    return pd.DataFrame(rows)


def _kept_interval(estimate: float, drawn: Floats, patients: int) -> dict[str, float]:
    """Of a risk or an accuracy among the images kept."""
    perfect = perfect_bound(patients)
    return no_surer(interval(estimate, drawn, patients, perfect), perfect)
