import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from MLstatkit import Delong_test
from scipy.stats import norm, ttest_ind
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    roc_auc_score,
)
from statsmodels.formula.api import ols

from bycase.statistics.influence import (
    METRICS,
    Draws,
    Influence,
    auc_errors,
    average,
    draws_of,
    draws_of_difference,
    mean_influence,
    measure_influence,
    welch,
)
from bycase.statistics.units import Units
from tests.fixtures.units import binary_units, class_units

Simulate = Callable[..., Units]
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def simulated(seed: int, n_patients: int, images: int, *, mixed: bool = False, folds: int = 1) -> Arrays:
    """Two networks' scores, rounded so that some are tied; the patients differ, also in how the networks do."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), images)
    truth = random.random(len(patient)) < 0.4 if mixed else patient % 3 == 0
    logits = truth + random.normal(size=n_patients)[patient] + random.normal(size=(2, len(patient)))
    logits += random.normal(size=(2, n_patients))[:, patient]
    return truth[:, None], np.round(logits, 1)[:, :, None], patient, patient // 3 % folds


def auc_covariance(
    targets: np.ndarray, scores: np.ndarray, patient: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The networks' AUCs, and the covariance of their errors."""
    influences = [_influence(targets, of, patient, fold) for of in scores]
    errors = np.stack([influence.parts.sum(axis=1) for influence in influences])
    return np.array([influence.estimate for influence in influences]), errors @ errors.T


def _influence(targets: np.ndarray, scores: np.ndarray, patient: np.ndarray, fold: np.ndarray) -> Influence:
    if targets.shape[1] == 1:
        return measure_influence("auc", binary_units(targets[:, 0], scores[:, 0], patient, fold=fold))
    return measure_influence("auc", class_units(targets.argmax(axis=1), scores, patient, fold))


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
    targets, scores, patient, fold = simulated(0, 60, 1)
    truth = targets[:, 0]
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    kernels = np.stack([kernel(truth, of[:, 0], fold)[0] for of in scores])
    of_positive, of_negative = kernels.mean(axis=2), kernels.mean(axis=1)
    expected = np.cov(of_positive) / truth.sum() + np.cov(of_negative) / (~truth).sum()
    assert auc == pytest.approx([roc_auc_score(truth, of[:, 0]) for of in scores])
    assert covariance == pytest.approx(expected)


def test_one_unit_a_patient_is_what_another_library_gives() -> None:
    targets, scores, patient, fold = simulated(8, 60, 1)
    one, other = (_influence(targets, of, patient, fold) for of in scores)
    difference = one.minus(other)
    z, p, *_, first, second, _ = Delong_test(targets[:, 0].astype(int), *scores[:, :, 0], n_boot=1)
    assert (one.estimate, other.estimate) == pytest.approx((first, second))
    assert abs(difference.estimate) / math.sqrt(difference.variance) == pytest.approx(abs(z))
    assert 2 * norm.sf(abs(z)) == pytest.approx(p)


def test_patients_of_one_class_are_obuchowskis_covariance() -> None:
    targets, scores, patient, fold = simulated(1, 24, 5)
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
    targets, scores, patient, fold = simulated(2, 60, 3, mixed=mixed, folds=folds)
    auc, covariance = auc_covariance(targets, scores, patient, fold)
    assert auc == pytest.approx([brute_auc(targets[:, 0], of[:, 0], fold) for of in scores])
    assert covariance == pytest.approx(jackknife(targets, scores, patient, fold), rel=0.12)


def test_repeats_of_one_patient_are_no_new_patients() -> None:
    targets, scores, patient, fold = simulated(3, 30, 2)
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


def test_folds_of_one_class_do_not_count() -> None:
    targets, scores, patient, fold = simulated(7, 30, 2)
    alone = np.concatenate([fold, np.ones(4, np.int64)])
    more = _influence(
        np.concatenate([targets, np.ones((4, 1), bool)]),
        np.concatenate([scores[0], np.full((4, 1), 9.0)]),
        np.concatenate([patient, np.repeat([30, 31], 2)]),
        alone,
    )
    once = _influence(targets, scores[0], patient, fold)
    assert (more.estimate, more.variance) == pytest.approx((once.estimate, once.variance))
    auc, errors, shares = auc_errors(np.array([True, False]), np.array([0.2, 0.1]), np.arange(2), np.arange(2))
    assert np.isnan(auc)
    assert not errors.any()
    assert not shares.any()


