from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bycase.statistics.multiclass.units import ClassUnits, class_units, patient_class_units

from bycase.core.errors import UserError

CLASSES = ("Benign", "Malignant", "Normal")
NAME = Path("test.csv")


def table() -> pd.DataFrame:
    labels = ["Normal", "Benign", "Malignant", "Malignant", "Benign"]
    scores = [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.4, 0.4, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]
    frame = pd.DataFrame({"image": list("abcde"), "group": list("abcde"), "label": labels})
    return frame.join(pd.DataFrame(scores, columns=list(CLASSES)))


def manifest() -> pd.DataFrame:
    return pd.DataFrame({"image": list("edcbaz"), "group": ["p2", "p2", "p1", "p1", "p1", "p9"]})


def test_scores_follow_the_classes_and_patients_the_manifest() -> None:
    units = class_units(table(), manifest(), CLASSES, NAME)
    assert units.truth.tolist() == [2, 0, 1, 1, 0]
    assert units.scores[3].tolist() == [0.1, 0.8, 0.1]
    assert units.patient.tolist() == [0, 0, 0, 1, 1]
    assert units.predicted.tolist() == [2, 0, 0, 1, 2]  # of equals the first
    assert units.right.tolist() == [True, True, False, True, False]
    assert units.classes_of_patients.tolist() == [[True, True, True], [True, True, False]]
    turned = class_units(table(), manifest(), CLASSES[::-1], NAME)
    assert turned.truth.tolist() == [0, 2, 1, 1, 2]
    np.testing.assert_array_equal(turned.scores, units.scores[:, ::-1])


def test_one_class_against_the_rest() -> None:
    rest = class_units(table(), manifest(), CLASSES, NAME).against_rest(1)
    assert rest.truth.tolist() == [False, False, True, True, False]
    assert rest.scores.tolist() == [0.3, 0.2, 0.4, 0.8, 0.3]
    assert (rest.patients_of(True), rest.patients_of(False)) == (2, 2)


def test_a_patient_counts_once_a_class_with_mean_probabilities() -> None:
    random = np.random.default_rng(0)
    patient = np.unique(random.integers(0, 20, 300), return_inverse=True)[1]
    images = ClassUnits(CLASSES, random.integers(0, 3, 300), random.dirichlet([1, 1, 1], 300), patient)
    frame = pd.DataFrame(images.scores).assign(patient=patient, truth=images.truth)
    expected = frame.groupby(["patient", "truth"]).mean()
    patients = patient_class_units(images)
    np.testing.assert_allclose(patients.scores, expected.to_numpy())
    assert list(zip(patients.patient, patients.truth, strict=True)) == list(expected.index)


def test_what_cannot_be_scored_is_a_users_error() -> None:
    with pytest.raises(UserError, match=r"test\.csv: no image of class Normal.*change split\.validation"):
        class_units(table()[1:], manifest(), CLASSES, NAME)
    with pytest.raises(UserError, match=r"image e is not in data/manifest\.csv"):
        class_units(table(), manifest()[1:], CLASSES, NAME)
