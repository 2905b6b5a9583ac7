import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bycase
from bycase.api.inputs import read_classes, read_column, read_scores, read_truth
from tests.bycase.api.conftest import Predictions

Y, SCORE, PATIENT = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], ["a", "a", "b", "c"]
THREE = [[0.5, 0.3, 0.2]] * 4
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"y_score": SCORE[:3]}, "y_score has 3 values, but there are 4 images: give one an image"),
    ({"patient": PATIENT[:3]}, "patient has 3 values, but there are 4 images: give one an image"),
    ({"y_true": [1, 1, 1, 1]}, "y_true: all 4 images are of class 1; two classes are needed"),
    ({"y_true": []}, "y_true is empty"),
    ({"y_true": [[0, 1], [0, 1]]}, "y_true: one value an image is needed, but its shape is (2, 2)"),
    ({"y_true": [0, None, 1, 1]}, "y_true: 1 of 4 values are missing, the first at position 1"),
    ({"patient": ["a", "b", np.nan, None]}, "patient: 2 of 4 values are missing, the first at position 2; where "
        "patients are unknown give None for all"),
    ({"y_score": [0.1, np.nan, 0.2, np.inf]}, "y_score: 2 of 4 images have NaN or no finite number, the first at "
        "position 1"),
    ({"y_score": ["a", "b", "c", "d"]}, "y_score: not all values are numbers"),
    ({"y_score": [0.1, 0.2, 1.5, -3]}, "y_score: 2 of 4 images have a value outside [0, 1], the first at position 2; "
        "of logits take the sigmoid or softmax first"),
    ({"y_score": [[0.5, 0.5]] * 3 + [[0.5, 0.2]]}, "y_score: 1 of 4 images have probabilities that do not sum to one, "
        "the first at position 3 (0.7)"),
    ({"y_score": THREE}, "y_score has 3 columns, but there are 2 classes (0, 1): name the class of each column by "
        "classes="),
    ({"y_true": [0, 1, 2, 2]}, "y_score is one probability an image, which is for two classes, but there are 3 "
        "(0, 1, 2): give one column a class"),
    ({"y_score": THREE, "classes": "abc"}, "y_true: no image is of class c, so that its recall and the AUC are "
        "undefined"),
    ({"classes": ["a", "a"]}, "classes: a, a has a class twice"),
    ({"y_true": ["cat", "dog", "dog", "cat"]}, "either class may be the one that is looked for: positive='cat' or "
        "positive='dog'"),
    ({"y_true": [0, 5, 5, 0], "classes": ["no", "yes"]}, "y_true: label '0' is none of the classes no, yes"),
    ({"positive": 2}, "positive: '2' is none of the classes 0, 1"),
    ({"y_true": [0, 1, 2, 2], "y_score": THREE, "positive": 1}, "positive: there are 3 classes, each of which is set "
        "against the rest"),
    ({"threshold": 1.5}, "threshold: 1.5 is not from 0 to 1"),
    ({"threshold": "a"}, "threshold: 'a' is no number"),
    ({"seed": None}, "seed: None is no whole number"),
    ({"resamples": 10}, "resamples: 10 is not from 100 to 1,000,000"),
    ({"fold": [0, 0, 1, 1]}, "fold: none has images of two classes, so that no AUC is defined"),
    ({"y_true": pd.Series(Y), "patient": pd.Series(PATIENT, index=[3, 2, 1, 0])}, "patient has the index of y_true in "
        "another order; bring both into one"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), FAULTS)
def test_what_is_wrong_is_said_in_one_line(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        bycase.intervals(**{"y_true": Y, "y_score": SCORE, "patient": PATIENT} | changed)


def test_arrays_lists_series_and_frames_are_the_same(predictions: Predictions) -> None:
    y, score, _, patient = predictions
    frame = pd.DataFrame({"y": y, "score": score, "patient": patient}, index=np.arange(len(y)) + 7)
    columns = pd.DataFrame({0: 1 - score, 1: score})
    want = bycase.intervals(y, score, patient, resamples=200).to_dict()
    for given in (
        (y.tolist(), score.tolist(), patient.tolist()),
        (frame["y"], frame["score"], frame["patient"]),
        (y[:, None], score[:, None], patient),
        (y == 1, columns, patient),
        (y.astype(float), columns.to_numpy(), pd.Categorical(patient)),
    ):
        assert bycase.intervals(*given, resamples=200).to_dict() == want


def test_classes_may_be_named_numbered_or_found_in_a_frame() -> None:
    truth = read_truth(["b", "c", "a", "a"], None)
    for scores, classes in ((pd.DataFrame(THREE, columns=list("cab")), None), (THREE, list("cab"))):
        assert read_classes(truth, scores, classes, None).names == ("c", "a", "b")
    numbers = read_classes(read_truth([2, 0, 1, 1], None), THREE, ["c", "a", "b"], None)
    assert numbers.truth.tolist() == [2, 0, 1, 1]
    assert numbers.names == ("c", "a", "b")
    ten = read_classes(read_truth(range(11), None), np.full((11, 11), 1 / 11), None, None)
    assert ten.names[-1] == "10"


def test_the_class_that_is_looked_for_is_told_or_plain() -> None:
    truth = read_truth(["malignant", "normal", "normal", "malignant"], None)
    assert read_classes(truth, SCORE, None, None).positive == "malignant"
    assert read_classes(truth, SCORE, None, None).names == ("normal", "malignant")
    chosen = read_classes(truth, SCORE, None, "normal")
    assert (chosen.positive, chosen.names) == ("normal", ("malignant", "normal"))
    assert read_classes(truth, SCORE, ["malignant", "normal"], None).positive == "normal"


def test_rounded_probabilities_are_scaled_and_others_are_not() -> None:
    assert read_scores([[0.33, 0.33, 0.33], [0.5, 0.3, 0.21]], 2).sum(axis=1) == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="do not sum to one"):
        read_scores([[0.334, 0.33, 0.33], [0.5, 0.3, 0.21]], 2)


def test_numbers_of_any_kind_are_one_name() -> None:
    assert read_column([1, 1.0, np.int64(1), np.float32(1), True], "a").tolist() == ["1"] * 5
    assert read_column([1.5, "x"], "a").tolist() == ["1.5", "x"]
