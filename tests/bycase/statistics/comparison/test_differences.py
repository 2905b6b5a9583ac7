from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm, permutation_test, ttest_1samp, ttest_ind, ttest_rel
from sklearn.metrics import roc_auc_score

from bycase.statistics.comparison.differences import (
    Difference,
    confidence_interval,
    count_discordant,
    differences_from,
    influence_difference,
    measure_differences,
    p_at_most,
    p_not_equivalent,
    p_two_sided,
    resampled_difference,
    simultaneous_interval,
    standard_error,
)
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.comparison.verdict import holm
from bycase.statistics.influence import Draws, mean_influence, measure_influence
from bycase.statistics.metrics import weighted_metrics
from bycase.statistics.units import Units
from tests.fixtures.units import binary_units

EVERYONE = np.ones(20, bool)


def paired_of(truth: np.ndarray, scores: np.ndarray, patient: np.ndarray) -> Paired:
    """Networks' scores, (n_networks, n_units), of two classes."""
    names = tuple("abcdef"[: len(scores)])
    return Paired(
        models=names,
        classes=("Benign", "Malignant"),
        positive=1,
        patients=np.unique(patient).astype(str),
        names=np.arange(len(patient)).astype(str),
        truth=truth.astype(np.int64),
        scores=np.stack([1 - scores, scores], axis=2),
        predicted=(scores > 0.5).astype(np.int64),
        patient=patient,
        fold=np.zeros(len(patient), np.int64),
        repeat=np.zeros(len(patient), np.int64),
        patient_threshold=np.full(scores.shape, 0.5),
    )