def test_every_estimate_is_scikit_learns(simulate: Simulate) -> None:
    units = simulate(3)
    truth, scores, predicted = units.truth, units.scores[:, 1], units.predicted
    expected = {
        "accuracy": np.mean(truth == predicted),
        "sensitivity": predicted[truth == 1].mean(),
        "recall": predicted[truth == 1].mean(),
        "specificity": 1 - predicted[truth == 0].mean(),
        "precision": precision_score(truth, predicted),
        "npv": precision_score(truth, predicted, pos_label=0),
        "recognition_rate": np.mean([units.right[units.patient == p].mean() for p in range(units.n_patients)]),
        "balanced_accuracy": balanced_accuracy_score(truth, predicted),
        "f1": f1_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro"),
        "brier": brier_score_loss(truth, scores),
        "log_loss": log_loss(truth, scores),
        "auc": roc_auc_score(truth, scores),
    }
    assert list(expected) == list(METRICS)
    assert {metric: measure_influence(metric, units).estimate for metric in METRICS} == pytest.approx(expected)


@pytest.mark.parametrize("metric", [metric for metric in METRICS if metric != "auc"])
@pytest.mark.parametrize("kind", ["simulate", "simulate_classes"])
def test_variances_are_those_of_leaving_patients_out(request: pytest.FixtureRequest, metric: str, kind: str) -> None:
    units = request.getfixturevalue(kind)(4)
    number = 1 if kind == "simulate_classes" else None
    influence = measure_influence(metric, units, number)
    n = units.n_patients
    values = [measure_influence(metric, units.select(units.patient != p), number).estimate for p in range(n)]
    jackknifed = (n - 1) / n * ((np.array(values) - np.mean(values)) ** 2).sum()
    assert influence.variance == pytest.approx(jackknifed, rel=0.35)


def test_a_mean_of_one_unit_a_patient_has_the_variance_of_any_mean() -> None:
    values = np.random.default_rng(0).random(17)
    influence = mean_influence(values, np.ones(17, bool), np.arange(17))
    assert influence.estimate == pytest.approx(values.mean())
    assert influence.variance == pytest.approx(values.var(ddof=1) / 17)
    assert influence.freedom == pytest.approx(16)


def test_degrees_of_freedom_are_welchs() -> None:
    """Recalls of two classes, a unit a patient, are two independent means."""
    truth = np.repeat([0, 1], [30, 7])
    for n_wrong in (1, 3):  # of seven
        scores = np.where(truth == 1, 0.9, 0.1)
        scores[[0, 1, *range(30, 30 + n_wrong)]] = [0.9, 0.9, *[0.1] * n_wrong]
        units = binary_units(truth == 1, scores, np.arange(37))
        influence = measure_influence("balanced_accuracy", units)
        right = units.right.astype(float)
        other = ttest_ind(right[truth == 1], -right[truth == 0], equal_var=False)
        assert influence.freedom == pytest.approx(other.df)
        assert 2 * influence.estimate / math.sqrt(4 * influence.variance) == pytest.approx(other.statistic)
        assert influence.freedom < 9


def test_a_small_variance_of_few_patients_is_not_believed() -> None:
    """Three patients who happen to be alike: the degrees of freedom are those of three, not of all."""
    truth = np.repeat([0, 1], [37, 3])
    scores = np.append(np.linspace(0.1, 0.9, 37), [0.8, 0.81, 0.82])
    influence = measure_influence("auc", binary_units(truth == 1, scores, np.arange(40)))
    variances = (influence.parts**2).sum(axis=0)
    assert welch(variances, influence.sizes - 1) > 10
    assert influence.freedom == pytest.approx(welch([1 / 37, 1 / 3], [36, 2]))
    assert influence.freedom < 3


