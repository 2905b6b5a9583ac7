from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import spearmanr

from bycase.explain.maps import explain_images
from bycase.explain.sanity import (
    GROUPS,
    STEP_WORDS,
    compare_cascade,
    compare_maps,
    compare_others,
    find_empty,
    group_layers,
    judge,
    randomise,
)


def test_similarities_against_scipy_and_of_equal_maps() -> None:
    random = np.random.default_rng(0)
    one = random.uniform(size=(4, 12, 12)).round(1)
    other = (one + random.uniform(size=one.shape)) / 2
    found = compare_maps(one, other)
    for a, b, (ranks, _) in zip(one, other, found, strict=True):
        assert ranks == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    np.testing.assert_allclose(compare_maps(one, one), 1, atol=1e-6)
    expected = tf.image.ssim(*(tf.constant(maps[..., None], tf.float32) for maps in (one, other)), max_val=1.0)
    np.testing.assert_allclose(found[:, 1], expected.numpy(), atol=1e-5)
    assert (compare_maps(one, 1 - one)[:, 0] < -0.999).all()
    assert (found[:, 1] < 0.99).all()


def test_an_empty_map_does_not_pass_for_one_that_changes() -> None:
    empty, full = np.zeros((1, 12, 12)), np.random.default_rng(0).uniform(size=(1, 12, 12))
    assert compare_maps(empty, empty)[0, 0] == 1
    assert compare_maps(empty, full)[0, 0] == 1
    assert compare_maps(full, empty)[0, 0] == 0
    assert find_empty(np.concatenate([empty, full])).tolist() == [1, 0]


def test_others_are_other_patients() -> None:
    random = np.random.default_rng(0)
    mine, yours = random.uniform(size=(2, 12, 12))
    maps, patient = np.stack([mine, mine, yours]), np.array([0, 0, 1])
    expected = spearmanr(mine.ravel(), yours.ravel()).statistic
    assert compare_others(maps, patient) == pytest.approx([expected] * 3)


def test_groups_hold_every_learned_layer_once_from_the_top_down(network: keras.Model) -> None:
    groups = group_layers(network)
    assert len(groups) == GROUPS + 1 == len(STEP_WORDS) - 1
    names = [[layer.name for layer in group] for group in groups]
    assert names[0] == ["probability"]
    assert [name for group in names[1:] for name in group] == ["conv2", "bn1", "conv1"]


def test_random_weights_are_those_of_a_start(make_network: Callable[..., keras.Model]) -> None:
    network, same, other = (make_network(hidden=400) for _ in range(3))
    kept = network.get_layer("head").get_layer("standardise").get_weights()
    for each, draw in ((network, 0), (same, 0), (other, 1)):
        for group in group_layers(each):
            randomise(group, 7, draw)
    for one, again in zip(network.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, again)
    kernel = network.get_layer("head").get_layer("dense_1").kernel.numpy()
    assert kernel.std() == pytest.approx(np.sqrt(2 / 5), rel=0.05)
    assert np.abs(kernel - other.get_layer("head").get_layer("dense_1").kernel.numpy()).mean() > 0.3
    assert [of.tolist() for of in network.get_layer("bn1").get_weights()] == [[1] * 4, [0] * 4, [0] * 4, [1] * 4]
    assert not network.get_layer("conv2").bias.numpy().any()
    for one, again in zip(kept, network.get_layer("head").get_layer("standardise").get_weights(), strict=True):
        np.testing.assert_array_equal(one, again)


def test_the_cascade_changes_maps_and_leaves_the_network_alone(network: keras.Model, images: np.ndarray) -> None:
    before = network.get_weights()
    explained = np.array([1, 0, 1, 0, 1])
    similarities, maps = compare_cascade(network, images, explained, 2, 2, 8, 7)
    for one, again in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, again)
    assert set(similarities) == set(maps) == {"grad_cam", "grad_cam_plus_plus"}
    for method, of in similarities.items():
        assert of.shape == (5, len(STEP_WORDS), 2)
        assert (of[:, 0] == 1).all()
        assert of[:, -1, 0].mean() < 0.5
        np.testing.assert_allclose(maps[method][0], explain_images(network, images[:2], explained[:2], method))
        assert maps[method].shape == (len(STEP_WORDS), 2, 16, 16)
        # With two random networks the mean of both is told, the first one's maps are kept.
        first, _ = compare_cascade(network, images, explained, 0, 1, 8, 7) if method == "grad_cam" else (None, None)
        if first:
            kept = compare_maps(maps[method][0], maps[method][-1])
            np.testing.assert_allclose(first[method][:2, -1], kept, atol=1e-5)


@pytest.mark.parametrize(
    ("mean", "high", "passed", "word"),
    [(0.1, 0.3, 1, "passed"), (0.4, 0.6, 0, "not settled"), (0.9, 0.95, 0, "FAILED: maps do NOT change")],
)
def test_the_verdict_is_plain(mean: float, high: float, passed: int, word: str) -> None:
    of = {"rank_correlation": mean, "passed": passed, "ci": {"rank_correlation": {"low": -0.1, "high": high}}}
    assert judge(of).startswith(word)
    assert f"{mean:.2f}" in judge(of)
