import math

import numpy as np
import pandas as pd
import pytest

from bycase.statistics.power.clusters import Sample, count_sample, design_effect, effective_images, rarest_class
from bycase.statistics.power.detectable import discordance
from bycase.statistics.power.resolution import Assumptions, detectable

SIZES = np.array([4, 8, 12, 24])


def test_design_effect_of_equal_patients_is_kishs() -> None:
    assert design_effect(np.full(10, 20), 0.05) == pytest.approx(1 + 19 * 0.05)


def test_extremes() -> None:
    assert effective_images(SIZES, 0.0) == 48
    assert effective_images(np.full(7, 30), 1.0) == pytest.approx(7)
    assert effective_images(np.ones(9, np.int64), 0.7) == 9


def test_the_variance_of_a_mean_over_unequal_patients_is_simulated() -> None:
    """Second source: draws in which images of one patient share their value with a chance of sqrt(correlation)."""
    random = np.random.default_rng(0)
    correlation, patient = 0.3, np.repeat(np.arange(len(SIZES)), SIZES)
    shared = random.normal(size=(40_000, len(SIZES)))[:, patient]
    own = random.normal(size=shared.shape)
    means = np.where(random.random(shared.shape) < math.sqrt(correlation), shared, own).mean(axis=1)
    assert means.var() == pytest.approx(1 / effective_images(SIZES, correlation), rel=0.03)


def test_images_are_counted_by_patient_and_class() -> None:
    table = pd.DataFrame({"group": list("aaabbc"), "label": ["M", "M", "B", "B", "B", "M"]})
    sample = count_sample(table, "M")
    assert (sample.n_patients, sample.n_images) == (3, 6)
    assert sorted(sample.sizes) == [1, 2, 3]
    assert sorted(sample.positive) == [1, 2]
    assert sorted(sample.negative) == [1, 2]


def test_the_rarest_class_is_that_of_fewest_patients() -> None:
    table = pd.DataFrame({"group": list("aaabbcdde"), "label": ["M", "M", "M", "M", "M", "B", "N", "N", "N"]})
    assert rarest_class(table) == "B"


def test_simulated_clustered_comparisons_have_the_power() -> None:
    """Whole path: two models on 60 patients of 10 images whose difference is correlated by 0.2."""
    patients, images, correlation = 60, 10, 0.2
    sizes = np.full(patients, images)
    models, within = (dict.fromkeys(("accuracy", "auc"), (value,) * 3) for value in (0.4, correlation))
    assumed = Assumptions(0.8, 0.9, models, within, 0.05, 0.8)
    points = detectable(Sample(sizes, sizes[:40], sizes[40:]), assumed, 1)["accuracy_points"]
    assert points is not None
    gain = points / 100
    share = discordance(0.8, 0.8 + gain, 0.4)
    random = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return random.choice([1, -1, 0], size=shape, p=[(share + gain) / 2, (share - gain) / 2, 1 - share])

    runs = 4000
    shape = (runs, patients, images)
    copied = random.random(shape) < math.sqrt(correlation)
    difference = np.where(copied, draw((runs, patients, 1)), draw(shape)).mean(axis=2)
    t = difference.mean(axis=1) / (difference.std(axis=1, ddof=1) / math.sqrt(patients))
    assert (np.abs(t) > 2.001).mean() == pytest.approx(0.8, abs=0.04)
