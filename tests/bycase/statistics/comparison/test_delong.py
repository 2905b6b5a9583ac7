from dataclasses import replace

import numpy as np
import pytest
from MLstatkit import Delong_test
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from bycase.statistics.comparison.delong import auc_covariance, compare_aucs
from bycase.statistics.comparison.differences import (
    Difference,
    confidence_interval,
    p_not_equivalent,
    p_two_sided,
    support,
)
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.comparison.resampling import point_values, resampled_values

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def simulate(seed: int, n_patients: int, images: int, *, mixed: bool = False, folds: int = 1) -> Arrays:
    """Two networks' scores, rounded so that some are tied; the patients differ, also in how the networks do."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), images)
    truth = random.random(len(patient)) < 0.4 if mixed else patient % 3 == 0
    logits = truth + random.normal(size=n_patients)[patient] + random.normal(size=(2, len(patient)))
    logits += random.normal(size=(2, n_patients))[:, patient]
    return truth[:, None], np.round(logits, 1)[:, :, None], patient, patient // 3 % folds


def paired_of(truth: np.ndarray, scores: np.ndarray, patient: np.ndarray, fold: np.ndarray | None = None) -> Paired:
    return Paired(
        models=("one", "other"),
        classes=("Benign", "Malignant"),
        positive=1,
        patients=np.unique(patient).astype(str),
        names=np.arange(len(patient)).astype(str),
        truth=truth.astype(np.int64),
        scores=np.stack([-scores, scores], axis=2),
        predicted=(scores > 0.5).astype(np.int64),
        patient=patient,
        fold=np.zeros(len(patient), np.int64) if fold is None else fold,
        repeat=np.zeros(len(patient), np.int64),
        patient_threshold=np.full(scores.shape, 0.5),
    )


def kernel(truth: np.ndarray, scores: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 for each positive above a negative, 0.5 for a tie; and which pairs are of one fold."""
    above = scores[truth][:, None] - scores[~truth][None]
    return (above > 0) + (above == 0) / 2, fold[truth][:, None] == fold[~truth][None]


def brute_auc(truth: np.ndarray, scores: np.ndarray, fold: np.ndarray) -> float:
    concordant, together = kernel(truth, scores, fold)
    return float((concordant * together).sum() / together.sum())


