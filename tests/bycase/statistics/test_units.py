from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.statistics.units import HALF, Units, image_units, join_groups, patient_units, predict_classes
from tests.fixtures.units import binary_units, class_units

TWO, THREE = ("Benign", "Malignant"), ("Benign", "Malignant", "Normal")
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


def table_of_three() -> pd.DataFrame:
    labels = ["Normal", "Benign", "Malignant", "Malignant", "Benign"]
    scores = [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.4, 0.4, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]
    frame = pd.DataFrame({"image": list("abcde"), "group": list("abcde"), "label": labels})
    return frame.join(pd.DataFrame(scores, columns=list(THREE)))


def manifest() -> pd.DataFrame:
    return pd.DataFrame({"image": list("edcbaz"), "group": ["p3", "p2", "p1", "p1", "p1", "p9"]})


def test_two_classes_with_a_positive_one_are_told_apart_by_its_threshold() -> None:
    units = image_units(table(), manifest(), TWO, "Malignant", NAME, 0.7)
    assert (units.classes, units.positive, units.targets) == (TWO, 1, (1,))
    assert units.truth.tolist() == [0, 0, 1, 1, 1]
    assert units.scores[:, 1].tolist() == [0.1, 0.3, 0.6, 0.8, 0.7]
    assert units.predicted.tolist() == [0, 0, 0, 1, 1]
    assert units.right.tolist() == [True, True, False, True, True]
    # The patient is the manifest's group, not the split's.
    assert (units.patient.tolist(), units.n_patients) == ([0, 0, 0, 1, 2], 3)
    turned = image_units(table(), manifest(), TWO, "Benign", NAME)
    assert (turned.positive, turned.predicted.tolist()) == (0, [0, 0, 1, 1, 1])
    assert image_units(table(), manifest(), TWO, None, NAME).targets == (0, 1)


def test_of_more_classes_the_most_probable_is_predicted() -> None:
    units = image_units(table_of_three(), manifest(), THREE, None, NAME)
    assert (units.positive, units.targets) == (None, (0, 1, 2))
    assert units.truth.tolist() == [2, 0, 1, 1, 0]
    assert units.scores[3].tolist() == [0.1, 0.8, 0.1]
    assert units.predicted.tolist() == [2, 0, 0, 1, 2]  # of equals the first
    assert units.right.tolist() == [True, True, False, True, False]
    assert units.classes_of_patients.tolist() == [[1, 1, 1], [0, 1, 0], [1, 0, 0]]
    turned = image_units(table_of_three(), manifest(), THREE[::-1], None, NAME)
    assert turned.truth.tolist() == [0, 2, 1, 1, 2]
    np.testing.assert_array_equal(turned.scores, units.scores[:, ::-1])


def test_each_unit_may_have_a_threshold_of_its_own() -> None:
    scores = np.array([[0.5, 0.5], [0.6, 0.4], [0.2, 0.8]])
    assert predict_classes(scores, 1).tolist() == predict_classes(scores, 1, HALF).tolist() == [1, 0, 1]
    assert predict_classes(scores, 1, np.array([0.6, 0.4, 0.9])).tolist() == [0, 1, 0]
    assert predict_classes(scores, 0, 0.6).tolist() == [1, 0, 1]
    assert predict_classes(np.stack([scores, scores]), None, 0.9).tolist() == [[0, 0, 1]] * 2


def test_one_class_against_the_rest() -> None:
    rest = image_units(table_of_three(), manifest(), THREE, None, NAME).against_rest(1)
    assert rest.truth.tolist() == [False, False, True, True, False]
    assert rest.scores.tolist() == [0.3, 0.2, 0.4, 0.8, 0.3]
    assert (rest.patients_of(True), rest.patients_of(False), rest.n_patients) == (2, 2, 3)


def test_a_patients_score_is_the_mean_and_two_labels_make_two_units() -> None:
    patients = patient_units(image_units(table(), manifest(), TWO, "Malignant", NAME), 0.6)
    assert patients.patient.tolist() == [0, 0, 1, 2]
    assert patients.truth.tolist() == [0, 1, 1, 1]
    np.testing.assert_allclose(patients.scores[:, 1], [0.2, 0.6, 0.8, 0.7])
    assert patients.predicted.tolist() == [0, 1, 1, 1]
    assert (patients.scores.sum(axis=1) == 1).all()


@pytest.mark.parametrize("folds", [1, 4])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_patient_has_one_unit_a_fold_and_class(n_classes: int, folds: int) -> None:
    random = np.random.default_rng(0)
    patient = np.append(random.integers(0, 9, 191), np.arange(9))
    scores, fold = random.dirichlet(np.ones(n_classes), 200), random.integers(0, folds, 200)
    truth = random.integers(0, n_classes, 200)
    if n_classes == 2:
        images = binary_units(truth, scores[:, 1], patient, fold)
    else:
        images = class_units(truth, scores, patient, fold)
    frame = pd.DataFrame(images.scores).assign(fold=fold, patient=patient, truth=truth)
    expected = frame.groupby(["fold", "patient", "truth"]).mean()
    patients = patient_units(images)
    assert patients.fold is not None
    assert list(zip(patients.fold, patients.patient, patients.truth, strict=True)) == list(expected.index)
    np.testing.assert_allclose(patients.scores, expected)
    assert (patients.predicted == patients.scores.argmax(axis=1)).all()


def test_what_cannot_be_scored_is_a_users_error() -> None:
    with pytest.raises(UserError, match="no image of class Malignant"):
        image_units(table()[:2], manifest(), TWO, "Malignant", NAME)
    with pytest.raises(UserError, match=r"test\.csv: no image of class Normal.*change split\.validation"):
        image_units(table_of_three()[1:], manifest(), THREE, None, NAME)
    with pytest.raises(UserError, match=r"image d is not in data/manifest\.csv"):
        image_units(table(), manifest()[2:], TWO, "Malignant", NAME)


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
    assert join_groups(pd.Series(list(manifest_group)), pd.Series(list(split_group))).tolist() == expected


def test_predictions_of_joined_groups_have_joined_patients() -> None:
    predictions = table().assign(group=["p1", "p1", "p1", "p2", "p2"])  # p2 and p3 share a picture
    units = image_units(predictions, manifest(), TWO, "Malignant", NAME)
    assert units.patient.tolist() == [0, 0, 0, 1, 1]
    assert patient_units(units).scores[:, 1].tolist() == pytest.approx([0.2, 0.6, 0.75])


def test_selected_units_have_patients_without_gaps() -> None:
    units = binary_units([1, 0, 1, 0], np.arange(4) / 4, np.array([0, 3, 3, 7]), np.array([0, 1, 0, 1]))
    chosen = units.select(np.array([False, True, True, True]))
    assert (chosen.patient.tolist(), chosen.n_patients) == ([0, 0, 1], 2)
    assert isinstance(chosen, Units)
    assert chosen.fold is not None
    assert (chosen.truth.tolist(), chosen.fold.tolist()) == ([0, 1, 0], [1, 0, 1])
    assert (chosen.scores[:, 1].tolist(), chosen.predicted.tolist()) == ([0.25, 0.5, 0.75], [0, 1, 1])
