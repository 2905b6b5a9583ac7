"""Prediction sets that hold the true class with a stated probability, calibrated on validation.

Split conformal prediction (Vovk, V., Gammerman, A. and Shafer, G., 2005, Algorithmic Learning in a Random World;
Angelopoulos, A. N. and Bates, S., 2023, Conformal Prediction: A Gentle Introduction, Foundations and Trends in Machine
Learning 16(4)): a class is in the set if its probability reaches what enough validation images give to their own.
That counts images, and promises nothing for a new patient: images of one patient are alike. Weighting each validation
patient the same, whatever the number of images, promises it for an image of a new patient (Lee, Y., Barber, R. F. and
Willett, R., 2023, Distribution-free Inference with Hierarchical Data, arXiv:2306.06342).

The promise holds for patients exchangeable with those of validation. Validation has also chosen the epoch, so that
the network may know it a little better than a new patient; what is reached is therefore measured on test.
"""

import math
from typing import Any

import numpy as np

from bycase.statistics.bootstrap import divide
from bycase.statistics.intervals import mean_interval, rate_interval, share_interval
from bycase.statistics.metrics import patient_scores
from bycase.statistics.units import Bools, Floats, Integers, Units

ROUNDING = 1e-9


def conformal_threshold_of_images(own: Floats, coverage: float) -> float:
    """The probability from which a class is in the set, each validation image counting the same.

    Parameters
    ----------
    own : ndarray of shape (n_images,), float64, in [0, 1]
        Probability that each validation image's true class is given.
    coverage : float, in (0, 1)
        Share of sets that shall hold the true class.

    Returns
    -------
    float, in [0, 1]
        The ``ceil((n + 1) * coverage)``-th largest of `own`; 0, which lets every class in, where there are too few.
    """
    place = math.ceil((len(own) + 1) * coverage - ROUNDING)
    return float(np.sort(own)[::-1][place - 1]) if place <= len(own) else 0.0


def conformal_threshold_of_patients(own: Floats, patient: Integers, coverage: float) -> float:
    """The probability from which a class is in the set, each validation patient counting the same.

    Parameters
    ----------
    own : ndarray of shape (n_images,), float64, in [0, 1]
        See `conformal_threshold_of_images`.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.
    coverage : float, in (0, 1)
        Mean over patients of the share of their sets that shall hold the true class.

    Returns
    -------
    float, in [0, 1]
        Of `own`, the largest that images reach whose patients' shares together make ``coverage`` of ``n_patients + 1``
        patients; 0, which lets every class in, where there are too few.
    """
    images = np.bincount(patient)
    order = np.argsort(-own, kind="stable")
    weight = 1 / ((len(images) + 1) * images[patient[order]])
    reached = np.flatnonzero(np.cumsum(weight) >= coverage - ROUNDING)
    return float(own[order[reached[0]]]) if len(reached) else 0.0


def calibrate_sets(validation: Units, coverage: float) -> dict[str, dict[str, float]]:
    """Calibrate prediction sets by image and by patient.

    Parameters
    ----------
    validation : Units
        One unit an image.
    coverage : float, in (0, 1)
        Share of sets that shall hold the true class.

    Returns
    -------
    dict
        ``image`` and ``patient``, each with ``conformal_threshold``; ``n_calibration``, how many validation images or
        patients; and ``attainable``, the largest coverage that so many allow without letting every class in.
    """
    own = validation.scores[np.arange(len(validation.truth)), validation.truth]
    thresholds = {
        "image": (conformal_threshold_of_images(own, coverage), len(own)),
        "patient": (conformal_threshold_of_patients(own, validation.patient, coverage), validation.n_patients),
    }
    return {
        level: {"conformal_threshold": threshold, "n_calibration": n, "attainable": n / (n + 1)}
        for level, (threshold, n) in thresholds.items()
    }


def make_sets(scores: Floats, conformal_threshold: float) -> Bools:
    """Whether each class is in each image's set; (n_images, n_classes)."""
    return scores >= conformal_threshold


def assess_sets(sets: Bools, truth: Integers, patient: Integers, coverage: float) -> dict[str, Any]:
    """What prediction sets reach.

    Parameters
    ----------
    sets : ndarray of shape (n_images, n_classes), bool
        Whether each class is in each image's set.
    truth : ndarray of shape (n_images,), int64, in [0, n_classes)
        The true class.
    patient : ndarray of shape (n_images,), int64, in [0, n_patients)
        Whose each image is.
    coverage : float, in (0, 1)
        What was aimed at.

    Returns
    -------
    dict
        ``coverage``, the share of images whose set holds the true class; ``patient_coverage``, the mean over patients
        of that share; ``patients_covered``, the share of patients of whose images at least `coverage` are; ``size``,
        the mean number of classes in a set; ``singletons`` and ``empty``, the shares of sets of one class and of none;
        ``ci``: of each its 95 % interval.
    """
    covered, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1).astype(np.float64)
    share = patient_scores(covered, patient)
    reached = share >= coverage - ROUNDING
    patients, images = np.arange(len(share)), np.ones(len(truth), bool)
    everyone = np.ones(len(share), bool)
    shares = {"coverage": covered, "singletons": size == 1, "empty": size == 0}
    limits = {name: rate_interval(values, images, patient) for name, values in shares.items()}
    return {
        **{name: float(values.mean()) for name, values in shares.items()},
        "size": float(size.mean()),
        "patient_coverage": float(share.mean()),
        "patients_covered": float(reached.mean()),
        "ci": {
            **limits,
            "size": mean_interval(size, patient, (0.0, float(sets.shape[1]))),
            "patient_coverage": share_interval(share, everyone, patients),
            "patients_covered": rate_interval(reached, everyone, patients),
        },
    }


def coverage_of_classes(sets: Bools, truth: Integers) -> Floats:
    """The share of each class's images whose set holds it, 0 without any; (n_classes,), float64, in [0, 1]."""
    members = np.eye(sets.shape[1])[truth].T
    return divide(members @ sets[np.arange(len(truth)), truth], members.sum(axis=1), 0.0)
