import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from bycase.statistics import bootstrap as module
from bycase.statistics.bootstrap import bootstrap, on_all_patients, rank_metrics_within, resample
from bycase.statistics.intervals import metric_interval
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import BinaryUnits, Units, patient_units
from tests.fixtures.units import binary_units, class_units

Simulate = Callable[..., Units]


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_rank_metrics_agree_with_scikit_learn(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    truth = random.random(80) < 0.6
    scores = np.round(random.random(80), decimals)
    weights = random.integers(0, 4, (30, 80))
    auc, average_precision = rank_metrics_within(BinaryUnits(truth, scores, np.arange(80)), weights)
    for row, weight in enumerate(weights):
        assert auc[row] == pytest.approx(roc_auc_score(truth, scores, sample_weight=weight))
        assert average_precision[row] == pytest.approx(average_precision_score(truth, scores, sample_weight=weight))


def test_the_top_scores_may_have_no_weight() -> None:
    units = BinaryUnits(np.array([True, False, True]), np.array([0.9, 0.8, 0.1]), np.arange(3))
    auc, average_precision = rank_metrics_within(units, np.array([[0, 1, 1]]))
    assert (auc[0], average_precision[0]) == (0, 0.5)


def quadratic_auc(units: BinaryUnits, counts: np.ndarray) -> np.ndarray:
    """The AUC as a ratio of quadratic forms in the counts: of concordant pairs (ties half) and of all pairs."""
    ahead = units.scores[:, None] - units.scores
    concordant = np.where(ahead > 0, 1, np.where(ahead == 0, 0.5, 0)) * (units.truth[:, None] & ~units.truth)
    pairs = (units.truth[:, None] & ~units.truth).astype(float)
    if units.fold is not None:
        same = units.fold[:, None] == units.fold
        concordant, pairs = concordant * same, pairs * same
    owner = np.eye(units.n_patients)[units.patient]
    forms = [owner.T @ matrix @ owner for matrix in (concordant, pairs)]
    above, below = (np.einsum("np,pq,nq->n", counts, form, counts) for form in forms)
    return above / below


@pytest.mark.parametrize("decimals", [1, 2, 9])
@pytest.mark.parametrize("folds", [1, 4])
def test_the_auc_is_the_quadratic_form_of_the_counts(simulate: Simulate, decimals: int, folds: int) -> None:
    units = simulate(decimals, n_patients=30, images=5)
    fold = units.patient % folds if folds > 1 else None
    units = BinaryUnits(units.truth == 1, np.round(units.scores[:, 1], decimals), units.patient, fold)
    counts = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=200)
    np.testing.assert_allclose(rank_metrics_within(units, counts)[0], quadratic_auc(units, counts), rtol=1e-12)


def test_ranks_are_compared_within_folds_only(simulate: Simulate) -> None:
    one, two = simulate(0), simulate(1)
    moved = 0.9 + two.scores[:, 1] / 10  # another network's scale: all above the first one's
    pooled = binary_units(
        np.append(one.truth, two.truth),
        np.append(one.scores[:, 1], moved),
        np.append(one.patient, two.patient),
        np.repeat([0, 1], len(one.truth)),
    )
    random = np.random.default_rng(0)
    counts = np.vstack([np.ones(12, np.int64), random.multinomial(12, np.full(12, 1 / 12), size=20)])
    metrics = weighted_metrics(pooled, counts)
    for row, count in enumerate(counts):
        aucs, precisions, pairs, positives = [], [], [], []
        for part in (one.against_rest(1), two.against_rest(1)):
            weight = count[part.patient]
            aucs.append(roc_auc_score(part.truth, part.scores, sample_weight=weight))
            precisions.append(average_precision_score(part.truth, part.scores, sample_weight=weight))
            positives.append(weight[part.truth].sum())
            pairs.append(weight[part.truth].sum() * weight[~part.truth].sum())
        assert metrics["auc"][row] == pytest.approx(np.average(aucs, weights=pairs))
        assert metrics["average_precision"][row] == pytest.approx(np.average(precisions, weights=positives))
    mixed = weighted_metrics(replace(pooled, fold=None), counts)
    assert abs(mixed["auc"] - metrics["auc"]).min() > 0.01
    for name in ("accuracy", "brier", "mcc"):
        np.testing.assert_array_equal(mixed[name], metrics[name])


def test_a_single_fold_changes_nothing(simulate: Simulate) -> None:
    units = simulate(0).against_rest(1)
    one = replace(units, fold=np.zeros(len(units.truth), np.int64))
    counts = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=20)
    for plain, within in zip(rank_metrics_within(units, counts), rank_metrics_within(one, counts), strict=True):
        np.testing.assert_array_equal(plain, within)


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

    def draw(units: Units) -> np.ndarray:
        return bootstrap(units, lambda counts: {"c": counts.astype(float)}, 300, np.random.default_rng(5))["c"]

    whole = draw(units)
    np.testing.assert_array_equal(whole, draw(patient_units(units)))
    monkeypatch.setattr(module, "CHUNK", 1000)
    np.testing.assert_array_equal(whole, draw(units))


