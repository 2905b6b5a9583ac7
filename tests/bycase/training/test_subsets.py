import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.training.subsets import class_shares, encode, image_weights, make_targets, take_subset


def test_encode_follows_the_order() -> None:
    assert encode(pd.Series(["b", "a", "b"]), ["a", "b"]).tolist() == [1, 0, 1]


def test_targets_are_the_positive_class_or_one_hot() -> None:
    assert make_targets(np.array([0, 1, 1]), 2).tolist() == [[0], [1], [1]]
    assert make_targets(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_balanced_weights_make_classes_count_the_same() -> None:
    y = np.repeat([0, 1, 2], [10, 30, 60])
    weights = image_weights(y, 3, "balanced", np.arange(100) // 2)
    assert weights.mean() == pytest.approx(1)
    assert [weights[y == c].sum() for c in range(3)] == pytest.approx([100 / 3] * 3)
    assert class_shares(y, weights, 3) == pytest.approx(np.full(3, 1 / 3))


def test_without_class_weight_all_images_count_one() -> None:
    assert (image_weights(np.array([0, 1, 1]), 2, "none", np.array([0, 1, 1])) == 1).all()


def test_weights_by_patient_make_the_patients_of_a_class_count_the_same() -> None:
    """By hand: 8 images, so each class counts 4; class 0 has two patients (2 each), class 1 three (4 / 3 each)."""
    y, patient = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([5, 5, 5, 6, 7, 8, 8, 5])
    weights = image_weights(y, 2, "by_patient", patient)
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2, 4 / 3, 2 / 3, 2 / 3, 4 / 3])
    assert class_shares(y, weights, 2) == pytest.approx([0.5, 0.5])
    alone = np.arange(8)
    np.testing.assert_array_equal(image_weights(y, 2, "by_patient", alone), image_weights(y, 2, "balanced", alone))


def test_a_subset_knows_whose_images_it_holds() -> None:
    images, groups = ["a.png", "b.png", "c.png", "d.png"], ["p", "q", "p", "r"]
    manifest = pd.DataFrame({"image": images, "label": ["x", "y", "y", "x"], "group": groups})
    splits = pd.DataFrame({"image": ["d.png", "a.png", "b.png", "c.png"], "part": "train"})
    assert take_subset("train", splits, manifest, ["x", "y"], "none").unit.tolist() == [0, 1, 2, 1]


def test_units_are_magnifications_where_draws_balance_them() -> None:
    manifest = pd.DataFrame(
        {"image": ["a.png", "b.png", "c.png"], "label": ["x", "y", "y"], "group": "p", "magnification": [200, 40, 200]}
    )
    splits = pd.DataFrame({"image": manifest["image"], "part": "train"})
    assert take_subset("train", splits, manifest, ["x", "y"], "none", "magnification").unit.tolist() == [0, 1, 0]
    with pytest.raises(UserError, match="train.sampling: this data set's images have no magnification"):
        take_subset("train", splits, manifest.assign(magnification=0), ["x", "y"], "none", "magnification")
