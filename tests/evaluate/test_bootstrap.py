from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    recall_score,
    roc_auc_score,
)

from stages.evaluate import bootstrap as module
from stages.evaluate.bootstrap import bootstrap, rank_metrics, weighted_metrics
from stages.evaluate.intervals import metric_interval
from stages.evaluate.units import Units, patient_units

Simulate = Callable[..., Units]


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_rank_metrics_agree_with_scikit_learn(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    truth = random.random(80) < 0.6
    scores = np.round(random.random(80), decimals)
    weights = random.integers(0, 4, (30, 80))
    auc, average_precision = rank_metrics(truth, scores, weights)
    for row, weight in enumerate(weights):
        assert auc[row] == pytest.approx(roc_auc_score(truth, scores, sample_weight=weight))
        assert average_precision[row] == pytest.approx(average_precision_score(truth, scores, sample_weight=weight))


def test_the_top_scores_may_have_no_weight() -> None:
    auc, average_precision = rank_metrics(
        np.array([True, False, True]), np.array([0.9, 0.8, 0.1]), np.array([[0, 1, 1]])
    )
    assert (auc[0], average_precision[0]) == (0, 0.5)


@pytest.mark.parametrize("level", ["image", "patient"])
def test_weighted_metrics_equal_those_of_repeated_patients(simulate: Simulate, level: str) -> None:
    units = simulate(0)
    units = patient_units(units) if level == "patient" else units
    predicted = units.scores >= 0.55
    random = np.random.default_rng(1)
    counts = random.multinomial(units.n_patients, np.full(units.n_patients, 1 / units.n_patients), size=20)
    metrics = weighted_metrics(units, predicted, counts)
    for row, count in enumerate(counts):
        drawn = np.concatenate([np.flatnonzero(units.patient == p) for p in np.repeat(np.arange(len(count)), count)])
        truth, scores, called = units.truth[drawn], units.scores[drawn], predicted[drawn]
        expected = {
            "auc": roc_auc_score(truth, scores),
            "average_precision": average_precision_score(truth, scores),
            "accuracy": accuracy_score(truth, called),
            "balanced_accuracy": balanced_accuracy_score(truth, called),
            "sensitivity": recall_score(truth, called),
            "specificity": recall_score(~truth, ~called),
            "brier": brier_score_loss(truth, scores),
        }
        assert {name: values[row] for name, values in metrics.items()} == pytest.approx(expected)


def test_patients_are_drawn_whole_and_with_replacement(simulate: Simulate) -> None:
    units = simulate(0)
    seen = []
    bootstrap(units, lambda counts: seen.append(counts) or {"n": counts.sum(axis=1)}, 500, np.random.default_rng(0))
    counts = np.concatenate(seen)
    assert counts.shape[1] == 12
    assert (counts.sum(axis=1) == 12).all()
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 12) ** 12, abs=0.02)


def test_chunks_and_levels_draw_the_same_patients(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    units = simulate(0)

    def draw(of: Units) -> np.ndarray:
        return bootstrap(of, lambda counts: {"c": counts.astype(float)}, 300, np.random.default_rng(5))["c"]

    whole = draw(units)
    np.testing.assert_array_equal(whole, draw(patient_units(units)))
    monkeypatch.setattr(module, "CHUNK", 1000)
    np.testing.assert_array_equal(whole, draw(units))


def test_resamples_without_both_classes_are_left_out() -> None:
    units = Units(np.array([True, True, False]), np.array([0.9, 0.4, 0.1]), np.array([0, 1, 2]))
    used = bootstrap(units, lambda c: weighted_metrics(units, units.scores > 0.5, c), 4000, np.random.default_rng(0))
    assert all(np.isfinite(values).all() for values in used.values())
    # Not all three draws the negative patient, and not all three a positive one.
    assert len(used["auc"]) / 4000 == pytest.approx(1 - (1 / 3) ** 3 - (2 / 3) ** 3, abs=0.03)


def test_coverage_on_simulated_patients(simulate: Simulate) -> None:
    """About 95 % of intervals hold the true AUC; intervals that took images for patients would hold far fewer."""
    true = norm.cdf(1 / 2)  # the difference of two scores has mean 1 and variance 4
    by_patient = by_image = 0
    for seed in range(200):
        patients = simulate(seed, n_patients=30, images=6)
        images = Units(patients.truth, patients.scores, np.arange(len(patients.truth)))
        for units in (patients, images):
            values = bootstrap(
                units,
                lambda c, u=units: {"auc": rank_metrics(u.truth, u.scores, c[:, u.patient])[0]},
                300,
                np.random.default_rng(seed),
            )
            limits = metric_interval("auc", roc_auc_score(units.truth, units.scores), values["auc"], units)
            covered = limits["low"] <= true <= limits["high"]
            by_patient += covered and units is patients
            by_image += covered and units is images
    assert 0.91 <= by_patient / 200 <= 0.995
    assert by_image / 200 < 0.85
