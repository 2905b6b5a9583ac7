import numpy as np
import pytest
from sklearn.metrics import roc_curve

from stages.common.training_params import EvaluateParams
from stages.evaluate.threshold import choose_threshold, youden_threshold


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
    called = scores >= chosen
    assert called[truth].mean() - called[~truth].mean() == pytest.approx((tpr - fpr).max())


def test_the_order_of_units_does_not_matter() -> None:
    random = np.random.default_rng(0)
    truth, scores = random.random(100) < 0.5, np.round(random.random(100), 1)
    order = random.permutation(100)
    assert youden_threshold(truth, scores) == youden_threshold(truth[order], scores[order])


def test_a_fixed_threshold_is_taken_as_it_is() -> None:
    settings = EvaluateParams(threshold="fixed", fixed_threshold=0.42, resamples=100, batch_size=4)
    assert choose_threshold(np.array([True, False]), np.array([0.9, 0.8]), settings) == 0.42
