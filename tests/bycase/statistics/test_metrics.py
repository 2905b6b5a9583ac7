from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    roc_auc_score,
)

from bycase.statistics.metrics import (
    constant_units,
    patient_scores,
    point_metrics,
    recognition_rate,
    training_priors,
    weighted_metrics,
)
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import binary_units, class_units

Simulate = Callable[..., Units]


def draw_units(units: Units, count: np.ndarray) -> np.ndarray:
    """Rows of the units of patients who are drawn so often."""
    return np.concatenate([np.flatnonzero(units.patient == p) for p in np.repeat(np.arange(len(count)), count)])


def test_metrics_by_hand() -> None:
    truth, scores = np.array([True, True, True, False, False]), np.array([0.9, 0.6, 0.2, 0.6, 0.1])
    metrics = point_metrics(binary_units(truth, scores, np.arange(5)))
    tp, fn, fp, tn = 2, 1, 1, 1
    assert metrics == pytest.approx(
        {
            "accuracy": 3 / 5,
            "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
            "auc": (2 + 1.5 + 1) / 6,
            "average_precision": 1 / 3 * 1 + 1 / 3 * 2 / 3 + 1 / 3 * 3 / 4,
            "sensitivity": 2 / 3,
            "specificity": 1 / 2,
            "precision": 2 / 3,
            "npv": 1 / 2,
            "f1": 2 / 3,
            "macro_f1": (2 / 3 + 2 * 1 / (2 * 1 + 1 + 1)) / 2,
            "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
            "log_loss": -np.log([0.9, 0.6, 0.2, 0.4, 0.9]).mean(),
            "brier": ((scores - truth) ** 2).mean(),
        }
    )
    assert all(type(value) is float for value in metrics.values())
    several = np.array([[1.0, 0, 0], [0, 1, 0], [0.2, 0.3, 0.5]])
    brier = point_metrics(class_units(np.array([0, 2, 1]), several, np.arange(3)))["brier"]
    assert brier == pytest.approx((0 + 1 + (0.2**2 + 0.7**2 + 0.5**2) / 2) / 3)


@pytest.mark.parametrize("level", ["image", "patient"])
@pytest.mark.parametrize("threshold", [0.0, 0.55, 1.1])
def test_weighted_metrics_equal_those_of_repeated_patients(simulate: Simulate, level: str, threshold: float) -> None:
    units = simulate(0)
    units = (patient_units(units) if level == "patient" else units).with_threshold(threshold)
    counts = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=20)
    metrics = weighted_metrics(units, counts)
    for row, count in enumerate(counts):
        drawn = draw_units(units, count)
        truth, scores, predicted = units.truth[drawn], units.scores[drawn, 1], units.predicted[drawn]
        expected = {
            "auc": roc_auc_score(truth, scores),
            "average_precision": average_precision_score(truth, scores),
            "accuracy": accuracy_score(truth, predicted),
            "balanced_accuracy": balanced_accuracy_score(truth, predicted),
            "sensitivity": recall_score(truth, predicted),
            "specificity": recall_score(truth, predicted, pos_label=0),
            "precision": precision_score(truth, predicted, zero_division=0),
            "npv": precision_score(truth, predicted, pos_label=0, zero_division=0),
            "f1": f1_score(truth, predicted, zero_division=0),
            "macro_f1": f1_score(truth, predicted, average="macro", zero_division=0),
            "mcc": matthews_corrcoef(truth, predicted),
            "brier": brier_score_loss(truth, scores),
            "log_loss": log_loss(truth, scores),
        }
        assert {name: values[row] for name, values in metrics.items()} == pytest.approx(expected)


@pytest.mark.parametrize("level", ["image", "patient"])
@pytest.mark.parametrize("patients", [(2, 5, 3), (2, 2, 1, 2, 1, 2)])
def test_of_several_classes_each_resample_counts_those_it_holds(
    simulate_classes: Simulate, level: str, patients: tuple[int, ...]
) -> None:
    units = simulate_classes(0, patients)
    units = patient_units(units) if level == "patient" else units
    n_classes = len(patients)
    counts = np.random.default_rng(1).multinomial(10, np.full(10, 0.1), size=40)
    metrics = weighted_metrics(units, np.vstack([np.ones(10, np.int64), counts]))
    lacking = 0
    for row, count in enumerate(np.vstack([np.ones(10, np.int64), counts])):
        drawn = draw_units(units, count)
        truth, scores, predicted = units.truth[drawn], units.scores[drawn], units.predicted[drawn]
        held = np.unique(truth)
        lacking += len(held) < n_classes
        one_hot = np.eye(n_classes)[truth]
        tables = multilabel_confusion_matrix(truth, predicted, labels=held)
        precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, labels=held, zero_division=0)
        by_class = {
            "class_recall": recall,
            "class_specificity": tables[:, 0, 0] / tables[:, 0].sum(axis=1),
            "class_precision": precision,
            "class_f1": f1,
            "class_average_precision": [average_precision_score(one_hot[:, k], scores[:, k]) for k in held],
            "class_auc": [roc_auc_score(one_hot[:, k], scores[:, k]) for k in held],
        }
        for name, values in by_class.items():
            assert np.flatnonzero(np.isfinite(metrics[name][row])).tolist() == held.tolist()
            np.testing.assert_allclose(metrics[name][row, held], values, err_msg=name)
        expected = {
            "accuracy": accuracy_score(truth, predicted),
            "balanced_accuracy": recall.mean(),
            "macro_f1": f1.mean(),
            "auc": np.mean(by_class["class_auc"]),
            "average_precision": np.mean(by_class["class_average_precision"]),
            "brier": brier_score_loss(truth, scores, labels=list(range(n_classes)), scale_by_half=True),
            "log_loss": log_loss(truth, scores, labels=list(range(n_classes))),
        }
        assert {name: values[row] for name, values in metrics.items() if values.ndim == 1} == pytest.approx(expected)
    assert lacking > 2
    points = point_metrics(units)
    assert list(points["per_class"]) == list(units.classes)
    for k, label in enumerate(units.classes):
        assert points["per_class"][label] == {
            name: metrics[f"class_{name}"][0, k] for name in points["per_class"][label]
        }


