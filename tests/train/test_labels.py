import numpy as np
import pandas as pd
import pytest

from stages.train.labels import encode, image_weights, order_classes, prior_entropy


def test_the_positive_class_comes_last_of_two() -> None:
    assert order_classes(["Benign", "Malignant"], "Malignant") == ["Benign", "Malignant"]
    assert order_classes(["Benign", "Malignant"], "Benign") == ["Malignant", "Benign"]
    assert order_classes(["a", "b", "c"], "b") == ["a", "b", "c"]
    assert order_classes(["a", "b", "c"], None) == ["a", "b", "c"]


def test_encode_follows_the_order() -> None:
    assert encode(pd.Series(["b", "a", "b"]), ["a", "b"]).tolist() == [1, 0, 1]


def test_prior_entropy_of_breakhis_is_the_published_plateau() -> None:
    y = np.repeat([0, 1], [2480, 5429])
    assert prior_entropy(y, np.ones(len(y), np.float32)) == pytest.approx(0.622, abs=5e-4)


def test_balanced_weights_make_classes_count_the_same() -> None:
    y = np.repeat([0, 1, 2], [10, 30, 60])
    weights = image_weights(y, 3, "balanced")
    assert weights.mean() == pytest.approx(1)
    assert [weights[y == c].sum() for c in range(3)] == pytest.approx([100 / 3] * 3)
    assert prior_entropy(y, weights) == pytest.approx(np.log(3))


def test_without_class_weight_all_images_count_one() -> None:
    assert (image_weights(np.array([0, 1, 1]), 2, "none") == 1).all()
