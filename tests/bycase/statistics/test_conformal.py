import numpy as np
import pytest

from bycase.statistics.conformal import (
    assess_sets,
    calibrate_sets,
    conformal_threshold_of_images,
    conformal_threshold_of_patients,
    coverage_of_classes,
    make_sets,
)
from bycase.statistics.units import Units
from tests.fixtures.units import class_units


def test_the_conformal_threshold_of_images_by_hand() -> None:
    own = np.array([0.9, 0.1, 0.8, 0.3, 0.7, 0.6, 0.5, 0.4, 0.2])
    assert conformal_threshold_of_images(own, 0.9) == 0.1  # the ninth of nine
    assert conformal_threshold_of_images(own, 0.8) == 0.2
    assert conformal_threshold_of_images(own, 0.75) == 0.2  # ceil(7.5)
    assert conformal_threshold_of_images(own, 0.91) == 0.0  # nine images allow no more than 0.9


def test_each_patient_counts_the_same() -> None:
    # Three patients of 4, 1 and 1 images: each a quarter, the fourth quarter is the new patient's.
    own = np.array([0.9, 0.8, 0.7, 0.6, 0.3, 0.2])
    patient = np.array([0, 0, 0, 0, 1, 2])
    assert conformal_threshold_of_patients(own, patient, 0.25) == 0.6
    assert conformal_threshold_of_patients(own, patient, 0.5) == 0.3
    assert conformal_threshold_of_patients(own, patient, 0.75) == 0.2
    assert conformal_threshold_of_patients(own, patient, 0.76) == 0.0
    assert conformal_threshold_of_images(own, 0.5) == 0.6


def test_with_an_image_a_patient_both_are_the_same() -> None:
    own = np.random.default_rng(0).random(40)
    for coverage in (0.05, 0.5, 0.8, 0.9, 0.95, 0.99):
        alone = conformal_threshold_of_patients(own, np.arange(40), coverage)
        assert alone == conformal_threshold_of_images(own, coverage)


def simulate(random: np.random.Generator, n_patients: int) -> Units:
    """Patients of 1 to 30 images; the more images, the easier."""
    images = random.integers(1, 31, n_patients)
    patient = np.repeat(np.arange(n_patients), images)
    ease = (0.1 * images + random.normal(size=n_patients))[patient] - 1
    own = 1 / (1 + np.exp(-ease - 0.3 * random.normal(size=len(patient))))
    truth = random.integers(0, 2, len(patient))
    scores = np.where(truth[:, None] == np.arange(2), own[:, None], 1 - own[:, None])
    return class_units(truth, scores, patient)


def test_the_promise_is_kept_for_new_patients_only_by_calibration_on_patients() -> None:
    random = np.random.default_rng(0)
    reached: dict[str, list[float]] = {"image": [], "patient": []}
    for _ in range(300):
        validation, test = simulate(random, 25), simulate(random, 40)
        for level, of in calibrate_sets(validation, 0.8).items():
            sets = make_sets(test.scores, of["conformal_threshold"])
            found = assess_sets(sets, test.truth, test.patient, 0.8)
            reached[level].append(found["patient_coverage"])
    error = np.std(reached["patient"]) / np.sqrt(300)
    assert np.mean(reached["patient"]) > 0.8 - 2 * error
    assert np.mean(reached["patient"]) < 0.8 + 1 / 26 + 2 * error
    assert np.mean(reached["image"]) < 0.7


def test_few_validation_patients_let_every_class_in() -> None:
    validation = simulate(np.random.default_rng(0), 8)
    found = calibrate_sets(validation, 0.9)
    assert found["patient"] == {"conformal_threshold": 0.0, "n_calibration": 8, "attainable": 8 / 9}
    assert make_sets(np.array([[0.0, 1.0]]), 0.0).all()


def test_what_sets_reach_by_hand() -> None:
    sets = np.array([[True, True], [True, False], [False, False], [False, True]])
    truth, patient = np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])
    found = assess_sets(sets, truth, patient, 0.3)
    expected = {"coverage": 2 / 4, "patient_coverage": 2 / 3, "patients_covered": 1, "size": 1}
    expected |= {"singletons": 2 / 4, "empty": 1 / 4}
    limits = found.pop("ci")
    assert found == pytest.approx(expected)
    assert set(limits) == set(expected)
    assert all(limits[name]["low"] <= expected[name] <= limits[name]["high"] for name in expected)
    assert limits["patients_covered"]["low"] == pytest.approx(0.025**0.5)  # two of two patients, Clopper and Pearson
    assert limits["size"]["high"] - limits["size"]["low"] > 1
    assert assess_sets(sets, truth, patient, 0.4)["patients_covered"] == 0.5
    assert coverage_of_classes(sets, truth).tolist() == pytest.approx([1, 1 / 3])
