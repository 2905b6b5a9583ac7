import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import norm, rankdata

from bycase.statistics.power.detectable import (
    auc_freedom,
    auc_variance,
    auc_variance_by_class,
    discordance,
    enlargement,
    quantiles,
    required_accuracy,
    required_auc,
    smallest_gain,
)

TEST = quantiles(0.05, 0.8)


def pairs_needed(first: float, second: float, correlation: float) -> float:
    """Independent images at which the required difference is the true one."""
    return (required_accuracy(first, second, 1, correlation, TEST) / (second - first)) ** 2


def detectable_accuracy(images: float, accuracy: float, correlation: float) -> float | None:
    return smallest_gain(
        lambda gain, times: required_accuracy(accuracy, accuracy + gain, times * images, correlation, TEST),
        1 - accuracy,
    )


def detectable_auc(positive: float, negative: float, auc: float, correlation: float) -> float | None:
    return smallest_gain(
        lambda gain, times: required_auc(auc, auc + gain, times * positive, times * negative, correlation, TEST),
        1 - auc,
    )


def discordant(first: float, second: float, share: float) -> float:
    """The phi coefficient at which two such accuracies have this share of discordant images."""
    both = (first + second - share) / 2
    return (both - first * second) / math.sqrt(first * (1 - first) * second * (1 - second))


@pytest.mark.parametrize(
    ("p01", "p10", "pairs"),
    [
        (0.45, 0.05, 23),  # powerandsamplesize.com, "Compare Paired Proportions", after Connor (1987), p. 209
        (0.30, 0.15, 155),  # clinicaltrials-tools.vercel.app, McNemar's test, Connor 1987
    ],
)
def test_published_sample_sizes(p01: float, p10: float, pairs: int) -> None:
    first, second = 0.4, 0.4 + p01 - p10
    correlation = discordant(first, second, p01 + p10)
    assert discordance(first, second, correlation) == pytest.approx(p01 + p10)
    assert math.ceil(pairs_needed(first, second, correlation)) == pairs


def test_discordant_images_of_a_published_example() -> None:
    # statulator.com, "Sample Size for Comparing Paired Proportions": .75 and .85, correlated .60.
    shares = 0.75 * 0.15 + 0.25 * 0.85 - 2 * 0.6 * math.sqrt(0.75 * 0.25 * 0.85 * 0.15)
    assert discordance(0.75, 0.85, 0.6) == pytest.approx(shares)


def test_impossible_correlations_become_possible_ones() -> None:
    assert discordance(0.8, 0.9, 1.0) == pytest.approx(0.1)
    assert discordance(0.8, 0.9, -1.0) == pytest.approx(0.3)
    assert discordance(0.85, 1.0, 0.5) == pytest.approx(0.15)


def test_detectable_gain_and_images_needed_are_inverse() -> None:
    for images in (80, 300, 5000):
        gain = detectable_accuracy(images, 0.85, 0.5)
        assert gain is not None
        assert pairs_needed(0.85, 0.85 + gain, 0.5) == pytest.approx(images, rel=1e-6)


def test_too_few_images_detect_no_accuracy() -> None:
    assert detectable_accuracy(20, 0.85, 0.5) is None
    assert detectable_accuracy(20, 0.5, 0.5) is not None


@pytest.mark.parametrize(("images", "accuracy", "correlation"), [(200, 0.85, 0.5), (400, 0.7, 0.2), (1000, 0.9, 0.6)])
def test_simulated_mcnemar_tests_have_the_power(images: int, accuracy: float, correlation: float) -> None:
    gain = detectable_accuracy(images, accuracy, correlation)
    assert gain is not None
    share = discordance(accuracy, accuracy + gain, correlation)
    chances = [(share + gain) / 2, (share - gain) / 2, 1 - share]
    better, worse, _ = np.random.default_rng(0).multinomial(images, chances, size=20_000).T
    found = np.abs(better - worse) > 1.959964 * np.sqrt(better + worse)
    # On 200 images 23 are discordant: so few that the test's steps show.
    assert found.mean() == pytest.approx(0.8, abs=0.04 if images == 200 else 0.02)


