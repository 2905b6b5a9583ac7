from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.common.errors import UserError
from stages.evaluate.units import Units, image_units, patient_units

CLASSES = ("Benign", "Malignant")
NAME = Path("test.csv")


def table() -> pd.DataFrame:
    positive = np.array([0.1, 0.3, 0.6, 0.8, 0.7])
    return pd.DataFrame(
        {
            "image": list("abcde"),
            "group": list("abcde"),  # a split by image
            "label": ["Benign", "Benign", "Malignant", "Malignant", "Malignant"],
            "Benign": 1 - positive,
            "Malignant": positive,
        }
    )


def manifest() -> pd.DataFrame:
    return pd.DataFrame({"image": list("edcbaz"), "group": ["p3", "p2", "p1", "p1", "p1", "p9"]})


def test_the_patient_is_the_manifests_group_not_the_splits() -> None:
    units = image_units(table(), manifest(), CLASSES, "Malignant", NAME)
    assert units.truth.tolist() == [False, False, True, True, True]
    assert units.scores.tolist() == [0.1, 0.3, 0.6, 0.8, 0.7]
    assert units.patient.tolist() == [0, 0, 0, 1, 2]
    assert units.n_patients == 3
    assert (units.patients_of(True), units.patients_of(False)) == (3, 1)


def test_scores_follow_the_positive_class() -> None:
    units = image_units(table(), manifest(), CLASSES, "Benign", NAME)
    assert units.truth.tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(units.scores, [0.9, 0.7, 0.4, 0.2, 0.3])


def test_a_patients_score_is_the_mean_and_two_labels_make_two_units() -> None:
    patients = patient_units(image_units(table(), manifest(), CLASSES, "Malignant", NAME))
    assert patients.patient.tolist() == [0, 0, 1, 2]
    assert patients.truth.tolist() == [False, True, True, True]
    np.testing.assert_allclose(patients.scores, [0.2, 0.6, 0.8, 0.7])


def test_aggregation_agrees_with_pandas() -> None:
    random = np.random.default_rng(3)
    patient = np.unique(random.integers(0, 30, 400), return_inverse=True)[1]
    images = Units(random.random(400) < 0.5, random.random(400), patient)
    frame = pd.DataFrame({"patient": patient, "truth": images.truth, "score": images.scores})
    expected = frame.groupby(["patient", "truth"])["score"].mean()
    patients = patient_units(images)
    np.testing.assert_allclose(patients.scores, expected.to_numpy())
    assert list(zip(patients.patient, patients.truth, strict=True)) == list(expected.index)


def test_undefined_scores_are_a_users_error() -> None:
    with pytest.raises(UserError, match="no image of class Malignant"):
        image_units(table()[:2], manifest(), CLASSES, "Malignant", NAME)
    with pytest.raises(UserError, match=r"image d is not in data/manifest\.csv"):
        image_units(table(), manifest()[2:].assign(), CLASSES, "Malignant", NAME)
