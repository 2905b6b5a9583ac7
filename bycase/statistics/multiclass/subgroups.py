"""Metrics of several classes by subgroup; see `bycase.statistics.subgroups`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bycase.core.seeding import generator
from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.intervals import metric_interval
from bycase.statistics.multiclass.bootstrap import BY_CLASS, MEAN_OF, weighted_class_metrics
from bycase.statistics.multiclass.intervals import mean_interval
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units
from bycase.statistics.subgroups import FEWEST_PATIENTS
from bycase.statistics.units import Bools

MEANS = ("auc", "balanced_accuracy", "macro_f1")


def assess_class_subgroups(
    images: ClassUnits, subgroups: Mapping[str, Mapping[str, Bools]], resamples: int, seed: int
) -> dict[str, Any]:
    """Score each subgroup of the test part.

    Parameters
    ----------
    images : ClassUnits
        One unit an image of the test part.
    subgroups : mapping
        See `bycase.statistics.subgroups.list_subgroups`.
    resamples : int
        Of the bootstrap over the subgroup's patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``subgroups[column][value][level]``: ``n`` (units), ``n_patients``, ``accuracy``, and of `MEANS` the means over
        the classes that the subgroup holds, if there are several; ``ci`` (95 % intervals); with fewer than
        `bycase.statistics.subgroups.FEWEST_PATIENTS` patients the sizes only.
    """
    return {
        column: {name: _assess_subgroup(images.select(rows), resamples, seed) for name, rows in members.items()}
        for column, members in subgroups.items()
    }


def _assess_subgroup(images: ClassUnits, resamples: int, seed: int) -> dict[str, Any]:
    levels = {"image": images, "patient": patient_class_units(images)}
    return {level: _assess_level(units, resamples, seed) for level, units in levels.items()}


def _assess_level(units: ClassUnits, resamples: int, seed: int) -> dict[str, Any]:
    sizes = {"n": len(units.truth), "n_patients": units.n_patients}
    if units.n_patients < FEWEST_PATIENTS:
        return sizes
    whole = weighted_class_metrics(units, np.ones((1, units.n_patients), np.int64))
    values = bootstrap(
        units, lambda counts: weighted_class_metrics(units, counts), resamples, generator(seed, "evaluate", "bootstrap")
    )
    accuracy = float(whole["accuracy"][0])
    limits = {"accuracy": metric_interval("accuracy", accuracy, values["accuracy"], units.against_rest(0))}
    means = MEANS if np.ptp(units.truth) > 0 else ()
    for name in means:
        limits[name] = mean_interval(name, whole[BY_CLASS[MEAN_OF[name]]][0], values[name], units)
    return {
        **sizes,
        "accuracy": accuracy,
        **{name: float(whole[name][0]) for name in means},
        "ci": limits,
    }
