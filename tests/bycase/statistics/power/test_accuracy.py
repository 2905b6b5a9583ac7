import math

import numpy as np
import pytest
from bycase.statistics.power.accuracy import detectable_accuracy, discordance, pairs_needed


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
    assert math.ceil(pairs_needed(first, second, correlation, 0.05, 0.8)) == pairs


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
        gain = detectable_accuracy(images, 0.85, 0.5, 0.05, 0.8)
        assert gain is not None
        assert pairs_needed(0.85, 0.85 + gain, 0.5, 0.05, 0.8) == pytest.approx(images, rel=1e-6)


def test_too_few_images_detect_nothing() -> None:
    assert detectable_accuracy(20, 0.85, 0.5, 0.05, 0.8) is None
    assert detectable_accuracy(20, 0.5, 0.5, 0.05, 0.8) is not None


@pytest.mark.parametrize(("images", "accuracy", "correlation"), [(200, 0.85, 0.5), (400, 0.7, 0.2), (1000, 0.9, 0.6)])
def test_simulated_mcnemar_tests_have_the_power(images: int, accuracy: float, correlation: float) -> None:
    gain = detectable_accuracy(images, accuracy, correlation, 0.05, 0.8)
    assert gain is not None
    share = discordance(accuracy, accuracy + gain, correlation)
    chances = [(share + gain) / 2, (share - gain) / 2, 1 - share]
    better, worse, _ = np.random.default_rng(0).multinomial(images, chances, size=20_000).T
    found = np.abs(better - worse) > 1.959964 * np.sqrt(better + worse)
    # On 200 images 23 are discordant: so few that the test's steps show.
    assert found.mean() == pytest.approx(0.8, abs=0.04 if images == 200 else 0.02)
