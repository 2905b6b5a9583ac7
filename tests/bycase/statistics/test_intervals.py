import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest, norm
from scipy.stats import t as student_t
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from bycase.statistics.bootstrap import bootstrap
from bycase.statistics.bounds import exact_interval, perfect_bound, perfect_mean_bound, perfect_ranking_bound
from bycase.statistics.influence import METRICS, measure_influence
from bycase.statistics.intervals import (
    bootstrap_freedom,
    expanded_tail,
    influence_interval,
    interval,
    mean_interval,
    metric_interval,
    metric_intervals,
    no_surer,
    rate_interval,
    share_interval,
)
from bycase.statistics.metrics import point_metrics, weighted_metrics
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import binary_units

Simulate = Callable[..., Units]
SPREAD = np.linspace(0, 1, 100_001)
RESAMPLED = ("average_precision", "mcc")


@pytest.mark.parametrize("sizes", [[2], [20], [4, 4], [37, 3], [5, 8, 3]])
def test_few_patients_widen_the_percentiles(sizes: list[int]) -> None:
    n = np.array(sizes)
    freedom, inflation = bootstrap_freedom(n)
    assert freedom == pytest.approx((1 / n).sum() ** 2 / (1 / n**2 / (n - 1)).sum())
    # The bootstrap's variance of a mean of n values is (n - 1) / n of the unbiased one: of a unit variance.
    assert inflation**2 * (1 / n).sum() == pytest.approx((1 / (n - 1)).sum())
    assert expanded_tail(n) == pytest.approx(norm.cdf(student_t.ppf(0.025, freedom) * inflation))
    assert expanded_tail(n) < expanded_tail(10 * n) < 0.025
    assert expanded_tail(100_000 * n) == pytest.approx(0.025, abs=1e-4)


def test_one_sample_is_hesterbergs_expansion() -> None:
    assert expanded_tail(20) == pytest.approx(norm.cdf(student_t.ppf(0.025, 19) * np.sqrt(20 / 19)))


def test_the_rarer_class_counts_most() -> None:
    assert bootstrap_freedom(np.array([37, 3]))[0] < 3 < bootstrap_freedom(np.array([20, 20]))[0] == pytest.approx(38)
    assert expanded_tail(np.array([37, 3])) < expanded_tail(np.array([20, 20]))


def test_percentiles_of_many_patients_are_the_plain_ones() -> None:
    assert interval(0.5, SPREAD, 10**9, 0.9) == pytest.approx({"low": 0.025, "high": 0.975}, abs=1e-4)
    gaps = np.append(SPREAD, [np.nan] * 50)
    assert interval(0.5, gaps, 10**9, 0.9) == interval(0.5, SPREAD, 10**9, 0.9)


def test_values_that_do_not_differ_get_an_exact_bound() -> None:
    assert interval(1.0, np.ones(50), 9, perfect_bound(9)) == pytest.approx(exact_interval(9, 9))
    assert interval(0.5, np.full(50, 0.5), 9, 0.8) == pytest.approx({"low": 0.3, "high": 0.7})


@pytest.mark.parametrize(("right", "n"), [(20, 20), (19, 20), (11, 20), (0, 20)])
def test_one_unit_a_patient_is_clopper_and_pearsons(right: int, n: int) -> None:
    units = binary_units(np.ones(n, bool), np.repeat([0.9, 0.1], [right, n - right]), np.arange(n))
    low, high = proportion_confint(right, n, method="beta")
    for metric in ("accuracy", "sensitivity"):
        assert metric_interval(metric, 0, None, units) == pytest.approx({"low": low, "high": high})
    exact = binomtest(right, n).proportion_ci(0.95, method="exact")
    assert metric_interval("accuracy", 0, None, units) == pytest.approx({"low": exact.low, "high": exact.high})