@pytest.mark.parametrize(
    ("auc", "positive", "negative", "error"),
    [
        (0.893, 51, 58, 0.0325),  # Hanley and McNeil (1982), the CT images of their table I: SE 0.032
        (0.75, 20, 200, 0.06498283),  # R package auctestr, examples of se_auc
        (0.75, 110, 110, 0.03282048),
        (0.75, 20, 20, 0.07789072),
    ],
)
def test_published_standard_errors(auc: float, positive: int, negative: int, error: float) -> None:
    assert math.sqrt(auc_variance(auc, positive, negative)) == pytest.approx(error, abs=5e-5 if auc > 0.8 else 1e-8)


def test_a_perfect_ranking_does_not_vary() -> None:
    assert auc_variance(1.0, 10, 20) == 0


def aucs(scores: NDArray[np.float64], positive: int) -> NDArray[np.float64]:
    """The AUC of each row, of which the first `positive` columns are positive."""
    ranks = rankdata(scores, axis=1)[:, :positive].sum(axis=1)
    negative = scores.shape[1] - positive
    return (ranks - positive * (positive + 1) / 2) / (positive * negative)


def simulate(first: float, second: float, positive: int, negative: int, link: float, runs: int) -> NDArray[np.float64]:
    """AUCs (2, runs) of two models whose exponential scores are tied by a normal copula.

    The family that Hanley and McNeil's variance is derived from: positives are exponential with a mean of
    auc / (1 - auc) times that of negatives.
    """
    random = np.random.default_rng(0)
    common = random.normal(size=(runs, positive + negative))
    found = []
    for auc in (first, second):
        own = random.normal(size=common.shape)
        scores = -np.log1p(-ndtr(math.sqrt(link) * common + math.sqrt(1 - link) * own))
        scores[:, :positive] *= auc / (1 - auc)
        found.append(aucs(scores, positive))
    return np.array(found)


def test_simulated_comparisons_have_the_power() -> None:
    positive, negative, auc, link = 120, 60, 0.8, 0.6
    correlation = float(np.corrcoef(simulate(auc, auc, positive, negative, link, 3000))[0, 1])
    gain = detectable_auc(positive, negative, auc, correlation)
    assert gain is not None
    first, second = simulate(auc, auc + gain, positive, negative, link, 3000)
    null = math.sqrt(2 * (1 - correlation) * auc_variance(auc, positive, negative))
    found = np.abs(second - first) > norm.isf(0.025) * null
    assert second.mean() - first.mean() == pytest.approx(gain, abs=0.003)
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_a_higher_correlation_and_more_images_resolve_more() -> None:
    def gain(positive: float, correlation: float) -> float:
        found = detectable_auc(positive, 60, 0.85, correlation)
        assert found is not None
        return found

    assert gain(200, 0.8) < gain(200, 0.5) < gain(100, 0.5) < gain(100, 0.0)


def test_detectable_gain_is_the_one_required() -> None:
    gain = detectable_auc(100, 50, 0.9, 0.5)
    assert gain is not None
    assert required_auc(0.9, 0.9 + gain, 100, 50, 0.5, TEST) == pytest.approx(gain)


def test_too_few_images_detect_no_auc() -> None:
    assert detectable_auc(5, 5, 0.95, 0.0) is None


@pytest.mark.parametrize("gain", [0.01, 0.05])
def test_an_enlarged_sample_detects_the_gain(gain: float) -> None:
    factor = enlargement(
        lambda gain, times: required_auc(0.9, 0.9 + gain, times * 70, times * 30, 0.5, TEST), gain, 0.05
    )
    assert detectable_auc(factor * 70, factor * 30, 0.9, 0.5) == pytest.approx(gain, rel=1e-5)


def test_quantiles_are_normal_with_many_patients_and_wider_with_few() -> None:
    assert quantiles(0.05, 0.8) == pytest.approx((norm.isf(0.025), norm.isf(0.2)))
    assert quantiles(0.05, 0.8, 12) == pytest.approx((2.178813, 0.872609), abs=1e-6)  # tables of t


@pytest.mark.parametrize("auc", [0.7, 0.9])
def test_the_parts_of_the_variance_are_those_of_each_class(auc: float) -> None:
    positive, negative = auc_variance_by_class(auc)
    many = 10**7
    assert auc_variance(auc, 50, many) == pytest.approx(positive / 50, rel=1e-3)
    assert auc_variance(auc, many, 50) == pytest.approx(negative / 50, rel=1e-3)


def test_freedom_is_that_of_the_class_that_decides() -> None:
    assert auc_freedom(0.8, (1e9, 100), (40, 13)) == pytest.approx(12)
    both = auc_freedom(0.8, (60, 30), (60, 30))
    assert 29 < both < 58