def differences_of(paired: Paired, *metrics: str, resamples: int = 500) -> dict[str, Difference]:
    found = measure_differences(paired, metrics, [(0, 1)], resamples, np.random.default_rng(0))
    return {metric: found[metric][0, 1] for metric in metrics}


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Differences of 20 patients."""
    return np.random.default_rng(1).normal(0.04, 0.1, 20)


def shifted(values: np.ndarray, by: float = 0.0) -> Difference:
    return influence_difference(mean_influence(values + by, EVERYONE, np.arange(20)))


def test_trainings_add_their_variance(values: np.ndarray) -> None:
    plain, part = shifted(values), 0.0003
    joined = plain.with_trainings(Draws(part, 2))
    assert standard_error(joined) ** 2 == pytest.approx(standard_error(plain) ** 2 + part)
    assert joined.of_trainings == pytest.approx(part)
    freedom = joined.variance**2 / (plain.variance**2 / 19 + part**2 / 2)
    assert joined.freedom == pytest.approx(freedom)
    assert p_two_sided(joined) > p_two_sided(plain)
    nothing = shifted(np.zeros(20))
    assert nothing.with_trainings(Draws(part, 2)) == nothing


@pytest.mark.parametrize("by", [-0.035, 0.0, 0.02, 0.05])
def test_intervals_of_several_pairs_agree_with_holm(values: np.ndarray, by: float) -> None:
    others = [shifted(-values, by) for by in (-0.2, 0.01, 0.03)]
    family = [shifted(values, by), *others]
    adjusted = holm([p_two_sided(each) for each in family])
    for difference, p in zip(family, adjusted, strict=True):
        ends, strict = simultaneous_interval(difference, 0.05, 4, p), confidence_interval(difference, 0.05 / 4)
        assert (ends["low"] >= 0 or ends["high"] <= 0) == (p < 0.05)
        if ends != strict:  # Holm finds it at a later step
            assert 0 in ends.values()
            assert strict["low"] < 0 < strict["high"]
    alone = family[0]
    assert simultaneous_interval(alone, 0.05, 1, p_two_sided(alone)) == confidence_interval(alone)


@pytest.mark.parametrize("alpha", [0.05, 0.0125, 0.002])
@pytest.mark.parametrize("discordant", [5, 6, 7, 9, 20])
def test_interval_and_p_value_agree_at_any_level(values: np.ndarray, alpha: float, discordant: int) -> None:
    for by in np.linspace(-0.08, 0.1, 30):
        difference = replace(shifted(values, by), discordant=discordant)
        ends = confidence_interval(difference, alpha)
        assert (ends["low"] > 0 or ends["high"] < 0) == (p_two_sided(difference) < alpha)


def test_one_image_a_patient_is_compared_with_a_constant_as_by_paired_t() -> None:
    random = np.random.default_rng(3)
    truth = random.random(60) < 0.7
    scores = np.clip(0.5 + 0.25 * (2 * truth - 1) + random.normal(0, 0.3, 60), 0.01, 0.99)
    units = units_of(truth, scores)
    constant = units_of(truth, np.full(60, 0.7))
    found = differences_from(units, constant, ["accuracy", "brier", "auc"])
    for metric, each in (
        ("accuracy", lambda one: one.right * 1.0),
        ("brier", lambda one: (one.scores[:, 1] - truth) ** 2),
    ):
        student = ttest_rel(each(units), each(constant))
        limits = student.confidence_interval()
        assert found[metric]["p"] == pytest.approx(student.pvalue)
        assert found[metric]["ci"] == pytest.approx({"low": limits.low, "high": limits.high})
    assert found["auc"]["difference"] == pytest.approx(roc_auc_score(truth, scores) - 0.5)
    assert differences_from(constant, constant, ["accuracy"])["accuracy"]["p"] == 1


def units_of(truth: np.ndarray, scores: np.ndarray) -> Units:
    return paired_of(truth, scores[None], np.arange(len(truth))).units(0)


@pytest.mark.parametrize("by", [-0.065, -0.04, -0.02])
def test_a_mean_is_tested_as_by_students_t(values: np.ndarray, by: float) -> None:
    difference, student = shifted(values, by), ttest_1samp(values + by, 0)
    assert p_two_sided(difference) == pytest.approx(student.pvalue)
    assert p_at_most(difference, 0) == pytest.approx(ttest_1samp(values + by, 0, alternative="greater").pvalue)
    assert standard_error(difference) == pytest.approx(values.std(ddof=1) / np.sqrt(20))
    limits = student.confidence_interval()
    assert confidence_interval(difference) == pytest.approx({"low": limits.low, "high": limits.high})


def test_two_classes_are_tested_as_by_welchs_t() -> None:
    random = np.random.default_rng(2)
    truth, scores = np.repeat([True, False], [60, 8]), random.random((2, 68))
    scores[0, 20:60] = scores[1, 20:60]  # the rarer class varies more
    found = differences_of(paired_of(truth, scores, np.arange(68)), "balanced_accuracy")["balanced_accuracy"]
    gains = ((scores > 0.5) == truth).astype(float)
    gains = gains[0] - gains[1]
    other = ttest_ind(gains[truth], -gains[~truth], equal_var=False)
    assert p_two_sided(found) == pytest.approx(other.pvalue)
    limits = other.confidence_interval()
    assert confidence_interval(found) == pytest.approx({"low": limits.low / 2, "high": limits.high / 2})


def test_interval_and_p_value_agree(values: np.ndarray) -> None:
    verdicts = set()
    for by in np.linspace(-0.15, 0.05, 41):
        difference = shifted(values, by)
        limits = confidence_interval(difference)
        outside = not limits["low"] <= 0 <= limits["high"]
        assert outside == (p_two_sided(difference) < 0.05)
        verdicts.add((outside, difference.estimate > 0))
    assert verdicts == {(True, False), (False, False), (False, True), (True, True)}


@pytest.mark.parametrize(
    "metric", ["accuracy", "auc", "balanced_accuracy", "average_precision", "macro_f1", "log_loss"]
)
def test_they_agree_with_three_patients_and_more(metric: str) -> None:
    random, seen = np.random.default_rng(3), set()
    for n, seed in product((3, 5, 7, 12), range(25)):
        patient, truth = np.repeat(np.arange(n), 2), np.repeat(np.arange(n) % 3 > 0, 2)
        skill = np.array([[seed % 3], [0.0]])
        scores = norm.cdf(skill * (2 * truth - 1) + random.normal(size=(2, 2 * n)) / (1 + seed % 5))
        scores[1] = scores[0] if seed % 7 == 0 else scores[1]
        difference = differences_of(paired_of(truth, scores, patient), metric, resamples=60)[metric]
        limits, width = confidence_interval(difference), 36.1 if metric == "log_loss" else 1
        assert -width <= limits["low"] <= difference.estimate <= limits["high"] <= width
        assert limits["high"] > limits["low"]
        outside = not limits["low"] <= 0 <= limits["high"]
        assert outside == (p_two_sided(difference) < 0.05)
        seen.add(outside)
    assert seen == {True, False}


def test_equivalence_is_the_90_percent_interval_within_the_margin(values: np.ndarray) -> None:
    found = set()
    for by in np.linspace(-0.12, 0.04, 41):
        limits = ttest_1samp(values + by, 0).confidence_interval(0.9)
        within = max(-limits.low, limits.high) < 0.06
        assert within == (p_not_equivalent(shifted(values, by), 0.06) < 0.05)
        found.add(within)
    assert found == {True, False}


def test_the_order_does_not_matter(values: np.ndarray) -> None:
    difference, mirrored = shifted(values), shifted(values).mirrored
    limits, turned = confidence_interval(difference), confidence_interval(mirrored)
    assert (turned["low"], turned["high"]) == pytest.approx((-limits["high"], -limits["low"]))
    assert p_two_sided(mirrored) == pytest.approx(p_two_sided(difference))
    assert p_not_equivalent(mirrored, 0.03) == pytest.approx(p_not_equivalent(difference, 0.03))
    assert standard_error(mirrored) == standard_error(difference)


@pytest.mark.parametrize("discordant", range(9))
def test_few_patients_who_differ_are_tested_by_exchanging_the_networks(discordant: int) -> None:
    """The first is right of some patients of whom the second is not, and both of all others."""
    gains = (np.arange(12) < discordant).astype(float)
    difference = influence_difference(mean_influence(gains, np.ones(12, bool), np.arange(12)))
    assert difference.discordant == discordant
    least = permutation_test((gains,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    assert p_two_sided(difference) >= min(1, least) - 1e-12
    limits = confidence_interval(difference)
    assert (limits["low"] > 0) == (p_two_sided(difference) < 0.05) == (discordant >= 6)
    if discordant < 6:
        reach = 1 - 0.025 ** (1 / 12)
        assert limits["high"] >= difference.estimate + reach - 1e-12
        assert p_not_equivalent(difference, 0.05) > 0.05


@pytest.mark.parametrize("patients", [1, 3, 30])
def test_where_patients_do_not_differ(patients: int) -> None:
    same = influence_difference(mean_influence(np.zeros(patients), np.ones(patients, bool), np.arange(patients)))
    reach = 1 - 0.025 ** (1 / max(patients, 1))
    limits = confidence_interval(same)
    assert p_two_sided(same) == 1
    if patients == 1:  # nothing is known of others
        assert limits == {"low": -1, "high": 1}
        return
    assert limits == pytest.approx({"low": -reach, "high": reach})
    assert standard_error(same) == pytest.approx(reach / 1.96, rel=1e-3)
    assert p_not_equivalent(same, reach) == pytest.approx(0.025)


def test_all_against_none() -> None:
    """One network is right of every patient, the other of none: two to the power of so many ways to come about."""
    for n, claimed in ((3, False), (5, False), (6, True), (9, True)):
        difference = influence_difference(mean_influence(np.ones(n), np.ones(n, bool), np.arange(n)))
        assert p_two_sided(difference) == pytest.approx(2 / 2**n)
        limits = confidence_interval(difference)
        assert (limits["low"] > 0) == claimed
        assert limits["high"] == 1


def test_a_class_of_one_patient_may_differ_by_anything() -> None:
    random = np.random.default_rng(4)
    truth, patient = np.arange(20) < 1, np.arange(20)
    paired = paired_of(truth, random.random((2, 20)), patient)
    found = differences_of(paired, "auc", "sensitivity", "balanced_accuracy", "average_precision")
    for metric in ("auc", "sensitivity", "average_precision"):
        assert confidence_interval(found[metric]) == {"low": -1, "high": 1}
        assert p_two_sided(found[metric]) == 1
    half = confidence_interval(found["balanced_accuracy"])
    assert half["high"] - half["low"] > 1
    assert p_two_sided(found["balanced_accuracy"]) > 0.05


def test_each_metric_rests_on_its_own_patients() -> None:
    random, patient = np.random.default_rng(5), np.repeat(np.arange(10), 2)
    paired = paired_of(patient < 3, random.random((2, 20)), patient)
    metrics = ("auc", "balanced_accuracy", "macro_f1", "accuracy", "brier", "sensitivity", "specificity")
    found = differences_of(paired, *metrics)
    assert [found[metric].patients for metric in metrics] == [3, 3, 3, 10, 10, 3, 7]
    assert found["accuracy"].freedom == 9
    assert found["sensitivity"].freedom == 2
    assert 2 <= found["auc"].freedom <= 9


def test_metrics_without_a_closed_form_are_resampled() -> None:
    random, patient = np.random.default_rng(6), np.repeat(np.arange(40), 3)
    truth = patient % 2 == 0
    scores = norm.cdf(np.array([[1.2], [0.4]]) * (2 * truth - 1) + random.normal(size=(2, 120)))
    paired = paired_of(truth, scores, patient)
    metrics = ("average_precision", "mcc", "macro_f1")
    found = differences_of(paired, "auc", *metrics, resamples=2000)
    counts = random.multinomial(40, np.full(40, 1 / 40), size=2000)
    for metric in metrics:
        one, other = (weighted_metrics(paired.units(number), counts)[metric] for number in (0, 1))
        assert standard_error(found[metric]) == pytest.approx((one - other).std() * np.sqrt(20 / 19), rel=0.08)
        assert found[metric].estimate > 0
    assert found["average_precision"].freedom == pytest.approx(38)
    assert found["auc"].estimate == pytest.approx(
        np.subtract(*(measure_influence("auc", paired.units(number)).estimate for number in (0, 1)))
    )


def test_resamples_that_lack_a_class_are_left_out() -> None:
    drawn = np.append(np.linspace(0, 0.2, 99), [np.nan] * 7)
    with_gaps = resampled_difference(0.1, drawn, np.array([5, 8]), 12)
    assert with_gaps == resampled_difference(0.1, drawn[:99], np.array([5, 8]), 12)
    assert resampled_difference(0.1, drawn[:99], np.array([1, 8]), 12).says_nothing
    assert resampled_difference(0.1, drawn[:99], np.array([13]), 12).freedom == 12


def test_who_is_told_apart() -> None:
    truth, patient = np.arange(8) < 4, np.repeat(np.arange(4), 2)
    one = binary_units(truth, np.linspace(0.1, 0.9, 8), patient)
    scores = one.scores.copy()
    scores[[4, 5, 7]] = [0.3, 0.7]
    assert count_discordant(one, replace(one, scores=scores)) == 2
    assert count_discordant(one, one) == 0


def clustered(
    random: np.random.Generator, n_patients: int, images: int, skills: tuple[float, float], share: float = 0.5
) -> Paired:
    """Two networks whose scores share one effect of each patient and have one of their own; AUC Phi(skill / sqrt 5)."""
    patient = np.repeat(np.arange(n_patients), images)
    truth = patient < round(share * n_patients)
    shared = random.normal(size=n_patients)[patient] + 0.5 * random.normal(size=len(patient))
    own = random.normal(size=(2, n_patients))[:, patient] + 0.5 * random.normal(size=(2, len(patient)))
    return paired_of(truth, norm.cdf(np.array(skills)[:, None] * (truth - 0.5) + shared + own), patient)


@pytest.mark.slow
@pytest.mark.parametrize(("n_patients", "share"), [(40, 0.5), (40, 0.075), (10, 0.7)])
def test_error_rates_without_a_difference(n_patients: int, share: float, alone: Callable[[Paired], Paired]) -> None:
    random = np.random.default_rng(8)
    claimed = {"auc": 0, "accuracy": 0, "ignoring patients": 0}
    for _ in range(600):
        paired = clustered(random, n_patients, 6, (1.2, 1.2), share)
        for metric, difference in differences_of(paired, "auc", "accuracy").items():
            claimed[metric] += p_two_sided(difference) < 0.05
        claimed["ignoring patients"] += p_two_sided(differences_of(alone(paired), "auc")["auc"]) < 0.05
    rates = {name: count / 600 for name, count in claimed.items()}
    assert rates["auc"] < 0.07
    assert rates["accuracy"] < 0.07
    assert rates["ignoring patients"] > 0.25


@pytest.fixture
def alone() -> Callable[[Paired], Paired]:
    """The same images as though each were a patient's."""
    return lambda paired: replace(
        paired, patient=np.arange(len(paired.patient)), patients=np.arange(len(paired.patient)).astype(str)
    )


@pytest.mark.slow
def test_error_rates_with_a_difference_of_the_margin() -> None:
    random, skills = np.random.default_rng(9), (3.2, 2.4)
    true = float(np.subtract(*norm.cdf(np.array(skills) / np.sqrt(5))))
    differences = [differences_of(clustered(random, 80, 3, skills), "auc")["auc"] for _ in range(500)]
    limits = [confidence_interval(difference) for difference in differences]
    covered = np.mean([of["low"] <= true <= of["high"] for of in limits])
    equivalent = np.mean([p_not_equivalent(difference, true) < 0.05 for difference in differences])
    assert 0.92 < covered < 0.98
    assert 0.02 < equivalent < 0.08
