import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from bycase.statistics.metrics import (
    baseline_prediction,
    patient_scores,
    point_metrics,
    recognition_rate,
    training_priors,
    weighted_recognition_rate,
)

TRUTH = np.array([True, True, True, False, False])
SCORES = np.array([0.9, 0.6, 0.2, 0.6, 0.1])


def test_metrics_by_hand() -> None:
    metrics = point_metrics(TRUTH, SCORES, SCORES >= 0.5)
    tp, fn, fp, tn = 2, 1, 1, 1
    expected = {
        "accuracy": 3 / 5,
        "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
        "auc": (2 + 1.5 + 1) / 6,
        "average_precision": 1 / 3 * 1 + 1 / 3 * 2 / 3 + 1 / 3 * 3 / 4,
        "sensitivity": 2 / 3,
        "specificity": 1 / 2,
        "precision": 2 / 3,
        "f1": 2 / 3,
        "macro_f1": (2 / 3 + 2 * 1 / (2 * 1 + 1 + 1)) / 2,
        "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        "log_loss": -np.log([0.9, 0.6, 0.2, 0.4, 0.9]).mean(),
        "brier": ((SCORES - TRUTH) ** 2).mean(),
    }
    assert metrics == pytest.approx(expected)
    assert list(metrics) == list(expected)
    assert all(type(value) is float for value in metrics.values())


def test_auc_is_the_mann_whitney_statistic() -> None:
    random = np.random.default_rng(1)
    truth = random.random(300) < 0.7
    scores = np.round(random.random(300), 1)
    u = mannwhitneyu(scores[truth], scores[~truth]).statistic
    metrics = point_metrics(truth, scores, scores >= 0.5)
    assert metrics["auc"] == pytest.approx(u / (truth.sum() * (~truth).sum()))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("prior", "positive"), [(0.686, True), (0.5, True), (0.3, False)])
def test_the_baseline_knows_the_prior_only(prior: float, positive: bool) -> None:
    truth = np.arange(1000) < 686
    metrics = point_metrics(truth, *baseline_prediction(1000, prior))
    assert metrics["accuracy"] == pytest.approx(0.686 if positive else 0.314)
    assert (metrics["sensitivity"], metrics["specificity"]) == (float(positive), float(not positive))
    assert (metrics["auc"], metrics["balanced_accuracy"], metrics["mcc"]) == (0.5, 0.5, 0)
    assert metrics["average_precision"] == pytest.approx(0.686)
    assert metrics["log_loss"] == pytest.approx(-0.686 * np.log(prior) - 0.314 * np.log(1 - prior))
    assert metrics["brier"] == pytest.approx(0.686 * (1 - prior) ** 2 + 0.314 * prior**2)


def test_the_constant_prediction_on_full_breakhis_has_the_loss_that_was_published_for_a_network() -> None:
    truth = np.arange(7909) < 5429
    metrics = point_metrics(truth, *baseline_prediction(7909, 5429 / 7909))
    assert metrics["log_loss"] == pytest.approx(0.622, abs=5e-4)


def test_priors_count_images_and_patients() -> None:
    training = pd.DataFrame({"group": ["p1", "p1", "p1", "p2", "p3", "p3"], "label": list("MMMBBM")})
    assert training_priors(training, "M") == {"image": pytest.approx(4 / 6), "patient": pytest.approx(2 / 4)}


def test_recognition_rate_by_hand() -> None:
    truth = np.array([True, True, True, True, False, False])
    predicted = np.array([True, True, False, True, True, False])
    right, patient = truth == predicted, np.array([0, 0, 0, 1, 2, 2])
    np.testing.assert_allclose(patient_scores(right, patient), [2 / 3, 1, 1 / 2])
    assert recognition_rate(right, patient) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert recognition_rate(right, patient) != pytest.approx(np.mean(right))
    drawn = np.array([[1, 1, 1], [0, 3, 0], [2, 0, 1]])
    expected = [(2 / 3 + 1 + 1 / 2) / 3, 1, (4 / 3 + 1 / 2) / 3]
    np.testing.assert_allclose(weighted_recognition_rate(right, patient, drawn), expected)
