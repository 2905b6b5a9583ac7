"""Metrics by subgroup of the test part: magnification, subtype, and what is known of the patients."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import Statistic, bootstrap, rank_metrics_within, weighted_metrics
from bycase.statistics.intervals import metric_interval
from bycase.statistics.units import Bools, Floats, Integers, Units, patient_units

METRICS = ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
AS_THEY_ARE = ("subtype", "site", "sex")  # columns of the manifest
UNKNOWN = ("", "0")  # a magnification of 0: the data set has none
AGE_EDGES, AGE_BANDS = (-np.inf, 40, 60, np.inf), ("under 40", "40 to 59", "60 and over")  # years
FEWEST_PATIENTS = 2  # one patient says nothing of how patients differ


def list_subgroups(predictions: pd.DataFrame, manifest: pd.DataFrame) -> dict[str, dict[str, Bools]]:
    """Which images are of which subgroup; an image may be of none.

    Parameters
    ----------
    predictions : DataFrame with the columns ``image``, ``label``
        One row an image.
    manifest : DataFrame with the column ``image``
        Of ``magnification``, ``subtype``, ``site``, ``sex`` and ``age`` those that are there count.

    Returns
    -------
    dict
        For each of these columns, and each of its values in the order of numbers or of text, an array of shape
        (n_images,), bool. Ages are in the `AGE_BANDS`, since most decades hold few patients. A column of
        which nothing is known is left out, and so is a subtype that is the label itself.
    """
    rows = manifest.set_index("image").reindex(predictions["image"])
    values: dict[str, pd.Series] = {column: rows[column] for column in AS_THEY_ARE if column in rows}
    if "subtype" in values and (rows["subtype"].to_numpy() == predictions["label"].to_numpy()).all():
        del values["subtype"]
    if "magnification" in rows:
        values = {"magnification": rows["magnification"]} | values
    if "age" in rows:
        years = pd.to_numeric(rows["age"], errors="coerce")
        values["age"] = pd.cut(years, AGE_EDGES, right=False, labels=AGE_BANDS)
    subgroups = {column: _members(of) for column, of in values.items()}
    return {column: members for column, members in subgroups.items() if members}


def _members(values: pd.Series) -> dict[str, Bools]:
    """The images of each value that is known."""
    known = values.dropna()
    if isinstance(known.dtype, pd.CategoricalDtype):
        names = [name for name in known.cat.categories if (known == name).any()]
    else:
        names = sorted(known.unique())
    return {str(name): (values == name).to_numpy(bool) for name in names if str(name) not in UNKNOWN}


def assess_subgroups(
    images: Units,
    subgroups: Mapping[str, Mapping[str, Bools]],
    thresholds: Mapping[str, float],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Score each subgroup of the test part, at the thresholds of the whole.

    A patient's score is the mean over the patient's images in the subgroup. A subgroup of one class has no AUC of
    its own; that of a subtype, which never has more than one, is its images' against all images of the other class.

    Parameters
    ----------
    images : Units
        One unit an image of the test part.
    subgroups : mapping
        See `list_subgroups`.
    thresholds : mapping of str to float
        Of ``image`` and ``patient``.
    resamples : int
        Of the bootstrap over the subgroup's patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``subgroups[column][value][level]``: ``n`` (units), ``n_patients``, those of `METRICS` that are defined, and
        ``ci`` (their 95 % intervals); with fewer than `FEWEST_PATIENTS` patients the sizes only.
    """
    return {
        column: {
            name: _assess_subgroup(images, rows, column == "subtype", thresholds, resamples, seed)
            for name, rows in members.items()
        }
        for column, members in subgroups.items()
    }


def _assess_subgroup(
    images: Units, rows: Bools, subtype: bool, thresholds: Mapping[str, float], resamples: int, seed: int
) -> dict[str, Any]:
    own = images.select(rows)
    levels = {"image": own, "patient": patient_units(own)}
    found = {level: _assess_level(units, thresholds[level], resamples, seed) for level, units in levels.items()}
    if subtype and own.n_patients >= FEWEST_PATIENTS and not own.patients_of(not own.truth[0]):
        against = images.select(rows | (images.truth != own.truth[0]))
        for level, units in (("image", against), ("patient", patient_units(against))):
            auc = _metrics(units, _auc_of(units), resamples, seed)
            found[level] = {**found[level], **auc, "ci": found[level]["ci"] | auc["ci"]}
    return found


def _auc_of(units: Units) -> Statistic:
    return lambda counts: {"auc": rank_metrics_within(units, counts)[0]}


def _assess_level(units: Units, threshold: float, resamples: int, seed: int) -> dict[str, Any]:
    sizes = {"n": len(units.truth), "n_patients": units.n_patients}
    if units.n_patients < FEWEST_PATIENTS:
        return sizes

    def statistic(counts: Integers) -> dict[str, Floats]:
        values = weighted_metrics(units, units.scores >= threshold, counts)
        return {name: values[name] for name in METRICS}

    return sizes | _metrics(units, statistic, resamples, seed)


def _metrics(units: Units, statistic: Statistic, resamples: int, seed: int) -> dict[str, Any]:
    """What `statistic` gives, where it is defined, with intervals."""
    whole = {name: float(of[0]) for name, of in statistic(np.ones((1, units.n_patients), np.int64)).items()}
    metrics = {name: value for name, value in whole.items() if np.isfinite(value)}
    values = bootstrap(units, statistic, resamples, generator(seed, "evaluate", "bootstrap"))
    limits = {name: metric_interval(name, value, values[name], units) for name, value in metrics.items()}
    return {**metrics, "ci": limits}
