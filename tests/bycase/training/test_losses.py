"""Losses against NumPy's arithmetic, and what a constant prediction reaches under each."""

from typing import Any

import keras
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bycase.core.params import load_params
from bycase.core.params_training import TrainParams
from bycase.training.losses import accuracy, main_loss, make_loss, prior_loss, with_auxiliary

P = np.array([[0.1], [0.6], [0.95]], np.float32)
T = np.array([[0.0], [1.0], [0.0]], np.float32)
P3 = np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]], np.float32)
T3 = np.array([[0, 0, 1], [0, 1, 0]], np.float32)


def training(**changes: Any) -> TrainParams:
    return load_params().train.model_copy(update=changes)


def values(loss: keras.losses.Loss, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.asarray(loss.call(targets, outputs))


def test_cross_entropy_of_two_and_of_three_classes() -> None:
    right = np.where(T == 1, P, 1 - P)[:, 0]
    np.testing.assert_allclose(values(make_loss(training(), 2), T, P), -np.log(right), rtol=1e-5)
    np.testing.assert_allclose(values(make_loss(training(), 3), T3, P3), -np.log([0.5, 0.2]), rtol=1e-5)


def test_focal_loss_counts_easy_images_less() -> None:
    right = np.where(T == 1, P, 1 - P)[:, 0]
    params = training(loss="focal", focal_gamma=2.0)
    np.testing.assert_allclose(values(make_loss(params, 2), T, P), -((1 - right) ** 2) * np.log(right), rtol=1e-4)
    expected = -((1 - np.array([0.5, 0.2])) ** 2) * np.log([0.5, 0.2])
    np.testing.assert_allclose(values(make_loss(params, 3), T3, P3), expected, rtol=1e-4)


def test_focal_loss_with_gamma_0_is_cross_entropy() -> None:
    focal = make_loss(training(loss="focal", focal_gamma=0.0), 3)
    np.testing.assert_allclose(values(focal, T3, P3), values(make_loss(training(), 3), T3, P3), rtol=1e-5)


def test_label_smoothing_mixes_the_target_with_the_uniform() -> None:
    smooth = T * 0.8 + 0.1
    expected = -(smooth * np.log(P) + (1 - smooth) * np.log(1 - P))[:, 0]
    np.testing.assert_allclose(values(make_loss(training(label_smoothing=0.2), 2), T, P), expected, rtol=1e-5)


def test_a_constant_on_breakhis_reaches_the_published_plateau() -> None:
    malignant = 5429 / 7909
    assert prior_loss(make_loss(training(), 2), np.array([1 - malignant, malignant])) == pytest.approx(0.622, abs=5e-4)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.2, 0.3, 0.5], [0.67, 0.11, 0.11, 0.05, 0.03, 0.03]])
def test_a_constant_under_cross_entropy_reaches_the_entropy(shares: list[float]) -> None:
    entropy = -(np.array(shares) * np.log(shares)).sum()
    assert prior_loss(make_loss(training(), len(shares)), np.array(shares)) == pytest.approx(entropy, rel=1e-3)


def test_a_constant_under_focal_loss_reaches_its_minimum() -> None:
    def focal(p: float) -> float:
        return -0.7 * (1 - p) ** 2 * np.log(p) - 0.3 * p**2 * np.log(1 - p)

    best = minimize_scalar(focal, bounds=(0.01, 0.99), method="bounded").fun
    loss = make_loss(training(loss="focal"), 2)
    assert prior_loss(loss, np.array([0.3, 0.7])) == pytest.approx(best, rel=1e-3)
    assert best < focal(0.7) - 1e-4


def test_auxiliary_outputs_count_three_tenths_each() -> None:
    loss = make_loss(training(), 2)
    outputs = np.hstack([P, P[::-1], P])
    whole = np.asarray(with_auxiliary(loss, 1)(T, outputs))
    own, other = values(loss, T, P), values(loss, T, P[::-1])
    np.testing.assert_allclose(whole, own + 0.3 * (other + own), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(main_loss(loss, 1)(T, outputs)), own, rtol=1e-6)


def test_accuracy_takes_the_larger_part_of_mixed_targets() -> None:
    targets = np.array([[0.7], [0.3], [0.6]], np.float32)
    assert np.asarray(accuracy(1)(targets, np.array([[0.9], [0.9], [0.1]], np.float32))).tolist() == [1, 0, 0]
    mixed = np.array([[0.6, 0.4, 0.0]], np.float32)
    outputs = np.array([[0.5, 0.3, 0.2, 0.0, 0.0, 1.0]], np.float32)
    assert np.asarray(accuracy(3)(mixed, outputs)).tolist() == [1]
