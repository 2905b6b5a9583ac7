"""Fitting a head at once: the grid, what chooses in it, and what a cell of features leaves behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from bycase.core.params import Params
from bycase.networks.fitted_heads import standardise
from bycase.networks.predict import class_probabilities
from bycase.tables.features import Features
from bycase.training.fitted import (
    CANDIDATES,
    LOGISTIC_C,
    FeatureSets,
    fit_training,
    setting_words,
    take_features,
    training_scores,
)
from bycase.training.run import Training
from bycase.training.subsets import Subset, image_weights, make_targets

MakeParams = Callable[[dict[str, Any]], Params]
WIDTH, N = 6, 150
RANDOM = np.random.default_rng(1)
Y = RANDOM.integers(0, 2, N)
VIEWS = (RANDOM.normal(size=(N, 3, WIDTH)) + 0.7 * Y[:, None, None]).astype(np.float32)
TRAIN, VAL = np.arange(90), np.arange(90, N)


def make_subset(y: np.ndarray, rows: np.ndarray, class_weight: str = "none") -> Subset:
    images = pd.Series([f"{row}.png" for row in rows])
    return Subset(
        images, y, make_targets(y, 2), image_weights(y, 2, class_weight, np.arange(len(y))), np.arange(len(y))
    )


def make_sets(class_weight: str = "none", views: np.ndarray = VIEWS, y: np.ndarray = Y) -> FeatureSets:
    used = views[TRAIN].astype(float)
    return FeatureSets(
        make_subset(y[TRAIN], TRAIN, class_weight),
        make_subset(y[VAL], VAL),
        views[TRAIN],
        views[VAL, 0],
        2,
        (used.mean(axis=(0, 1)), used.var(axis=(0, 1))),
    )


@pytest.fixture
def fit(make_params: MakeParams, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def run(head: str, sets: FeatureSets, monitor: str = "auc") -> tuple[keras.Model, Training]:
        params = make_params({"zoo.resnet50v2.head": head, "train.monitor": monitor})
        inputs = keras.Input((WIDTH,))
        backbone = keras.Model(inputs, keras.layers.Identity()(inputs), name="same")
        return fit_training(params, sets, backbone, "fingerprint")

    return run


@pytest.mark.parametrize("head", ["logistic", "neighbours"])
@pytest.mark.parametrize("monitor", ["auc", "loss"])
def test_validation_chooses_and_the_network_scores_what_is_recorded(fit: Any, head: str, monitor: str) -> None:
    sets = make_sets()
    network, training = fit(head, sets, monitor)
    history = pd.DataFrame(training.progress.history)
    scores = history[f"val_{monitor}"] * (-1 if monitor == "loss" else 1)
    assert training.progress.best_epoch == scores.argmax() + 1
    (kept,) = history[history["chosen"]].to_dict("records")
    assert kept["epoch"] == training.progress.best_epoch
    assert f"with {kept['setting']}, of {len(history)} settings" in training.summary(monitor)
    shares = class_probabilities(np.asarray(network(sets.val_features)))
    assert kept["val_auc"] == pytest.approx(roc_auc_score(sets.val.y, shares[:, 1]))
    assert kept["val_loss"] == pytest.approx(log_loss(sets.val.y, shares), abs=1e-5)
    assert Path("metrics/train").is_dir()


def test_each_penalty_is_scikit_learns_on_one_view_an_image() -> None:
    """Three equal views weigh as much as one, and classes as `class_weight` says."""
    sets = make_sets("balanced", np.repeat(VIEWS[:, :1], 3, axis=1))
    own = standardise(sets.views[:, 0], sets.statistics)
    for candidate, c in zip(CANDIDATES["logistic"](sets), LOGISTIC_C, strict=True):
        model = LogisticRegression(C=c, class_weight="balanced", tol=1e-8, max_iter=10_000).fit(own, sets.train.y)
        expected = model.predict_proba(standardise(sets.val_features, sets.statistics))
        np.testing.assert_allclose(candidate.val, expected, atol=1e-4)
        np.testing.assert_allclose(
            class_probabilities(np.asarray(candidate.build()(sets.val_features))), expected, atol=1e-4
        )


def test_training_images_are_not_their_own_neighbours() -> None:
    """Labels that features know nothing of: resubstitution would be right for all at k = 1."""
    noise = make_sets(y=np.random.default_rng(5).integers(0, 2, N))
    (one,) = [each for each in CANDIDATES["neighbours"](noise) if each.setting == {"k": 1, "distance": "euclidean"}]
    scores = training_scores(noise.train, one.train)
    own = standardise(noise.views[:, 0], noise.statistics)
    model = KNeighborsClassifier(1).fit(own, noise.train.y)
    assert model.score(own, noise.train.y) == 1
    assert scores["accuracy"] < 0.7


def test_neighbours_are_at_most_half_of_the_training_images() -> None:
    ks = [candidate.setting["k"] for candidate in CANDIDATES["neighbours"](make_sets())]
    assert ks == [33, 17, 9, 5, 3, 1] * 2


def test_of_equals_the_simplest_head_is_kept(fit: Any) -> None:
    apart = make_sets(views=(VIEWS + 30 * Y[:, None, None]).astype(np.float32))
    for head, setting in (("logistic", "C = 1e-06"), ("neighbours", "k = 33, euclidean")):
        _, training = fit(head, apart)
        assert training.progress.history[0]["val_auc"] == 1
        assert training.progress.history[training.progress.best_epoch - 1]["setting"] == setting


def test_nothing_is_taken_of_test_images(make_params: MakeParams, tmp_path: Path) -> None:
    """Their features are NaN: whatever used them would not be finite."""
    rows = np.vstack([VIEWS, np.full((20, 3, WIDTH), np.nan, np.float32)])
    np.save(tmp_path / "features.npy", rows)
    names = [f"{row}.png" for row in range(len(rows))]
    features = Features(names, np.load(tmp_path / "features.npy"), {}, tmp_path / "features.npy")
    subsets = make_subset(Y[TRAIN], TRAIN), make_subset(Y[VAL], VAL)
    sets = take_features(make_params({}), subsets, 2, features)
    np.testing.assert_array_equal(sets.views, VIEWS[TRAIN])
    np.testing.assert_array_equal(sets.val_features, VIEWS[VAL, 0])
    assert sets.statistics is not None
    np.testing.assert_allclose(sets.statistics[0], VIEWS[TRAIN].mean(axis=(0, 1)), rtol=1e-5)


def test_a_setting_is_named() -> None:
    assert setting_words({"C": 0.00316}) == "C = 0.00316"
    assert setting_words({"k": 9, "distance": "cosine"}) == "k = 9, cosine"
