"""The parity gate: whether an export gives the network's own predictions on the validation images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bycase.networks.parity import (
    LARGEST_DIFFERENCE,
    LARGEST_FEATURE_DIFFERENCE,
    describe_breach,
    largest_difference,
    relative_difference,
)
from bycase.statistics.units import Floats, Integers

LARGEST_AUC_DIFFERENCE = 0.005  # of int8


@dataclass(frozen=True)
class Outputs:
    """What one form of the network gives for the validation images.

    Attributes
    ----------
    features : ndarray of shape (n_images, n_features), float32
    scores : ndarray of shape (n_images, n_classes), float64, in [0, 1]
        Rows sum to 1.
    """

    features: NDArray[np.float32]
    scores: Floats


@dataclass(frozen=True)
class Parity:
    """How an export compares with the network in Keras.

    Attributes
    ----------
    n_images : int
        Of validation.
    largest_difference : float
        Between probabilities.
    largest_feature_difference : float
        Relative to the largest feature in Keras.
    auc_keras, auc_export : float
        Of three classes or more, the mean of each against the rest.
    changed : DataFrame
        One row an image whose predicted class changes: ``image``, ``label``, the predictions ``keras`` and ``export``,
        and both probabilities of the class that Keras predicts, ``probability_keras`` and ``probability_export``.
    """

    n_images: int
    largest_difference: float
    largest_feature_difference: float
    auc_keras: float
    auc_export: float
    changed: pd.DataFrame


def compare(
    validation: pd.DataFrame, reference: Outputs, exported: Outputs, classes: Sequence[str], threshold: float | None
) -> Parity:
    """Compare an export with the network in Keras.

    Parameters
    ----------
    validation : DataFrame with the columns ``image`` and ``label``
        One row an image; every class occurs.
    reference, exported : Outputs
        For the same images, by Keras and by the export.
    classes : sequence of str
        The columns of the scores.
    threshold : float or None
        Of two classes, the probability from which the second is predicted; None: the most probable class is.
    """
    truth = pd.Index(classes).get_indexer(pd.Index(validation["label"])).astype(np.int64)
    before, after = decide(reference.scores, threshold), decide(exported.scores, threshold)
    rows = np.flatnonzero(before != after)
    names = np.array(classes)
    changed = pd.DataFrame(
        {
            "image": validation["image"].to_numpy(str)[rows],
            "label": validation["label"].to_numpy(str)[rows],
            "keras": names[before[rows]],
            "export": names[after[rows]],
            "probability_keras": reference.scores[rows, before[rows]],
            "probability_export": exported.scores[rows, before[rows]],
        }
    )
    return Parity(
        len(validation),
        largest_difference(reference.scores, exported.scores),
        relative_difference(reference.features, exported.features),
        _auc(truth, reference.scores),
        _auc(truth, exported.scores),
        changed,
    )


def decide(scores: Floats, threshold: float | None) -> Integers:
    """The predicted class of each row of scores (n_images, n_classes); (n_images,). See `compare`."""
    predicted = scores.argmax(axis=1) if threshold is None else scores[:, 1] >= threshold
    return predicted.astype(np.int64)


def find_breach(parity: Parity, exact: bool) -> str | None:
    """Say what an export misses: the numbers and their limits, in one line; None where it passes.

    `exact`: whether it is to give the same predictions; else, as int8, only the same AUC.
    """
    checks: tuple[tuple[str, float, float], ...]
    if exact:
        checks = (
            ("largest probability difference", parity.largest_difference, LARGEST_DIFFERENCE),
            ("largest relative feature difference", parity.largest_feature_difference, LARGEST_FEATURE_DIFFERENCE),
            ("changed decisions", len(parity.changed), 0),
        )
    else:
        checks = (("AUC difference", abs(parity.auc_export - parity.auc_keras), LARGEST_AUC_DIFFERENCE),)
    return describe_breach(checks)


def describe(parity: Parity) -> dict[str, Any]:
    """The comparison as JSON takes it, every changed decision included."""
    return {
        "images": "validation",
        "n_images": parity.n_images,
        "largest_difference": parity.largest_difference,
        "largest_feature_difference": parity.largest_feature_difference,
        "auc_keras": parity.auc_keras,
        "auc_export": parity.auc_export,
        "changed_decisions": parity.changed.to_dict("records"),
    }


def _auc(truth: Integers, scores: Floats) -> float:
    if scores.shape[1] == 2:
        return float(roc_auc_score(truth == 1, scores[:, 1]))
    return float(np.mean([roc_auc_score(truth == each, scores[:, each]) for each in range(scores.shape[1])]))
