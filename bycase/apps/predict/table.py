"""Predictions as rows: of images, and of patients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import entr

from bycase.apps.classifier.classifier import Predictions, calibrate, decide
from bycase.apps.classifier.info import ClassifierCard
from bycase.apps.predict.patients import PatientSums
from bycase.statistics.units import Bools

Row = dict[str, Any]
SEPARATOR = "|"  # between the classes of a set


def make_rows(
    names: Sequence[str],
    predictions: Predictions,
    card: ClassifierCard,
    patients: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
) -> list[Row]:
    """One row an image.

    Returns
    -------
    list of dict
        ``image``; ``class``, the one decided for; ``probability_<class>``, calibrated; ``network_<class>``, the
        network's own, which the decision is made of; ``set`` and ``image_set``, the classes of the conformal sets
        calibrated by patients and by images, joined by `SEPARATOR`; ``entropy``, in nats; ``distance``; ``unlike``, 0
        or 1; with several views ``low``, ``high`` and ``disagreement``; ``patient`` and ``notes``, empty where there
        are none. See `bycase.apps.classifier.classifier.Predictions`.
    """
    rows = []
    for n, name in enumerate(names):
        row: Row = {"image": name, "class": card.classes[predictions.called[n]]}
        row |= {f"probability_{label}": float(predictions.probabilities[n, k]) for k, label in enumerate(card.classes)}
        row |= {f"network_{label}": float(predictions.scores[n, k]) for k, label in enumerate(card.classes)}
        row["set"] = _in_words(predictions.sets[n], card.classes)
        row["image_set"] = _in_words(predictions.image_sets[n], card.classes)
        row["entropy"] = float(predictions.entropy[n])
        row["distance"] = float(predictions.distance[n])
        row["unlike"] = int(predictions.unlike[n])
        for column in ("low", "high", "disagreement"):
            values = getattr(predictions, column)
            if values is not None:
                row[column] = float(values[n])
        row["patient"] = patients[n] if patients else ""
        row["notes"] = notes[n] if notes else ""
        rows.append(row)
    return rows


def make_patient_rows(sums: PatientSums, card: ClassifierCard) -> list[Row]:
    """One row a patient, by the mean of the images' network probabilities, with the patients' own threshold.

    Returns
    -------
    list of dict
        ``patient``, ``class``, ``probability_<class>``, ``network_<class>`` and ``entropy`` as of images; ``images``
        and ``unlike``, how many.
    """
    if not sums.scores:
        return []
    scores, classes = sums.means, card.classes
    probabilities, called = calibrate(card, scores, "patient"), decide(card, scores, "patient")
    entropy = entr(probabilities).sum(axis=1)
    return [
        {
            "patient": patient,
            "class": classes[called[n]],
            **{f"probability_{label}": float(probabilities[n, k]) for k, label in enumerate(classes)},
            **{f"network_{label}": float(scores[n, k]) for k, label in enumerate(classes)},
            "entropy": float(entropy[n]),
            "images": sums.images[patient],
            "unlike": sums.unlike[patient],
        }
        for n, patient in enumerate(sums.scores)
    ]


def _in_words(inside: Bools, classes: Sequence[str]) -> str:
    return SEPARATOR.join(np.array(classes)[inside].tolist())
