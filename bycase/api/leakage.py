"""`bycase.leakage`: what a split by image would flatter on these features, against one by patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bycase.api.inputs import SEEDS, check_count, check_length, check_number, check_order, numbered, read_truth
from bycase.api.results import Estimate, Result, estimates
from bycase.core.wording import tenths
from bycase.statistics.leakage.levels import Levels
from bycase.statistics.leakage.meter import measure_leakage
from bycase.statistics.units import Floats


@dataclass(frozen=True, repr=False)
class Leakage(Result):
    """What `leakage` returns.

    Attributes
    ----------
    by_image, by_patient : mapping of str to Estimate
        ``auc`` and ``accuracy`` of a linear head, by image, under either split.
    inflation : mapping of str to Estimate
        By image less by patient, in points, paired by patient.
    folds, repeats : int
        Of the cross-validation.
    size : str
        Images and patients, in words.
    """

    by_image: Mapping[str, Estimate]
    by_patient: Mapping[str, Estimate]
    inflation: Mapping[str, Estimate]
    folds: int
    repeats: int
    size: str

    def __str__(self) -> str:
        return (
            f"{self.size}: split by image the AUC is {self.by_image['auc']}, split by patient "
            f"{self.by_patient['auc']}, a difference of {self.inflation['auc'].written(tenths)} points."
        )


def leakage(
    features: Any,
    y: Any,
    patient: Any,
    *,
    folds: int = 5,
    repeats: int = 5,
    logistic_C: float = 0.01,
    seed: int = 7,
) -> Leakage:
    """Cross-validate a linear head on the same features, split by image and split by patient.

    Parameters
    ----------
    features : array_like of shape (n_images, n_features), float
        Of a frozen network, or any others that were made without the labels.
    y : array_like of shape (n_images,)
        The classes.
    patient : array_like of shape (n_images,)
        Whose each image is; some need several images.
    folds : int, from 2 to 20
        Of each cross-validation; each class needs as many patients.
    repeats : int, from 1 to 100
        With other folds, over which is averaged.
    logistic_C : float, above 0
        scikit-learn's ``C`` of the head, a logistic regression on standardised features.
    seed : int
        Draws the folds.

    Returns
    -------
    Leakage
        Prints as a sentence.

    Raises
    ------
    ValueError
        If the inputs do not fit together, a class has too few patients, or no patient has two images.

    Examples
    --------
    Features that know more of the patient than of the class:

    >>> import bycase
    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> patient = np.repeat(np.arange(20), 6)
    >>> y = patient % 2
    >>> features = 0.3 * y[:, None] + random.normal(size=(20, 30))[patient] + random.normal(size=(120, 30))
    >>> print(bycase.leakage(features, y, patient, repeats=2))
    120 images of 20 patients: split by image the AUC is .787 (95 % CI .588 to .896), split by patient .434 (95 %
    CI .263 to .626), a difference of 35.3 (95 % CI 23.1 to 47.5) points.
    """
    truth = read_truth(y, patient)
    if not truth.known:
        raise ValueError("patient: without patients there is nothing to compare a split by image with")
    check_order(y, features, "features")
    check_count(folds, "folds", 2, 20)
    check_count(repeats, "repeats", 1, 100)
    check_count(seed, "seed", *SEEDS)
    check_number(logistic_C, "logistic_C", 0, 1_000_000, ends=False)
    manifest = pd.DataFrame({"label": truth.labels, "group": truth.patient})
    groups = numbered(truth.patient)
    if groups.max() + 1 == len(groups):
        raise ValueError("patient: no patient has two images, so that a split by image leaks nothing")
    for label, patients in manifest.groupby("label")["group"].nunique().items():
        if patients < folds:
            raise ValueError(f"class {label} has {patients} patients, fewer than the {folds} folds; lower folds")
    levels = Levels({"image": np.arange(len(groups)), "group": groups}, {}, "group")
    content = measure_leakage(
        _read_features(features, len(groups)),
        manifest,
        levels,
        folds=folds,
        repeats=repeats,
        logistic_C=logistic_C,
        seed=seed,
    )
    return Leakage(
        by_image=estimates(content["image"]),
        by_patient=estimates(content["group"]),
        inflation=estimates(content["inflation"]),
        folds=folds,
        repeats=repeats,
        size=truth.size,
    )


def _read_features(features: Any, images: int) -> Floats:
    try:
        values = np.asarray(features, np.float64)
    except (TypeError, ValueError):
        raise ValueError("features: not all values are numbers") from None
    if values.ndim != 2:
        raise ValueError(f"features: of shape {values.shape}; give (n_images, n_features)")
    check_length(len(values), "features", images)
    if not np.isfinite(values).all():
        row = int((~np.isfinite(values).all(axis=1)).argmax())
        raise ValueError(f"features: NaN or no finite number, first in the row at position {row}")
    return values
