from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_curve

from bycase.core.params_training import EvaluateParams
from bycase.statistics.intervals import metric_interval
from bycase.statistics.thresholds import (
    POINTS,
    choose_operating_points,
    choose_threshold,
    describe_operating_points,
    sensitivity_threshold,
    specificity_threshold,
    youden_threshold,
)
from bycase.statistics.units import Units, patient_units
from tests.fixtures.units import binary_units


def threshold(truth: list[int], scores: list[float]) -> float:
    return youden_threshold(np.array(truth, bool), np.array(scores, float))


@pytest.mark.parametrize(
    ("truth", "scores", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.4, 0.9], 0.3),  # midway, on no score
        ([0, 1, 0, 1], [0.1, 0.3, 0.6, 0.9], 0.75),  # 0.2 and 0.75 tie; 0.75 is nearer to 0.5
        ([0, 1, 0, 1], [0.1, 0.3, 0.7, 0.9], 0.2),  # 0.2 and 0.8 tie at the same distance: the lower
        ([0, 1], [0.6, 0.6], 0.3),  # all scores equal: 0.3 (all positive) against 0.8 (all negative)
        ([1, 0], [0.2, 0.7], 0.85),  # worse than chance: 0.1 and 0.85 tie at J = 0
        ([0, 1], [0.0, 1.0], 0.5),
        ([0, 1], [1.0, 1.0], 0.5),
    ],
)
def test_thresholds_by_hand(truth: list[int], scores: list[float], expected: float) -> None:
    assert threshold(truth, scores) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_no_threshold_of_scikit_learns_curve_is_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = np.append(random.random(58) < 0.6, [True, False])
    scores = np.round(np.clip(random.normal(0.4 + 0.2 * truth, 0.2), 0, 1), 2)
    chosen = youden_threshold(truth, scores)
    fpr, tpr, _ = roc_curve(truth, scores)
    predicted = scores >= chosen
    assert predicted[truth].mean() - predicted[~truth].mean() == pytest.approx((tpr - fpr).max())


def test_the_order_of_units_does_not_matter() -> None:
    random = np.random.default_rng(0)
    truth, scores = random.random(100) < 0.5, np.round(random.random(100), 1)
    order = random.permutation(100)
    assert youden_threshold(truth, scores) == youden_threshold(truth[order], scores[order])


def test_a_fixed_threshold_is_taken_as_it_is() -> None:
    settings = EvaluateParams(threshold="fixed", fixed_threshold=0.42, resamples=100, batch_size=4)
    units = binary_units([True, False], [0.9, 0.8], np.arange(2))
    assert choose_threshold(units, settings) == 0.42
    chosen = choose_threshold(units, settings.model_copy(update={"threshold": "youden"}))
    assert chosen == youden_threshold(np.array([True, False]), np.array([0.9, 0.8]))
    assert choose_threshold(replace(units, positive=None), settings) is None


NEGATIVE, POSITIVE = np.arange(1, 11) / 20, np.arange(6, 16) / 20
TRUTH = np.repeat([False, True], 10)


@pytest.mark.parametrize(
    ("percent", "specific", "sensitive"),
    [
        (90, 0.475, 0.325),  # 9 of 10 negatives lie below .475, 9 of 10 positives above .325
        (95, 0.525, 0.275),  # all 10
        (0, 0.025, 0.875),  # nothing is asked for: everything, or nothing, is predicted positive
        (100, 0.525, 0.275),
    ],
)
def test_the_least_extreme_threshold_that_reaches_a_rate(percent: int, specific: float, sensitive: float) -> None:
    scores = np.append(NEGATIVE, POSITIVE)
    assert specificity_threshold(TRUTH, scores, percent) == pytest.approx(specific)
    assert sensitivity_threshold(TRUTH, scores, percent) == pytest.approx(sensitive)


def test_where_no_score_reaches_it_all_or_nothing_is_positive() -> None:
    truth, scores = np.array([False, False, True, True]), np.array([0.3, 1.0, 0.0, 1.0])
    nothing = specificity_threshold(truth, scores, 90)
    assert 1 < nothing < 1.000001
    assert sensitivity_threshold(truth, scores, 90) == 0


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("percent", [90, 95])
def test_scikit_learns_curve_has_no_less_extreme_threshold(seed: int, percent: int) -> None:
    random = np.random.default_rng(seed)
    truth = np.append(random.random(78) < 0.6, [True, False])
    scores = np.round(np.clip(random.normal(0.4 + 0.2 * truth, 0.2), 0.01, 0.99), 2)
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    predicted = scores >= specificity_threshold(truth, scores, percent)
    assert predicted[truth].mean() == pytest.approx(tpr[1 - fpr >= percent / 100 - 1e-12].max())
    predicted = scores >= sensitivity_threshold(truth, scores, percent)
    assert 1 - predicted[~truth].mean() == pytest.approx((1 - fpr)[tpr >= percent / 100 - 1e-12].max())


def test_each_point_reaches_its_rate_on_validation(simulate: Callable[..., Units]) -> None:
    validation = simulate(1, n_patients=40)
    thresholds = choose_operating_points(validation)
    assert list(thresholds) == list(POINTS) == ["specificity_90", "specificity_95", "sensitivity_90", "sensitivity_95"]
    assert thresholds["specificity_90"] < thresholds["specificity_95"]
    assert thresholds["sensitivity_95"] < thresholds["sensitivity_90"]
    for name, threshold in thresholds.items():
        rate, percent = name.split("_")
        reached = recall_score(validation.truth, validation.scores[:, 1] >= threshold, pos_label=rate == "sensitivity")
        assert int(percent) / 100 <= reached < int(percent) / 100 + 0.03


@pytest.mark.parametrize("level", ["image", "patient"])
def test_rates_and_intervals_are_those_of_the_test_part(simulate: Callable[..., Units], level: str) -> None:
    test = simulate(2)
    test = patient_units(test) if level == "patient" else test
    thresholds = choose_operating_points(simulate(1))
    points = describe_operating_points(test, thresholds)
    for name, point in points.items():
        decided = test.with_threshold(thresholds[name])
        assert point["threshold"] == thresholds[name]
        assert point["sensitivity"] == pytest.approx(recall_score(test.truth, decided.predicted))
        assert point["specificity"] == pytest.approx(recall_score(test.truth, decided.predicted, pos_label=0))
        for rate in ("sensitivity", "specificity"):
            assert point["ci"][rate] == pytest.approx(metric_interval(rate, point[rate], None, decided))