def test_auc_is_the_mann_whitney_statistic() -> None:
    random = np.random.default_rng(1)
    truth = random.random(300) < 0.7
    scores = np.round(random.random(300), 1)
    u = mannwhitneyu(scores[truth], scores[~truth]).statistic
    metrics = point_metrics(binary_units(truth, scores, np.arange(300)))
    assert metrics["auc"] == pytest.approx(u / (truth.sum() * (~truth).sum()))


def test_a_mean_over_classes_takes_two() -> None:
    units = binary_units([True] * 6, np.linspace(0.2, 0.9, 6), np.arange(6) // 2)
    metrics = point_metrics(units)
    assert metrics["accuracy"] == metrics["sensitivity"] == 3 / 6
    assert np.isnan([metrics[name] for name in ("auc", "balanced_accuracy", "macro_f1", "specificity")]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("prior", "positive"), [(0.686, True), (0.5, True), (0.3, False)])
def test_the_baseline_of_two_classes_knows_the_prior_only(prior: float, positive: bool) -> None:
    units = binary_units(np.arange(1000) < 686, np.zeros(1000), np.arange(1000))
    metrics = point_metrics(constant_units(units, np.array([1 - prior, prior])))
    assert metrics["accuracy"] == pytest.approx(0.686 if positive else 0.314)
    assert (metrics["sensitivity"], metrics["specificity"]) == (float(positive), float(not positive))
    assert (metrics["auc"], metrics["balanced_accuracy"], metrics["mcc"]) == (0.5, 0.5, 0)
    assert metrics["average_precision"] == pytest.approx(0.686)
    assert metrics["log_loss"] == pytest.approx(-0.686 * np.log(prior) - 0.314 * np.log(1 - prior))
    assert metrics["brier"] == pytest.approx(0.686 * (1 - prior) ** 2 + 0.314 * prior**2)


@pytest.mark.filterwarnings("error")
def test_the_baseline_of_several_classes_knows_the_shares_only() -> None:
    units = class_units(np.repeat([0, 1, 2], [20, 70, 10]), np.full((100, 3), 1 / 3), np.arange(100))
    shares = np.array([0.3, 0.5, 0.2])
    metrics = point_metrics(constant_units(units, shares))
    assert metrics["accuracy"] == 0.7
    assert metrics["balanced_accuracy"] == pytest.approx(1 / 3)
    assert metrics["macro_f1"] == pytest.approx(2 * 0.7 / 1.7 / 3)
    assert metrics["auc"] == 0.5
    assert metrics["average_precision"] == pytest.approx(1 / 3)
    assert metrics["log_loss"] == pytest.approx(-(np.array([0.2, 0.7, 0.1]) * np.log(shares)).sum())


def test_the_constant_prediction_on_full_breakhis_has_the_loss_that_was_published_for_a_network() -> None:
    units = binary_units(np.arange(7909) < 5429, np.zeros(7909), np.arange(7909))
    metrics = point_metrics(constant_units(units, np.array([2480, 5429]) / 7909))
    assert metrics["log_loss"] == pytest.approx(0.622, abs=5e-4)


def test_priors_count_images_and_patients() -> None:
    training = pd.DataFrame({"group": ["p1", "p1", "p1", "p2", "p3", "p3"], "label": list("MMMBBN")})
    priors = training_priors(training, ["B", "M", "N"])
    np.testing.assert_allclose(priors["image"], [2 / 6, 3 / 6, 1 / 6])
    np.testing.assert_allclose(priors["patient"], [2 / 4, 1 / 4, 1 / 4])


def test_recognition_rate_by_hand() -> None:
    truth, predicted = np.array([1, 1, 1, 1, 0, 0]), np.array([1, 1, 0, 1, 1, 0])
    right, patient = truth == predicted, np.array([0, 0, 0, 1, 2, 2])
    np.testing.assert_allclose(patient_scores(right, patient), [2 / 3, 1, 1 / 2])
    assert recognition_rate(right, patient) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert recognition_rate(right, patient) != pytest.approx(np.mean(right))