def test_several_units_a_patient_are_a_t_interval_of_the_log_odds(simulate: Simulate) -> None:
    """Written out for the mean of twelve patients' shares, of as many images each."""
    units = simulate(1)
    shares = units.right.reshape(12, 6).mean(axis=1)
    p, se = shares.mean(), shares.std(ddof=1) / np.sqrt(12)
    n = p * (1 - p) / se**2
    reach = student_t.ppf(0.975, 11) * se / (p * (1 - p))
    centre = np.log((p * n + 0.5) / ((1 - p) * n + 0.5))
    low, high = expit([centre - reach, centre + reach])
    found = share_interval(units.right, np.ones(72, bool), units.patient)
    assert found == pytest.approx({"low": min(low, perfect_bound(12)), "high": high})
    assert metric_interval("accuracy", p, None, units) == found
    assert metric_interval("recognition_rate", p, None, units) == pytest.approx(found)  # as many images of each


def test_the_auc_is_a_t_interval_of_delongs_variance(simulate: Simulate) -> None:
    units = patient_units(simulate(6, n_patients=24))
    truth, scores = units.truth == 1, units.scores[:, 1]
    above = (scores[truth][:, None] > scores[~truth]) + 0.5 * (scores[truth][:, None] == scores[~truth])
    of_positive, of_negative = above.mean(axis=1).var(ddof=1) / 16, above.mean(axis=0).var(ddof=1) / 8
    variance, auc = of_positive + of_negative, above.mean()
    freedom = variance**2 / (of_positive**2 / 15 + of_negative**2 / 7)
    freedom = min(freedom, (1 / 16 + 1 / 8) ** 2 / (1 / 16**2 / 15 + 1 / 8**2 / 7))
    n = auc * (1 - auc) / variance
    reach = student_t.ppf(0.975, freedom) * math.sqrt(variance) / (auc * (1 - auc))
    centre = np.log((auc * n + 0.5) / ((1 - auc) * n + 0.5))
    found = influence_interval(measure_influence("auc", units), 0.5)
    assert found == pytest.approx({"low": expit(centre - reach), "high": expit(centre + reach)})
    assert auc == pytest.approx(roc_auc_score(truth, scores))


def test_many_patients_have_hanleys_interval() -> None:
    """Where patients are many, half a unit and the degrees of freedom are nothing."""
    random = np.random.default_rng(0)
    truth = np.arange(4000) % 2 == 0
    units = binary_units(truth, expit(truth + random.normal(size=4000)), np.arange(4000))
    influence = measure_influence("auc", units)
    auc, se = influence.estimate, math.sqrt(influence.variance)
    found = metric_interval("auc", auc, None, units)
    ends = expit(logit(auc) + np.array([-1.96, 1.96]) * se / (auc * (1 - auc)))
    assert [found["low"], found["high"]] == pytest.approx(ends, abs=2e-4)


def test_one_misranked_image_does_not_make_an_interval_much_narrower() -> None:
    """Eight and five patients, 20 images each: AUC 1 against .996."""
    patient = np.repeat(np.arange(13), 20)
    truth = patient < 8
    scores = np.where(truth, 0.9, 0.1) + np.linspace(0, 0.01, 260)
    perfect = metric_interval("auc", 1.0, None, binary_units(truth, scores, patient))
    scores[0] = 0.1045
    units = binary_units(truth, scores, patient)
    almost = metric_interval("auc", 0, None, units)
    assert 0.99 < measure_influence("auc", units).estimate < 1
    assert perfect == pytest.approx({"low": perfect_ranking_bound(8, 5), "high": 1})
    assert almost["low"] <= perfect["low"]
    wrong = np.where(truth, 0.9, 0.1)
    wrong[0] = 0.2
    for metric in ("accuracy", "balanced_accuracy", "sensitivity", "f1", "mcc", "average_precision", "brier"):
        ends = {}
        for name, chosen in (("right", np.where(truth, 1.0, 0.0)), ("almost", wrong)):
            units = binary_units(truth, chosen, patient)
            drawn = bootstrap(units, lambda c, u=units: weighted_metrics(u, c), 300, np.random.default_rng(0))
            ends[name] = metric_interval(metric, point_metrics(units)[metric], drawn[metric], units)
        width = ends["right"]["high"] - ends["right"]["low"]
        assert ends["almost"]["high"] - ends["almost"]["low"] > 0.9 * width, metric