def test_resamples_without_both_classes_are_left_out() -> None:
    units = binary_units([True, True, False], [0.9, 0.4, 0.1], np.arange(3))
    used = bootstrap(units, lambda counts: weighted_metrics(units, counts), 4000, np.random.default_rng(0))
    assert {len(values) for values in used.values()} == {4000}
    # Not all three draws the negative patient, and not all three a positive one.
    both = 1 - (1 / 3) ** 3 - (2 / 3) ** 3
    needed = {
        **dict.fromkeys(("accuracy", "brier", "log_loss"), 1),
        **dict.fromkeys(("auc", "average_precision", "balanced_accuracy", "macro_f1", "mcc"), both),
        **dict.fromkeys(("sensitivity", "precision", "f1"), 1 - (1 / 3) ** 3),
        **dict.fromkeys(("specificity", "npv"), 1 - (2 / 3) ** 3),
    }
    assert {name: np.isfinite(values).mean() for name, values in used.items()} == pytest.approx(needed, abs=0.03)


def test_resamples_without_a_pair_in_any_fold_have_no_auc() -> None:
    units = binary_units([1, 0, 1, 0], [0.9, 0.4, 0.1, 0.2], np.arange(4), np.array([0, 0, 1, 1]))
    used = bootstrap(units, lambda counts: weighted_metrics(units, counts), 4000, np.random.default_rng(0))
    assert np.isfinite(used["accuracy"]).all()
    # Patients 0 and 1, or 2 and 3, both drawn: by inclusion and exclusion.
    both = 1 - 2 * (3 / 4) ** 4 + (2 / 4) ** 4
    assert np.isfinite(used["auc"]).mean() == pytest.approx(2 * both - 24 / 4**4, abs=0.03)


def test_units_of_one_class_keep_all_resamples_and_have_no_ranks() -> None:
    units = binary_units([True] * 6, np.linspace(0.2, 0.9, 6), np.arange(6) // 2)
    used = bootstrap(units, lambda counts: weighted_metrics(units, counts), 300, np.random.default_rng(0))
    assert len(used["accuracy"]) == 300
    np.testing.assert_array_equal(used["accuracy"], used["sensitivity"])
    assert np.isnan(used["auc"]).all()
    assert np.isnan(used["specificity"]).all()


def test_resamples_of_several_classes_need_two_for_a_mean_auc() -> None:
    units = class_units(np.arange(3), np.eye(3), np.arange(3))
    used = bootstrap(units, lambda counts: weighted_metrics(units, counts), 4000, np.random.default_rng(0))
    assert used["class_recall"].shape == (4000, 3)
    assert np.isfinite(used["auc"]).mean() == pytest.approx(1 - 3 / 27, abs=0.03)


def test_ranks_of_several_classes_are_compared_within_folds(simulate_classes: Simulate) -> None:
    one, two = simulate_classes(0), simulate_classes(1)
    scores = np.vstack([one.scores, 0.5 * two.scores + [0.5, 0, 0]])  # another network's scale
    pooled = class_units(
        np.append(one.truth, two.truth),
        scores,
        np.append(one.patient, two.patient),
        np.repeat([0, 1], len(one.truth)),
    )
    metrics = weighted_metrics(pooled, np.ones((1, 16), np.int64))
    for number in range(3):
        aucs = [roc_auc_score(part.truth == number, part.scores[:, number]) for part in (one, two)]
        assert metrics["class_auc"][0, number] == pytest.approx(np.mean(aucs))  # as many pairs in both


def test_several_statistics_get_the_same_patients(simulate: Simulate) -> None:
    units = simulate(0)
    points, values = resample(units, {"a": lambda c: {"n": c + 0.0}, "b": lambda c: {"n": 2.0 * c}}, 30, 7)
    np.testing.assert_array_equal(2 * values["a"]["n"], values["b"]["n"])
    assert points["b"]["n"].tolist() == on_all_patients(units, lambda c: {"n": 2.0 * c})["n"].tolist() == [2.0] * 12


def test_seven_classes_and_two_thousand_images_take_seconds(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (20, 30, 60, 10, 70, 130, 14), images=6)
    started = time.process_time()
    values = bootstrap(units, lambda counts: weighted_metrics(units, counts), 500, np.random.default_rng(0))
    assert time.process_time() - started < 5  # a quarter of the resamples, of both cores together
    assert len(values["auc"]) == 500


def test_ten_thousand_resamples_of_two_thousand_predictions_are_quick(simulate: Simulate) -> None:
    images = simulate(0, n_patients=80, images=25)
    started = time.process_time()
    for units in (images, patient_units(images)):
        bootstrap(units, lambda c, u=units: weighted_metrics(u, c), 10_000, np.random.default_rng(0))
    assert time.process_time() - started < 4  # of both cores together


def test_coverage_on_simulated_patients(simulate: Simulate) -> None:
    """About 95 % of intervals hold the true AUC; intervals that took images for patients would hold far fewer."""
    true = norm.cdf(1 / 2)  # the difference of two scores has mean 1 and variance 4
    by_patient = by_image = 0
    for seed in range(200):
        patients = simulate(seed, n_patients=30, images=6)
        images = replace(patients, patient=np.arange(len(patients.truth)))
        for units in (patients, images):
            limits = metric_interval("auc", 0, None, units)
            covered = limits["low"] <= true <= limits["high"]
            by_patient += covered and units is patients
            by_image += covered and units is images
    assert 0.91 <= by_patient / 200 <= 0.995
    assert by_image / 200 < 0.85