def jackknife(targets: np.ndarray, scores: np.ndarray, patient: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Covariance of AUCs by leaving out one patient after the other."""
    values = []
    for left_out in np.unique(patient):
        rows = patient != left_out
        values.append(
            [
                np.mean([brute_auc(targets[rows, c], of[rows, c], fold[rows]) for c in range(targets.shape[1])])
                for of in scores
            ]
        )
    return np.cov(np.array(values).T, ddof=1) * (len(values) - 1) ** 2 / len(values)


def test_one_unit_a_patient_is_delongs_covariance() -> None:
    targets, scores, patient, fold = simulate(0, 60, 1)
    truth = targets[:, 0]
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    kernels = np.stack([kernel(truth, of[:, 0], fold)[0] for of in scores])
    of_positive, of_negative = kernels.mean(axis=2), kernels.mean(axis=1)
    expected = np.cov(of_positive) / truth.sum() + np.cov(of_negative) / (~truth).sum()
    assert auc == pytest.approx([roc_auc_score(truth, of[:, 0]) for of in scores])
    assert covariance == pytest.approx(expected)


def test_one_unit_a_patient_is_what_another_library_gives() -> None:
    targets, scores, patient, fold = simulate(8, 60, 1)
    found = compare_aucs(paired_of(targets[:, 0], scores[:, :, 0], patient, fold))[0, 1]
    z, p, *_, first, second, _ = Delong_test(targets[:, 0].astype(int), *scores[:, :, 0], n_boot=1)
    assert (found.first, found.second) == pytest.approx((first, second))
    assert (abs(found.z), found.p) == pytest.approx((abs(z), p))


def test_patients_of_one_class_are_obuchowskis_covariance() -> None:
    targets, scores, patient, fold = simulate(1, 24, 5)
    truth = targets[:, 0]
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    expected = np.zeros((2, 2))
    for members, axis in ((truth, 2), (~truth, 1)):
        kernels = np.stack([kernel(truth, of[:, 0], fold)[0] for of in scores]).mean(axis=axis)
        owners = np.unique(patient[members])
        sums = np.array([(kernels - auc[:, None])[:, patient[members] == owner].sum(axis=1) for owner in owners])
        n = len(owners)
        expected += n / (n - 1) * sums.T @ sums / members.sum() ** 2
    assert covariance == pytest.approx(expected)


@pytest.mark.parametrize(("mixed", "folds"), [(False, 1), (True, 1), (False, 3), (True, 4)])
def test_close_to_leaving_patients_out(mixed: bool, folds: int) -> None:
    targets, scores, patient, fold = simulate(2, 60, 3, mixed=mixed, folds=folds)
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    assert auc == pytest.approx([brute_auc(targets[:, 0], of[:, 0], fold) for of in scores])
    assert covariance == pytest.approx(jackknife(targets, scores, patient, fold), rel=0.12)


def test_repeats_of_one_patient_are_no_new_patients() -> None:
    targets, scores, patient, fold = simulate(3, 30, 2)
    _, once = auc_covariance(targets, scores, patient, fold)
    twice = [np.concatenate([array, array], axis=axis) for array, axis in ((targets, 0), (scores, 1), (patient, 0))]
    _, repeated = auc_covariance(*twice, np.repeat([0, 1], len(fold)))
    assert repeated == pytest.approx(once)


def test_several_classes_are_averaged() -> None:
    random = np.random.default_rng(4)
    patient = np.repeat(np.arange(45), 2)
    targets = np.eye(3, dtype=bool)[patient % 3]
    scores = targets + random.normal(size=(2, len(patient), 3)) + random.normal(size=(45, 3))[patient]
    fold = np.zeros(len(patient), int)
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    assert auc == pytest.approx([np.mean([roc_auc_score(targets[:, c], of[:, c]) for c in range(3)]) for of in scores])
    assert covariance == pytest.approx(jackknife(targets, scores, patient, fold), rel=0.12)
    without = auc_covariance(
        np.column_stack([targets, np.zeros(len(patient), bool)]), scores[:, :, [0, 1, 2, 0]], patient, fold
    )
    assert without[1] == pytest.approx(covariance)


def test_comparison_is_a_z_test() -> None:
    targets, scores, patient, fold = simulate(5, 40, 2)
    paired = paired_of(targets[:, 0], scores[:, :, 0], patient, fold)
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    found = compare_aucs(paired)[0, 1]
    se = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert (found.difference, found.se) == pytest.approx((auc[0] - auc[1], se))
    assert found.p == pytest.approx(2 * norm.cdf(-abs(auc[0] - auc[1]) / se))


def test_nothing_is_claimed_without_variance() -> None:
    targets, scores, patient, fold = simulate(6, 9, 2)
    same = paired_of(targets[:, 0], scores[[0, 0], :, 0], patient, fold)
    one_positive = replace(same, truth=(patient == 0).astype(int), scores=np.concatenate([-scores, scores], axis=2))
    for paired in (same, one_positive):
        found = compare_aucs(paired)[0, 1]
        assert (found.se, found.z, found.p) == (None, None, 1)


def clustered(random: np.random.Generator, n_patients: int, images: int, skills: tuple[float, float]) -> Paired:
    """Two networks whose scores share one effect of each patient and have one of their own; AUC Phi(skill / sqrt 5)."""
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient % 2 == 0
    shared = random.normal(size=n_patients)[patient] + 0.5 * random.normal(size=len(patient))
    own = random.normal(size=(2, n_patients))[:, patient] + 0.5 * random.normal(size=(2, len(patient)))
    return paired_of(truth, np.array(skills)[:, None] * truth + shared + own, patient)


def auc_difference(paired: Paired) -> Difference:
    drawn, auc = resampled_values(paired, 1000, 1)["auc"], point_values(paired)["auc"]
    return Difference(float(auc[0] - auc[1]), drawn[:, 0] - drawn[:, 1], support("auc", paired.units(0)))


@pytest.mark.slow
def test_error_rates_without_a_difference() -> None:
    random = np.random.default_rng(8)
    claimed = {"bootstrap": 0, "delong": 0, "ignoring patients": 0}
    for _ in range(500):
        paired = clustered(random, 40, 6, (1.2, 1.2))
        alone = replace(paired, patient=np.arange(len(paired.patient)))
        claimed["bootstrap"] += p_two_sided(auc_difference(paired)) < 0.05
        claimed["delong"] += compare_aucs(paired)[0, 1].p < 0.05
        claimed["ignoring patients"] += compare_aucs(alone)[0, 1].p < 0.05
    rates = {name: count / 500 for name, count in claimed.items()}
    assert 0.02 < rates["bootstrap"] < 0.08
    assert 0.02 < rates["delong"] < 0.08
    assert rates["ignoring patients"] > 0.25


@pytest.mark.slow
def test_error_rates_with_a_difference_of_the_margin() -> None:
    random, skills = np.random.default_rng(9), (3.2, 2.4)
    true = float(np.subtract(*norm.cdf(np.array(skills) / np.sqrt(5))))
    differences = [auc_difference(clustered(random, 80, 3, skills)) for _ in range(500)]
    limits = [confidence_interval(difference) for difference in differences]
    covered = np.mean([of["low"] <= true <= of["high"] for of in limits])
    equivalent = np.mean([p_not_equivalent(difference, true) < 0.05 for difference in differences])
    assert 0.92 < covered < 0.98
    assert 0.02 < equivalent < 0.08