def test_no_interval_is_without_width_or_outside_its_range() -> None:
    patient = np.repeat(np.arange(6), 3)
    truth = patient < 4
    for scores in (np.where(truth, 1.0, 0.0), np.where(truth, 0.0, 1.0), np.full(18, 0.7), np.linspace(0, 1, 18)):
        units = binary_units(truth, scores, patient)
        drawn = bootstrap(units, lambda c, u=units: weighted_metrics(u, c), 200, np.random.default_rng(0))
        points = point_metrics(units)
        for name, ends in metric_intervals(points, drawn, units).items():
            if name != "resamples":
                low, high = (-1, 1) if name == "mcc" else (0, 36.1 if name == "log_loss" else 1)
                assert low <= ends["low"] <= points[name] <= ends["high"] <= high, name
                assert ends["high"] - ends["low"] > 0.1, name


def test_each_metric_rests_on_its_own_patients(simulate: Simulate) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    perfect = units.against_rest(1).truth.astype(float)
    right = binary_units(perfect == 1, perfect, units.patient)
    rests_on = {"sensitivity": 8, "specificity": 4, "accuracy": 12, "recognition_rate": 12, "brier": 12}
    for metric, patients in rests_on.items():
        ends = metric_interval(metric, 0, None, right)
        low = 0.025 ** (1 / patients)
        assert (1 - ends["high"] if metric == "brier" else ends["low"]) == pytest.approx(low)
    assert metric_interval("auc", 1.0, None, right)["low"] == pytest.approx(perfect_ranking_bound(8, 4))
    assert metric_interval("balanced_accuracy", 1.0, None, right)["low"] == pytest.approx(
        perfect_mean_bound(np.array([4, 8]))
    )
    drawn = metric_interval("average_precision", 0.5, SPREAD, units)["low"]
    assert drawn == pytest.approx(expanded_tail(np.array([8, 4])), abs=1e-5)


def test_bounds_reach_as_far_as_the_metrics_range(simulate: Simulate) -> None:
    units = simulate(0, n_patients=12)  # 8 positive, 4 negative
    limits = metric_interval("mcc", 1.0, np.ones(9), units)
    assert limits == pytest.approx({"low": 1 - 2 * (1 - 0.025 ** (1 / 4)), "high": 1})
    assert metric_interval("mcc", -1.0, -np.ones(9), units)["low"] == -1
    same = binary_units(units.truth == 1, np.full(72, 0.5), units.patient)
    limits = metric_interval("log_loss", 0, None, same)
    worst = -np.log(np.finfo(float).eps)
    assert limits == pytest.approx({"low": 0, "high": np.log(2) + (1 - 0.025 ** (1 / 12)) * worst})


def test_a_metric_without_a_closed_form_needs_resamples(simulate: Simulate) -> None:
    for metric in RESAMPLED:
        assert metric not in METRICS
        with pytest.raises(ValueError, match=f"{metric} has no interval without resamples"):
            metric_interval(metric, 0.5, None, simulate(0))


def test_resamples_without_a_class_are_left_out_where_it_is_needed(simulate: Simulate) -> None:
    drawn = np.concatenate([SPREAD, np.full(1000, np.nan)])
    units = simulate(0, n_patients=12)
    assert metric_interval("mcc", 0.5, drawn, units) == metric_interval("mcc", 0.5, SPREAD, units)
    assert metric_interval("mcc", 0.5, np.full(9, np.nan), units)["high"] > 0.9


def test_no_result_rules_out_more_than_a_perfect_one() -> None:
    assert no_surer({"low": 0.9, "high": 0.95}, 0.7) == pytest.approx({"low": 0.7, "high": 0.95})
    assert no_surer({"low": 0.1, "high": 0.2}, 0.7) == pytest.approx({"low": 0.1, "high": 0.3})
    assert no_surer({"low": -0.9, "high": -0.8}, 0.7, (-1.0, 1.0)) == pytest.approx({"low": -0.9, "high": -0.4})


