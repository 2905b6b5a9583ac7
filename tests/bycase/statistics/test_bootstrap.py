import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from bycase.statistics import bootstrap as module
from bycase.statistics.bootstrap import bootstrap, rank_metrics, rank_metrics_within, weighted_metrics
from bycase.statistics.intervals import metric_interval
from bycase.statistics.units import Units, patient_units

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


def quadratic_auc(units: Units, counts: np.ndarray) -> np.ndarray:
    """The AUC as a ratio of quadratic forms in the counts: of concordant pairs (ties half) and of all pairs."""
    ahead = units.scores[:, None] - units.scores
    concordant = np.where(ahead > 0, 1, np.where(ahead == 0, 0.5, 0)) * (units.truth[:, None] & ~units.truth)
    pairs = (units.truth[:, None] & ~units.truth).astype(float)
    if units.stratum is not None:
        same = units.stratum[:, None] == units.stratum
        concordant, pairs = concordant * same, pairs * same
    owner = np.eye(units.n_patients)[units.patient]
    forms = [owner.T @ matrix @ owner for matrix in (concordant, pairs)]
    above, below = (np.einsum("np,pq,nq->n", counts, form, counts) for form in forms)
    return above / below


@pytest.mark.parametrize("decimals", [1, 2, 9])
@pytest.mark.parametrize("strata", [1, 4])
def test_the_auc_is_the_quadratic_form_of_the_counts(simulate: Simulate, decimals: int, strata: int) -> None:
    units = simulate(decimals, n_patients=30, images=5)
    stratum = units.patient % strata if strata > 1 else None
    units = Units(units.truth, np.round(units.scores, decimals), units.patient, stratum)
    counts = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=200)
    np.testing.assert_allclose(rank_metrics_within(units, counts)[0], quadratic_auc(units, counts), rtol=1e-12)


def test_ranks_are_compared_within_strata_only(simulate: Simulate) -> None:
    one, two = simulate(0), simulate(1)
    moved = 0.9 + two.scores / 10  # another network's scale: all above the first one's
    pooled = Units(
        np.append(one.truth, two.truth),
        np.append(one.scores, moved),
        np.append(one.patient, two.patient),
        np.repeat([0, 1], len(one.truth)),
    )
    random = np.random.default_rng(0)
    counts = np.vstack([np.ones(12, np.int64), random.multinomial(12, np.full(12, 1 / 12), size=20)])
    metrics = weighted_metrics(pooled, pooled.scores >= 0.5, counts)
    for row, count in enumerate(counts):
        aucs, precisions, pairs, positives = [], [], [], []
        for of in (one, two):
            weight = count[of.patient]
            aucs.append(roc_auc_score(of.truth, of.scores, sample_weight=weight))
            precisions.append(average_precision_score(of.truth, of.scores, sample_weight=weight))
            positives.append(weight[of.truth].sum())
            pairs.append(weight[of.truth].sum() * weight[~of.truth].sum())
        assert metrics["auc"][row] == pytest.approx(np.average(aucs, weights=pairs))
        assert metrics["average_precision"][row] == pytest.approx(np.average(precisions, weights=positives))
    mixed = weighted_metrics(replace(pooled, stratum=None), pooled.scores >= 0.5, counts)
    assert abs(mixed["auc"] - metrics["auc"]).min() > 0.01
    for name in ("accuracy", "brier", "mcc"):
        np.testing.assert_array_equal(mixed[name], metrics[name])


def test_a_single_stratum_changes_nothing(simulate: Simulate) -> None:
    units = simulate(0)
    one = replace(units, stratum=np.zeros(len(units.truth), np.int64))
    counts = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=20)
    for plain, within in zip(rank_metrics_within(units, counts), rank_metrics_within(one, counts), strict=True):
        np.testing.assert_array_equal(plain, within)


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
            "precision": precision_score(truth, called, zero_division=0),
            "f1": f1_score(truth, called, zero_division=0),
            "macro_f1": f1_score(truth, called, average="macro", zero_division=0),
            "mcc": matthews_corrcoef(truth, called),
            "brier": brier_score_loss(truth, scores),
            "log_loss": log_loss(truth, scores),
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


def test_resamples_without_a_pair_in_any_stratum_are_left_out() -> None:
    units = Units(np.array([1, 0, 1, 0], bool), np.array([0.9, 0.4, 0.1, 0.2]), np.arange(4), np.array([0, 0, 1, 1]))
    used = bootstrap(units, lambda c: weighted_metrics(units, units.scores > 0.5, c), 4000, np.random.default_rng(0))
    assert np.isfinite(used["auc"]).all()
    # Patients 0 and 1, or 2 and 3, both drawn: by inclusion and exclusion.
    both = 1 - 2 * (3 / 4) ** 4 + (2 / 4) ** 4
    assert len(used["auc"]) / 4000 == pytest.approx(2 * both - 24 / 4**4, abs=0.03)


def test_units_of_one_class_keep_all_resamples_and_have_no_ranks() -> None:
    units = Units(np.ones(6, bool), np.linspace(0.2, 0.9, 6), np.arange(6) // 2)
    used = bootstrap(units, lambda c: weighted_metrics(units, units.scores > 0.5, c), 300, np.random.default_rng(0))
    assert len(used["accuracy"]) == 300
    np.testing.assert_array_equal(used["accuracy"], used["sensitivity"])
    assert np.isnan(used["auc"]).all()
    assert np.isnan(used["specificity"]).all()


def test_ten_thousand_resamples_of_two_thousand_predictions_are_quick(simulate: Simulate) -> None:
    images = simulate(0, n_patients=80, images=25)
    started = time.process_time()
    for units in (images, patient_units(images)):
        called = units.scores >= 0.5
        bootstrap(units, lambda c, u=units, p=called: weighted_metrics(u, p, c), 10_000, np.random.default_rng(0))
    assert time.process_time() - started < 4  # of both cores together


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
