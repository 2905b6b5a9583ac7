from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from bycase.statistics.multiclass.metrics import baseline_metrics, point_metrics, training_priors
from bycase.statistics.multiclass.units import ClassUnits
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    multilabel_confusion_matrix,
    roc_auc_score,
)
from sklearn.metrics import classification_report as report

Simulate = Callable[..., ClassUnits]


@pytest.mark.parametrize("patients", [(5, 8, 3), (2, 9, 1, 4, 3, 6, 2)])
def test_metrics_agree_with_scikit_learn(simulate_classes: Simulate, patients: tuple[int, ...]) -> None:
    units = simulate_classes(0, patients)
    metrics = point_metrics(units)
    truth, called = units.truth, units.predicted
    assert metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, called))
    assert metrics["macro_f1"] == pytest.approx(f1_score(truth, called, average="macro", zero_division=0))
    assert metrics["auc"] == pytest.approx(roc_auc_score(truth, units.scores, multi_class="ovr", average="macro"))
    one_hot = np.eye(len(patients))[truth]
    assert metrics["average_precision"] == pytest.approx(average_precision_score(one_hot, units.scores))
    assert metrics["log_loss"] == pytest.approx(log_loss(truth, units.scores))
    expected = report(truth, called, target_names=units.classes, output_dict=True, zero_division=0)
    assert metrics["accuracy"] == pytest.approx(expected["accuracy"])
    assert list(metrics["per_class"]) == list(units.classes)
    tables = multilabel_confusion_matrix(truth, called)
    specificity = [table[0, 0] / table[0].sum() for table in tables]
    assert [of["specificity"] for of in metrics["per_class"].values()] == pytest.approx(specificity)
    assert metrics["specificity"] == pytest.approx(np.mean(specificity))
    for label, of in metrics["per_class"].items():
        assert of["recall"] == pytest.approx(expected[label]["recall"])
        assert of["precision"] == pytest.approx(expected[label]["precision"])
        assert of["f1"] == pytest.approx(expected[label]["f1-score"])
        assert of["n"] == expected[label]["support"]


def test_the_brier_score_is_on_the_scale_of_two_classes() -> None:
    scores = np.array([[1.0, 0, 0], [0, 1, 0], [0.2, 0.3, 0.5]])
    units = ClassUnits(("a", "b", "c"), np.array([0, 2, 1]), scores, np.arange(3))
    assert point_metrics(units)["brier"] == pytest.approx((0 + 1 + (0.2**2 + 0.7**2 + 0.5**2) / 2) / 3)


@pytest.mark.filterwarnings("error")
def test_the_baseline_knows_the_shares_only() -> None:
    truth = np.repeat([0, 1, 2], [20, 70, 10])
    units = ClassUnits(("a", "b", "c"), truth, np.full((100, 3), 1 / 3), np.arange(100))
    shares = np.array([0.3, 0.5, 0.2])
    metrics = baseline_metrics(units, shares)
    assert metrics["accuracy"] == 0.7
    assert metrics["balanced_accuracy"] == pytest.approx(1 / 3)
    assert metrics["macro_f1"] == pytest.approx(2 * 0.7 / 1.7 / 3)
    assert metrics["auc"] == 0.5
    assert metrics["average_precision"] == pytest.approx(1 / 3)
    assert metrics["log_loss"] == pytest.approx(-(np.array([0.2, 0.7, 0.1]) * np.log(shares)).sum())
    assert "per_class" not in metrics


def test_priors_count_images_and_patients() -> None:
    training = pd.DataFrame({"group": ["p1", "p1", "p1", "p2", "p3", "p3"], "label": list("MMMBBN")})
    priors = training_priors(training, ["B", "M", "N"])
    np.testing.assert_allclose(priors["image"], [2 / 6, 3 / 6, 1 / 6])
    np.testing.assert_allclose(priors["patient"], [2 / 4, 1 / 4, 1 / 4])
