"""The gate's arithmetic, against hand calculation and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.apps.export.parity import Outputs, Parity, compare, decide, describe, find_breach

LABELS = ["Benign", "Benign", "Malignant", "Malignant"]
IMAGES = pd.DataFrame({"image": ["a", "b", "c", "d"], "label": LABELS})


def outputs(positive: list[float], feature: float = 2.0) -> Outputs:
    scores = np.array(positive)
    return Outputs(np.full((len(scores), 3), feature, np.float32), np.column_stack([1 - scores, scores]))


def test_differences_decisions_and_auc() -> None:
    before, after = outputs([0.1, 0.5, 0.4, 0.9]), outputs([0.1, 0.25, 0.45, 0.88], 1.5)
    parity = compare(IMAGES, before, after, ["Benign", "Malignant"], 0.42)
    assert parity.n_images == 4
    assert parity.largest_difference == pytest.approx(0.25)
    assert parity.largest_feature_difference == pytest.approx(0.25)
    assert parity.auc_keras == 0.75
    assert parity.auc_export == 1.0
    assert parity.changed.to_dict("records") == [
        {
            "image": "b",
            "label": "Benign",
            "keras": "Malignant",
            "export": "Benign",
            "probability_keras": 0.5,
            "probability_export": 0.25,
        },
        {
            "image": "c",
            "label": "Malignant",
            "keras": "Benign",
            "export": "Malignant",
            "probability_keras": 0.6,
            "probability_export": pytest.approx(0.55),
        },
    ]


def test_a_score_on_the_threshold_is_positive_as_everywhere_in_the_pipeline() -> None:
    scores = np.array([[0.7, 0.3], [0.71, 0.29]])
    np.testing.assert_array_equal(decide(scores, 0.3), [1, 0])
    np.testing.assert_array_equal(decide(scores, None), [0, 0])


def test_auc_of_three_classes_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores = random.dirichlet(np.ones(3), 30)
    classes, numbers = ["a", "b", "c"], np.arange(30) % 3
    images = pd.DataFrame({"image": [f"{n:02}" for n in range(30)], "label": np.array(classes)[numbers]})
    of = Outputs(np.ones((30, 2), np.float32), scores)
    parity = compare(images, of, of, classes, None)
    assert parity.auc_keras == pytest.approx(roc_auc_score(numbers, scores, multi_class="ovr"))
    assert find_breach(parity, exact=True) is None


def make(difference: float = 0.0, features: float = 0.0, auc: float = 0.9, changed: int = 0) -> Parity:
    return Parity(10, difference, features, 0.9, auc, pd.DataFrame({"image": ["x"] * changed}))


@pytest.mark.parametrize(
    ("parity", "words"),
    [
        (make(difference=2e-4), "largest probability difference 0.0002 (limit 0.0001)"),
        (make(features=2e-3), "largest relative feature difference 0.002 (limit 0.001)"),
        (make(changed=1), "changed decisions 1 (limit 0)"),
        (make(difference=float("nan")), "largest probability difference nan"),
    ],
)
def test_an_exact_export_must_give_the_same_answers(parity: Parity, words: str) -> None:
    assert words in str(find_breach(parity, exact=True))
    assert find_breach(parity, exact=False) is None


@pytest.mark.parametrize(("auc", "passes"), [(0.896, True), (0.904, True), (0.894, False), (0.906, False)])
def test_int8_is_held_to_its_auc_alone(auc: float, passes: bool) -> None:
    parity = make(0.3, 0.3, auc, 4)
    assert (find_breach(parity, exact=False) is None) == passes


def test_the_report_lists_every_changed_decision() -> None:
    parity = compare(IMAGES, outputs([0.1, 0.2, 0.8, 0.9]), outputs([0.9, 0.8, 0.2, 0.1]), ["Benign", "Malignant"], 0.5)
    assert [row["image"] for row in describe(parity)["changed_decisions"]] == ["a", "b", "c", "d"]
