from collections import Counter

import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.core.params import PARAMS_PATH, Params, check_params, read_yaml
from bycase.core.seeding import generator
from bycase.training.sampling import draw_images, expected_shares

# Two classes, 90 and 30 images; of the first, patient 0 has 80 images and ten others one each; of the second, three
# have 10 each.
Y = np.repeat([0, 1], [90, 30])
PATIENT = np.concatenate([np.zeros(80), np.arange(1, 11), np.repeat([11, 12, 13], 10)]).astype(np.int64)


def draw(sampling: str, epoch: int = 0) -> np.ndarray:
    return draw_images(Y, PATIENT, sampling, generator(7, "head", epoch))


def test_uniform_is_the_permutation_that_every_image_once_has_always_been() -> None:
    np.testing.assert_array_equal(draw("uniform"), generator(7, "head", 0).permutation(120))


def test_classes_are_drawn_equally_and_so_are_their_images() -> None:
    order = draw("class")
    # By hand: 120 draws, 60 of each class; of 90 images 60 once, of 30 images all twice.
    assert np.bincount(Y[order]).tolist() == [60, 60]
    times = np.bincount(order, minlength=120)
    assert Counter(times[:90].tolist()) == {1: 60, 0: 30}
    assert set(times[90:]) == {2}


def test_patients_of_a_class_are_drawn_equally_whatever_they_have() -> None:
    order = draw("patient")
    assert np.bincount(Y[order]).tolist() == [60, 60]
    by_patient = np.bincount(PATIENT[order], minlength=14)
    # By hand: 60 draws for 11 patients are 5 or 6 each, for 3 patients 20 each, which are 2 of each of 10 images.
    assert sorted(by_patient[:11].tolist()) == [5] * 6 + [6] * 5
    assert by_patient[11:].tolist() == [20, 20, 20]
    times = np.bincount(order, minlength=120)
    assert set(times[90:]) == {2}
    assert times[:80].max() == 1


def test_magnifications_of_a_class_are_drawn_equally_too() -> None:
    # Of class 0, 80 images at 200X and 10 at 400X; of class 1, all at 200X.
    magnification = np.repeat([0, 1, 0], [80, 10, 30])
    order = draw_images(Y, magnification, "magnification", generator(7, "head", 0))
    drawn = Counter(zip(Y[order].tolist(), magnification[order].tolist(), strict=True))
    assert drawn == {(0, 0): 30, (0, 1): 30, (1, 0): 60}


@pytest.mark.parametrize("sampling", ["class", "patient"])
def test_every_batch_holds_the_classes_equally(sampling: str) -> None:
    order = Y[draw(sampling)]
    assert all(batch.sum() == 8 for batch in order[:112].reshape(-1, 16))


@pytest.mark.parametrize("sampling", ["uniform", "class", "patient"])
def test_the_order_follows_from_the_epoch(sampling: str) -> None:
    np.testing.assert_array_equal(draw(sampling, 3), draw(sampling, 3))
    assert draw(sampling, 3).tolist() != draw(sampling, 4).tolist()


@pytest.mark.parametrize("sampling", ["class", "patient"])
def test_in_time_every_image_is_drawn(sampling: str) -> None:
    epochs = 10 if sampling == "class" else 200
    assert len(np.unique(np.concatenate([draw(sampling, epoch) for epoch in range(epochs)]))) == 120


def test_a_patient_with_images_of_two_classes_counts_in_each() -> None:
    y, patient = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0])
    order = draw_images(y, patient, "patient", generator(1))
    assert sorted(y[order].tolist()) == [0, 0, 1, 1]
    assert sorted(patient[order][y[order] == 0].tolist()) == [0, 1]


def test_a_constant_is_measured_by_what_is_drawn() -> None:
    ones = np.ones(120, np.float32)
    assert expected_shares(Y, ones, 2, "uniform") == pytest.approx([0.75, 0.25])
    assert expected_shares(Y, ones, 2, "class") == pytest.approx([0.5, 0.5])


def test_patients_that_nobody_names_are_not_drawn() -> None:
    content = read_yaml(PARAMS_PATH, Params)
    content["train"] |= {"class_weight": "none", "sampling": "patient"}
    content["zoo"][content["model"]]["head"] = []
    check_params(content, "params.yaml")
    with pytest.raises(UserError, match="train.sampling: nothing says which images of busi are of one patient"):
        check_params(content | {"dataset": "busi"}, "params.yaml")
