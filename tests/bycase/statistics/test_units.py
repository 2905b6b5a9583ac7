from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.statistics.units import Units, image_units, join_groups, patient_units

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


def joined(one: str, other: str) -> list[int]:
    return join_groups(pd.Series(list(one)), pd.Series(list(other))).tolist()


@pytest.mark.parametrize(
    ("manifest_group", "split_group", "expected"),
    [
        ("aabbcc", "aabbcc", [0, 0, 1, 1, 2, 2]),  # a split by patient
        ("aabbcc", "uvwxyz", [0, 0, 1, 1, 2, 2]),  # by image: patients stay whole
        ("aabbcc", "uvvxyz", [0, 0, 0, 0, 1, 1]),  # by image, one of two patients' duplicates joined
        ("aabbcc", "aaaabb", [0, 0, 0, 0, 1, 1]),  # by patient, a and b joined; the split's b is not the manifest's
        ("abcdef", "ppqqrr", [0, 0, 1, 1, 2, 2]),  # every image its own patient, duplicates joined
        ("abbccd", "xxyyzz", [0, 0, 0, 0, 0, 0]),  # a chain
        ("cab", "xyz", [2, 0, 1]),  # in the order of the manifest's names
    ],
)
def test_what_the_split_joined_is_one_patient(manifest_group: str, split_group: str, expected: list[int]) -> None:
    assert joined(manifest_group, split_group) == expected


def test_predictions_of_joined_groups_have_joined_patients() -> None:
    predictions = table().assign(group=["p1", "p1", "p1", "p2", "p2"])  # p2 and p3 share a picture
    units = image_units(predictions, manifest(), CLASSES, "Malignant", NAME)
    assert units.patient.tolist() == [0, 0, 0, 1, 1]
    assert patient_units(units).scores.tolist() == pytest.approx([0.2, 0.6, 0.75])


def test_a_patient_has_one_unit_a_stratum_and_class() -> None:
    random = np.random.default_rng(0)
    patient = np.append(random.integers(0, 9, 191), np.arange(9))
    images = Units(random.random(200) < 0.5, random.random(200), patient, random.integers(0, 4, 200))
    frame = pd.DataFrame({"s": images.stratum, "p": images.patient, "t": images.truth, "score": images.scores})
    expected = frame.groupby(["s", "p", "t"])["score"].mean()
    patients = patient_units(images)
    assert list(zip(patients.stratum, patients.patient, patients.truth, strict=True)) == list(expected.index)
    np.testing.assert_allclose(patients.scores, expected)


def test_selected_units_have_patients_without_gaps() -> None:
    units = Units(np.array([1, 0, 1, 0], bool), np.arange(4) / 4, np.array([0, 3, 3, 7]), np.array([0, 1, 0, 1]))
    chosen = units.select(np.array([False, True, True, True]))
    assert (chosen.patient.tolist(), chosen.n_patients) == ([0, 0, 1], 2)
    assert (chosen.truth.tolist(), chosen.stratum.tolist()) == ([False, True, False], [1, 0, 1])
    assert chosen.scores.tolist() == [0.25, 0.5, 0.75]