def test_patients_of_both_classes_count_once() -> None:
    random = np.random.default_rng(2)
    patient = np.repeat(np.arange(9), 2)
    units = binary_units(np.tile([True, False], 9), random.random(18), patient)
    influence = measure_influence("auc", units)
    assert influence.sizes.tolist() == [9, 9]
    assert influence.freedom <= 8
    assert units.against_rest(1).shares_of_patients == (4.5, 4.5)


def test_a_class_of_one_patient_is_unknown(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 1))
    for metric in ("auc", "balanced_accuracy", "macro_f1"):
        assert measure_influence(metric, units).unknown == pytest.approx(1 / 3)
    assert [measure_influence("f1", units, number).unknown for number in range(3)] == [0, 0, 1]
    assert measure_influence("auc", units, 2).unknown == 1
    assert measure_influence("recall", units, 2).unknown == 1
    assert measure_influence("auc", units, 0).unknown == 0
    assert measure_influence("auc", simulate_classes(0, (5, 1, 1))).unknown == 1
    assert measure_influence("balanced_accuracy", simulate_classes(0, (5, 1, 1))).unknown == pytest.approx(2 / 3)


def test_who_speaks_for_a_side() -> None:
    truth, patient = np.ones(8, bool), np.repeat(np.arange(4), 2)
    one = binary_units(truth, np.array([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1]), patient)
    other = binary_units(truth, np.array([0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9]), patient)
    difference = measure_influence("accuracy", one).minus(measure_influence("accuracy", other))
    assert difference.estimate == pytest.approx(-3 / 8)
    assert difference.discordant == 2  # the second patient's two images speak for different sides


def test_draws_are_a_sample_of_their_own() -> None:
    random = np.random.default_rng(3)
    repeats = [mean_influence(random.random(20), np.ones(20, bool), np.arange(20)) for _ in range(5)]
    values = np.array([each.estimate for each in repeats])
    mean = average(repeats)
    drawn = mean.with_draws(draws_of(values))
    assert drawn.estimate == pytest.approx(values.mean())
    assert drawn.variance == pytest.approx(mean.variance + values.var(ddof=1) / 5)
    assert drawn.freedom == pytest.approx(welch([mean.variance, values.var(ddof=1) / 5], [19, 4]))
    single = mean.with_draws(draws_of(values[:1]))
    assert (single.variance, single.freedom) == pytest.approx((mean.variance, mean.freedom))


def test_draws_of_several_series_are_pooled() -> None:
    table = np.random.default_rng(5).normal(size=(3, 4))
    pooled = draws_of(table)
    assert (pooled.variance, pooled.freedom) == (pytest.approx(table.var(axis=0, ddof=1).mean() / 3), 8)
    of_difference = draws_of_difference(table + np.array([[0.0], [5.0], [9.0]]))  # what all series share does not count
    model = ols("value ~ C(draw) + C(series)", pd.DataFrame(long_table(table))).fit()
    assert of_difference.variance == pytest.approx(2 * model.mse_resid / 3)
    assert of_difference.freedom == model.df_resid == 6
    two = draws_of_difference(table[:, :2])
    assert (two.variance, two.freedom) == (pytest.approx((table[:, 0] - table[:, 1]).var(ddof=1) / 3), 2)
    assert draws_of_difference(table[:1]) == draws_of_difference(table[:, :1]) == Draws()


def long_table(table: np.ndarray) -> list[dict[str, float]]:
    return [{"draw": i, "series": j, "value": value} for (i, j), value in np.ndenumerate(table)]


def test_the_mean_of_equal_metrics_is_one_of_them() -> None:
    influence = mean_influence(np.arange(5.0), np.ones(5, bool), np.arange(5))
    assert average([influence, influence]).variance == pytest.approx(influence.variance)
    assert average([influence]).minus(influence).variance == 0


@pytest.mark.parametrize("freedoms", [(4, 4), (9, 2)])
def test_welch_is_never_below_the_least_nor_above_the_sum(freedoms: Sequence[int]) -> None:
    for share in (0.0, 0.3, 1.0):
        assert min(freedoms) <= welch([share, 1 - share], freedoms) <= sum(freedoms)
    assert welch([0.5, 0.5], [4, 4]) == pytest.approx(8)
    assert welch([0.0, 0.0], [4, 4]) == 1
