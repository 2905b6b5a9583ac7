"""Metrics by subgroup of the test part: magnification, subtype, and what is known of the patients."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metrics import point_metrics, weighted_metrics
from bycase.statistics.units import Bools, Units, patient_units
from bycase.tables.manifest import more_columns

METRICS = ("auc", "accuracy", "balanced_accuracy", "macro_f1", "sensitivity", "specificity")
AS_THEY_ARE = ("subtype", "site", "sex")  # columns of the manifest
UNKNOWN = ("", "0")  # a magnification of 0: the data set has none
AGE_EDGES, AGE_BANDS = (40, 60), ("under 40", "40 to 59", "60 and over")  # years
FEW = 6  # different numbers that stand for themselves, such as grades; more are cut into bands
FEWEST_PATIENTS = 2  # one patient says nothing of how patients differ


def list_subgroups(
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    edges: Mapping[str, Sequence[float]] | None = None,
    more: Sequence[str] = (),
) -> dict[str, dict[str, Bools]]:
    """Which images are of which subgroup; an image may be of none.

    Parameters
    ----------
    predictions : DataFrame with the columns ``image``, ``label``
        One row an image.
    manifest : DataFrame with the column ``image``
        Of ``magnification``, ``subtype``, ``site``, ``sex`` and ``age`` those that are there count, and columns that
        only this data set has.
    edges : mapping of str to sequence of float, optional
        Where numbers of a column are cut, rising; by default at the tertiles of all images.
    more : sequence of str
        Further columns of the manifest that count, each as it is.

    Returns
    -------
    dict
        For each of these columns, and each of its values in the order of numbers or of text, an array of shape
        (n_images,), bool. Ages are in the `AGE_BANDS`, since most decades hold few patients. A column of
        which nothing is known is left out, and so is a subtype that is the label itself.
    """
    edges = edges or {}
    rows = manifest.set_index("image").reindex(predictions["image"])
    values: dict[str, pd.Series] = {column: rows[column] for column in (*AS_THEY_ARE, *more) if column in rows}
    if "subtype" in values and (rows["subtype"].to_numpy() == predictions["label"].to_numpy()).all():
        del values["subtype"]
    if "magnification" in rows:
        values = {"magnification": rows["magnification"]} | values
    if "age" in rows:
        years = pd.to_numeric(rows["age"], errors="coerce")
        own = edges.get("age", AGE_EDGES)
        values["age"] = cut_numbers(years, own) if own != AGE_EDGES else _cut(years, AGE_EDGES, AGE_BANDS)
    for column in more_columns(manifest):
        values[column] = _bands(rows[column], manifest[column], edges.get(column))
    subgroups = {column: _members(members) for column, members in values.items()}
    return {column: members for column, members in subgroups.items() if members}


def cut_numbers(numbers: pd.Series, edges: Sequence[float]) -> pd.Series:
    """Numbers in bands, named by their edges; a number at an edge belongs to the band above it."""
    names = [f"{edge:g}" for edge in edges]
    inner = [f"{low} to under {high}" for low, high in itertools.pairwise(names)]
    return _cut(numbers, edges, (f"under {names[0]}", *inner, f"{names[-1]} and over"))


def _cut(numbers: pd.Series, edges: Sequence[float], names: Sequence[str]) -> pd.Series:
    return pd.cut(numbers, (-np.inf, *edges, np.inf), right=False, labels=list(names))


def _bands(values: pd.Series, everything: pd.Series, edges: Sequence[float] | None) -> pd.Series:
    """A column as it is, or in bands where it holds more than a `FEW` different numbers."""
    known = everything[~everything.isin(UNKNOWN[:1])]
    numbers = pd.to_numeric(known, errors="coerce")
    if edges is None and (numbers.isna().any() or numbers.nunique() <= FEW):
        return values
    if edges is None:
        tertiles = np.quantile(numbers, (1 / 3, 2 / 3), method="nearest")
        edges = sorted({float(f"{edge:.3g}") for edge in tertiles} - {float(numbers.min())})
    return cut_numbers(pd.to_numeric(values, errors="coerce"), edges) if edges else values


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
    thresholds: Mapping[str, float | None],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Score each subgroup of the test part, at the thresholds of the whole.

    A patient's score is the mean over the patient's images in the subgroup. A subgroup of one class has no mean over
    classes and no AUC of its own; with a positive class, that of a subtype, which never has more than one class, is its
    images' against all images of the other class.

    Parameters
    ----------
    images : Units
        One unit an image of the test part.
    subgroups : mapping
        See `list_subgroups`.
    thresholds : mapping of str to float or None
        Of ``image`` and ``patient``; None without a positive class, or where images keep the classes they come with.
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
    if thresholds["image"] is not None:
        images = images.with_threshold(thresholds["image"])
    return {
        column: {
            name: _assess_subgroup(images, rows, column == "subtype", thresholds["patient"], resamples, seed)
            for name, rows in members.items()
        }
        for column, members in subgroups.items()
    }


def _assess_subgroup(
    images: Units, rows: Bools, subtype: bool, threshold: float | None, resamples: int, seed: int
) -> dict[str, Any]:
    own = images.select(rows)
    content = {
        level: _assess_level(units, METRICS, resamples, seed)
        for level, units in (("image", own), ("patient", patient_units(own, threshold)))
    }
    if subtype and images.positive is not None and own.n_patients >= FEWEST_PATIENTS and not np.ptp(own.truth):
        against = images.select(rows | (images.truth != own.truth[0]))
        for level, units in (("image", against), ("patient", patient_units(against, threshold))):
            ranked = _assess_level(units, ("auc",), resamples, seed)
            content[level] |= {"auc": ranked["auc"], "ci": content[level]["ci"] | ranked["ci"]}
    return content


def _assess_level(units: Units, names: Sequence[str], resamples: int, seed: int) -> dict[str, Any]:
    """The metrics of these names, where they are defined, with intervals."""
    sizes = {"n": len(units.truth), "n_patients": units.n_patients}
    if units.n_patients < FEWEST_PATIENTS:
        return sizes
    whole = point_metrics(units)
    values = bootstrap(
        units, lambda counts: weighted_metrics(units, counts), resamples, generator(seed, "evaluate", "bootstrap")
    )
    metrics = {name: whole[name] for name in names if np.isfinite(whole.get(name, np.nan))}
    limits = {name: metric_interval(name, value, values[name], units) for name, value in metrics.items()}
    return {**sizes, **metrics, "ci": limits}
