"""A trained classifier, with all that it decides by locked, on another data set: what holds, and what has changed.

The two data sets have different patients, so that their results are independent. The change's 95 % interval is made of
both results' own: the MOVER method (Zou, G. Y. and Donner, A., 2008,
Construction of confidence intervals about effect measures: a general approach, Statistics in Medicine 27(10)), which
for two proportions is method 10 of Newcombe (1998, Statistics in Medicine 17(8)).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np

from bycase.statistics.assessment import assess_level
from bycase.statistics.calibration.assessment import assess_temperatures
from bycase.statistics.calibration.temperature import scale_units
from bycase.statistics.conformal import assess_sets
from bycase.statistics.decisions import describe_decisions
from bycase.statistics.intervals import rate_interval
from bycase.statistics.pooling import Pooling
from bycase.statistics.units import Bools, Units, patient_units
from bycase.tables.results import read_results

RESULTS = Path("metrics/external.json")
MEASURES = (
    ("AUC by image", "image", "auc"),
    ("AUC by patient", "patient", "auc"),
    ("accuracy by image", "image", "accuracy"),
    ("accuracy by patient", "patient", "accuracy"),
    ("balanced accuracy by image", "image", "balanced_accuracy"),
    ("sensitivity by image", "image", "sensitivity"),
    ("specificity by image", "image", "specificity"),
    ("sensitivity by patient", "patient", "sensitivity"),
    ("specificity by patient", "patient", "specificity"),
    ("calibration slope by image", "calibration.image.after", "slope"),
    ("calibration intercept by image", "calibration.image.after", "intercept"),
    ("calibration-in-the-large by image", "calibration.image.after", "in_the_large"),
    ("Brier score by image", "calibration.image.after", "brier"),
    ("coverage of prediction sets", "sets.patient", "coverage"),
    ("classes per prediction set", "sets.patient", "size"),
    ("flagged as unlike", "unlike", "share"),
)
METHOD = (
    "Each interval is by the patients of its data set; that of a change joins both by MOVER (Zou and Donner, 2008), as "
    "of two independent samples."
)


@dataclass(frozen=True)
class Locked:
    """What the classifier decides by, none of which the external data set changes.

    Attributes
    ----------
    thresholds : mapping
        Of ``image`` and ``patient``: the positive class's; None without one.
    temperatures : mapping
        Of ``image`` and ``patient``; see `bycase.statistics.calibration.temperature`.
    points : mapping
        Of ``image`` and ``patient``: thresholds of operating points by name, empty without a positive class.
    coverage : float, in (0, 1)
        What the prediction sets aim at.
    pooling : Pooling
        How patients are made of images.
    """

    thresholds: Mapping[str, float | None]
    temperatures: Mapping[str, float]
    points: Mapping[str, Mapping[str, float]]
    coverage: float
    pooling: Pooling = field(default_factory=Pooling)


@dataclass(frozen=True)
class Sample:
    """What the classifier says of one data set's images.

    Attributes
    ----------
    images : Units
        One unit an image; the classes predicted are not looked at.
    sets : mapping of str to ndarray of shape (n_images, n_classes), bool
        Whether each class is in the prediction set, calibrated by ``image`` and by ``patient``.
    unlike : ndarray of shape (n_images,), bool
        Whether the image is flagged as unlike the training images.
    """

    images: Units
    sets: Mapping[str, Bools]
    unlike: Bools


def assess_external(
    internal: Sample, external: Sample, locked: Locked, resamples: int, seed: int, prevalence: float | None = None
) -> dict[str, dict[str, Any]]:
    """Score a classifier on its own test part and on another data set, and the change from one to the other.

    Parameters
    ----------
    internal, external : Sample
        Of different patients.
    locked : Locked
        What the classifier decides by.
    resamples : int
        Of the bootstrap over patients, of each data set.
    seed : int
        The pipeline's seed.
    prevalence : float, in (0, 1), optional
        Share of the positive class where the classifier is used.

    Returns
    -------
    dict
        ``internal`` and ``external``, each as of `assess_sample`; ``change``: external less internal, see
        `subtract`.
    """
    scores = {
        name: assess_sample(sample, locked, resamples, seed, prevalence)
        for name, sample in (("internal", internal), ("external", external))
    }
    return {**scores, "change": subtract(scores["external"], scores["internal"])}


def assess_sample(
    sample: Sample, locked: Locked, resamples: int, seed: int, prevalence: float | None = None
) -> dict[str, Any]:
    """Score a classifier on one data set.

    Returns
    -------
    dict
        ``image`` and ``patient``: see `bycase.statistics.assessment.assess_level`. ``calibration``: of ``image`` and
        ``patient``, see `bycase.statistics.calibration.assessment.assess_temperatures`. ``sets``: by the level that
        they were calibrated on, see `bycase.statistics.conformal.assess_sets`. ``unlike.share``: of images.
        ``decisions``, with a positive class: see `bycase.statistics.decisions.describe_decisions`. All but
        counts and thresholds have 95 % intervals in a ``ci`` beside them.
    """
    images = replace(sample.images, pooling=locked.pooling).with_threshold(locked.thresholds["image"])
    units = {"image": images, "patient": patient_units(images, locked.thresholds["patient"])}
    of_patients = {"image": None, "patient": images}
    content: dict[str, Any] = {
        level: assess_level(each, locked.thresholds[level], locked.points[level], of_patients[level], resamples, seed)
        for level, each in units.items()
    }
    content["calibration"] = {
        level: assess_temperatures(each, locked.temperatures[level], seed) for level, each in units.items()
    }
    scaled = scale_units(units["patient"], locked.temperatures["patient"])
    if decisions := describe_decisions(units, scaled, prevalence, seed):
        content["decisions"] = decisions
    content["sets"] = {
        level: assess_sets(held, images.truth, images.patient, locked.coverage) for level, held in sample.sets.items()
    }
    everything = np.ones(len(sample.unlike), bool)
    share = {"share": float(sample.unlike.mean())}
    content["unlike"] = share | {"ci": {"share": rate_interval(sample.unlike, everything, images.patient)}}
    return content


def subtract(external: Mapping[str, Any], internal: Mapping[str, Any]) -> dict[str, Any]:
    """The change of every number that has an interval in both, of results nested alike.

    Parameters
    ----------
    external, internal : mapping
        Numbers, each with its interval in the ``ci`` beside it, and mappings of such.

    Returns
    -------
    dict
        The differences, external less internal, and their intervals, in the same form; see `change_interval`.
    """
    changes: dict[str, Any] = {}
    limits = external.get("ci", {})
    for name, value in external.items():
        if name in limits and name in internal.get("ci", {}) and "low" in limits[name]:
            changes[name] = value - internal[name]
            changes.setdefault("ci", {})[name] = change_interval(
                value, limits[name], internal[name], internal["ci"][name]
            )
        elif isinstance(value, Mapping) and name not in ("ci", "per_class"):
            nested = subtract(value, internal.get(name, {}))
            changes |= {name: nested} if nested else {}
    return changes


def change_interval(
    external: float, external_limits: Mapping[str, float], internal: float, internal_limits: Mapping[str, float]
) -> dict[str, float]:
    """The 95 % interval of `external` less `internal`, independent of each other, from theirs.

    Returns
    -------
    dict with the keys ``low`` and ``high``
        The distance from the difference to either is the root of the sum of squares of both estimates' distances to
        their own limits, on the side that makes the difference smaller, or larger.
    """
    difference = external - internal
    down = math.hypot(external - external_limits["low"], internal_limits["high"] - internal)
    up = math.hypot(external_limits["high"] - external, internal - internal_limits["low"])
    return {"low": difference - down, "high": difference + up}


def read_external() -> dict[str, Any] | None:
    """The content of ``metrics/external.json``; None without an external test set."""
    return read_results(RESULTS, "external") or None


def list_measures(content: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]], str]]:
    """The main measures that there are, in the order of tables and figures; by image only where patients are unknown.

    Parameters
    ----------
    content : mapping
        What `assess_external` returns, and, where either data set names no patients, a ``note``.

    Returns
    -------
    list of (str, list of mapping, str)
        The measure in words; the numbers of the internal test part, the external test set and the change that it is
        among, each with intervals in ``ci``; and its name there.
    """
    rows = []
    for words, keys, name in MEASURES:
        if "note" in content and keys == "patient":
            continue
        sides = [reduce(getitem, keys.split("."), content[side]) for side in ("internal", "external", "change")]
        if name in sides[0]:
            rows.append((words, sides, name))
    return rows
