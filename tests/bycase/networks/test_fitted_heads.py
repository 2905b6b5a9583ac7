"""Heads that are fitted at once: the network gives what scikit-learn gives."""

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from bycase.explain.grad_cam import score_gradients
from bycase.explain.layers import halve
from bycase.networks.fitted_heads import (
    Bank,
    logistic_head,
    neighbours_head,
    smallest_distance,
    standardise,
    varied,
    vote_shares,
)
from bycase.networks.head import join
from bycase.networks.predict import class_probabilities
from bycase.networks.saved import save_network

RANDOM = np.random.default_rng(0)
WIDTH = 12
Y = RANDOM.permutation(np.arange(60) % 3)
FEATURES = (RANDOM.normal(3, 2, (60, WIDTH)) + Y[:, None]).astype(np.float32)
NEW = RANDOM.normal(4, 2, (25, WIDTH)).astype(np.float32)
STATISTICS = (FEATURES.mean(axis=0, dtype=float), FEATURES.var(axis=0, dtype=float))


def predict(head: keras.Model, features: np.ndarray = NEW) -> np.ndarray:
    return class_probabilities(np.asarray(head(features)))


def make_bank(n_classes: int, weights: np.ndarray | None = None) -> Bank:
    votes = np.eye(n_classes)[Y % n_classes]
    return Bank(standardise(FEATURES, STATISTICS), votes if weights is None else votes * weights[:, None])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_dense_layer_gives_scikit_learns_probabilities(n_classes: int) -> None:
    scaler = StandardScaler().fit(FEATURES.astype(float))
    model = LogisticRegression(C=0.3).fit(scaler.transform(FEATURES), Y % n_classes)
    head = logistic_head(model.coef_, model.intercept_, STATISTICS)
    np.testing.assert_allclose(predict(head), model.predict_proba(scaler.transform(NEW)), atol=1e-5)
    plain = LogisticRegression(C=0.3, max_iter=1000).fit(FEATURES, Y % n_classes)
    np.testing.assert_allclose(
        predict(logistic_head(plain.coef_, plain.intercept_)), plain.predict_proba(NEW), atol=1e-5
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("k", [1, 7])
def test_neighbours_vote_as_in_scikit_learn(n_classes: int, distance: str, k: int) -> None:
    bank, new = make_bank(n_classes), standardise(NEW, STATISTICS)
    weigh = {"weights": lambda far: far[:, -1:] / far} if k > 1 else {}
    known = KNeighborsClassifier(k, metric=distance, algorithm="brute", **weigh).fit(bank.features, Y % n_classes)
    far, _ = known.kneighbors(new)
    total = (far[:, -1:] / far).sum(axis=1, keepdims=True)
    expected = (total * known.predict_proba(new) + bank.shares) / (total + 1)
    np.testing.assert_allclose(predict(neighbours_head(bank, k, distance, STATISTICS)), expected, atol=1e-5)


def test_votes_count_by_weight_and_distance() -> None:
    """By hand: two neighbours at 1 and 2, the nearer counts twice, its class weighs 3; one vote goes to the shares."""
    votes = np.array([[[3.0, 0.0], [0.0, 1.0]]])
    shares = vote_shares(np.array([[1.0, 2.0]]), votes, np.array([0.5, 0.5]))
    np.testing.assert_allclose(shares, [[6.5 / 8, 1.5 / 8]])
    bank = Bank(np.array([[1.0, 0.0], [2.0, 0.0], [9.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]]))
    head = neighbours_head(bank, 2, "euclidean")
    np.testing.assert_allclose(predict(head, np.zeros((1, 2), np.float32)), [[6.5 / 8, 1.5 / 8]], atol=1e-6)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_an_image_of_the_bank_itself_has_a_finite_vote(distance: str) -> None:
    head = neighbours_head(make_bank(3), 5, distance, STATISTICS)
    probabilities = predict(head, FEATURES)
    assert np.isfinite(probabilities).all()
    assert (probabilities.argmax(axis=1) == Y).all()
    assert (smallest_distance(FEATURES.astype(float), distance) > 0).all()


def test_a_feature_in_which_training_images_do_not_differ_does_not_count() -> None:
    constant = np.hstack([FEATURES, np.ones((60, 1), np.float32)])
    statistics = varied((constant.mean(axis=0, dtype=float), constant.var(axis=0, dtype=float)))
    bank = Bank(standardise(constant, statistics), np.eye(3)[Y])
    other = np.hstack([NEW, RANDOM.normal(1, 5, (25, 1)).astype(np.float32)])
    expected = predict(neighbours_head(make_bank(3), 5, "euclidean", STATISTICS))
    np.testing.assert_allclose(predict(neighbours_head(bank, 5, "euclidean", statistics), other), expected, atol=1e-5)


@pytest.fixture(params=["logistic", "neighbours"])
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(WIDTH, 3, name="maps")(inputs)
    backbone = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps), name="small")
    features = np.asarray(backbone(RANDOM.uniform(0, 255, (60, 8, 8, 3)).astype(np.float32)))
    statistics = (features.mean(axis=0, dtype=float), features.var(axis=0, dtype=float))
    scaled = standardise(features, statistics)
    if request.param == "neighbours":
        return join(backbone, neighbours_head(Bank(scaled, np.eye(2)[Y % 2]), 9, "euclidean", statistics))
    model = LogisticRegression().fit(scaled, Y % 2)
    return join(backbone, logistic_head(model.coef_, model.intercept_, statistics))


def test_a_saved_network_is_loaded_without_code_of_this_project(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "model.keras")
    images = RANDOM.uniform(0, 255, (5, 8, 8, 3)).astype(np.float32)
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    np.testing.assert_array_equal(np.asarray(network(images)), np.asarray(again(images)))
    assert not any(type(layer).__module__.startswith("bycase") for layer in again.get_layer("head").layers)


def test_maps_are_drawn_of_it(network: keras.Model) -> None:
    images = RANDOM.uniform(0, 255, (6, 8, 8, 3)).astype(np.float32)
    halves = halve(network)
    logits = np.asarray(halves.logits(halves.body(images)))
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), np.asarray(network(images)), atol=1e-5)
    gradients = score_gradients(halves, np.asarray(halves.body(images)), np.zeros(6, int))
    assert (np.abs(gradients).max(axis=(1, 2, 3)) > 0).all()