def test_a_mean_that_has_no_perfect_end() -> None:
    values, patient = np.full(12, 0.02) + np.linspace(0, 0.01, 12), np.repeat(np.arange(4), 3)
    ends = mean_interval(values, patient)
    assert ends["high"] < 0.05 < share_interval(values, np.ones(12, bool), patient)["high"]
    scaled = mean_interval(2 * values - 1, patient, (-1.0, 1.0))
    assert (scaled["low"], scaled["high"]) == pytest.approx((2 * ends["low"] - 1, 2 * ends["high"] - 1))


def test_nobody_leaves_everything_possible() -> None:
    nobody = np.zeros(4, bool)
    assert rate_interval(nobody, nobody, np.arange(4)) == {"low": 0, "high": 1}


def test_one_patient_of_a_class_leaves_no_narrow_auc(simulate: Simulate) -> None:
    limits = metric_interval("auc", 0.8, None, simulate(0, n_patients=3))  # one negative
    assert limits["low"] < 0.1
    assert limits["high"] == 1


def test_a_class_of_one_patient_may_be_anything(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 1))
    influence = measure_influence("balanced_accuracy", units)
    known = influence_interval(replace(influence, unknown=0.0), 0.5)
    limits = metric_interval("balanced_accuracy", 0, None, units)
    assert limits == pytest.approx({"low": max(0, known["low"] - 1 / 3), "high": min(1, known["high"] + 1 / 3)})
    tight = np.linspace(0.49, 0.51, 1001)
    low, high = np.quantile(tight, [tail := expanded_tail(np.array([5, 8])), 1 - tail])
    drawn = metric_interval("average_precision", 0.5, tight, units)
    assert drawn == pytest.approx({"low": low - 1 / 3, "high": high + 1 / 3})
    alone = simulate_classes(0, (1, 1, 1))
    assert metric_interval("average_precision", 0.9, SPREAD, alone)["low"] < 0.1


def test_a_mean_over_classes_widens_with_their_number_and_few_patients(simulate_classes: Simulate) -> None:
    units = simulate_classes(0, (5, 8, 3))
    limits = metric_interval("average_precision", 0.5, SPREAD, units)
    assert limits["low"] == pytest.approx(expanded_tail(np.array([5, 8, 3])), abs=1e-5)
    assert limits["high"] == pytest.approx(1 - expanded_tail(np.array([5, 8, 3])), abs=1e-5)


def test_each_class_has_an_interval_on_its_own_patients(simulate_classes: Simulate) -> None:
    units = simulate_classes(3, (1, 8, 6))
    metrics = point_metrics(units)
    values = bootstrap(units, lambda counts: weighted_metrics(units, counts), 300, np.random.default_rng(0))
    limits = metric_intervals(metrics, values, units)
    assert list(limits["per_class"]) == list(units.classes)
    for label, of_class in limits["per_class"].items():
        for name, ends in of_class.items():
            assert 0 <= ends["low"] <= metrics["per_class"][label][name] <= ends["high"] <= 1
    single = limits["per_class"]["a"]
    assert single["recall"]["high"] - single["recall"]["low"] > 0.9
    assert limits["per_class"]["b"]["recall"]["high"] - limits["per_class"]["b"]["recall"]["low"] < 0.9


@pytest.mark.slow
def test_coverage_on_simulated_patients(simulate_classes: Simulate) -> None:
    patients = (6, 10, 4, 8)
    true = point_metrics(simulate_classes(9999, (3000,) * 4, images=1))
    covered = dict.fromkeys(("balanced_accuracy", "auc"), 0)
    for seed in range(400):
        units = simulate_classes(seed, patients)
        for name in covered:
            limits = metric_interval(name, 0, None, units)
            covered[name] += limits["low"] <= true[name] <= limits["high"]
    assert all(0.92 <= count / 400 <= 0.995 for count in covered.values())
