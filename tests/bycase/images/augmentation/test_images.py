import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bycase.images.augmentation.images import augment, per_image
from bycase.images.augmentation.mixing import mix
from bycase.images.augmentation.rand_augment import colour_operations
from tests.fixtures.augment import Settings

CHANGES: list[dict[str, Any]] = [
    {"flip": "both"},
    {"rotation": 0.25},
    {"zoom": 0.3},
    {"crop": 0.5},
    {"brightness": 0.3},
    {"contrast": 0.3},
    {"stain_jitter": 0.2},
    {"rand_augment": 0.5},
]
ALL: dict[str, Any] = {name: value for change in CHANGES for name, value in change.items()}


def test_all_off_changes_nothing(images: np.ndarray, settings: Settings) -> None:
    np.testing.assert_array_equal(augment(images, settings(), seed=1), images)
    assert not per_image(settings())
    assert not per_image(settings(mixup=1.0, cutmix=1.0))


@pytest.mark.parametrize("change", [*CHANGES, ALL], ids=[*(next(iter(change)) for change in CHANGES), "all"])
def test_each_change_follows_the_seed_and_stays_in_range(
    change: dict[str, Any], images: np.ndarray, settings: Settings
) -> None:
    params = settings(**change)
    assert per_image(params)
    first = augment(images, params, seed=1)
    assert first.shape == images.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 255
    assert np.abs(first - images).max() > 1
    np.testing.assert_array_equal(first, augment(images, params, seed=1))
    assert np.abs(first - augment(images, params, seed=99)).max() > 1


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(change)) for change in CHANGES])
def test_images_of_a_batch_change_independently(change: dict[str, Any], images: np.ndarray, settings: Settings) -> None:
    changed = augment(np.repeat(images[:1], 16, axis=0), settings(**change), seed=1)
    distinct = len(np.unique(changed.reshape(16, -1), axis=0))
    assert distinct == (4 if "flip" in change else 16)


def test_one_change_more_leaves_the_draws_of_the_others(images: np.ndarray, settings: Settings) -> None:
    flipped = augment(images, settings(flip="both"), seed=1)
    brighter = augment(images, settings(flip="both", brightness=0.1), seed=1)
    shift = (brighter - flipped).reshape(len(images), -1)
    np.testing.assert_allclose(np.ptp(shift, axis=1), 0, atol=1e-4)


def test_geometry_comes_before_contrast(settings: Settings) -> None:
    half_black = np.zeros((200, 32, 32, 3), np.uint8)
    half_black[:, :, 16:] = 200
    params = settings(crop=0.05, contrast=0.9)
    # A crop from one half has no contrast left to change, whereas stretching first would change its value.
    flat = [image for image in augment(half_black, params, seed=1) if np.ptp(image) < 1e-3]
    assert len(flat) > 5
    assert {round(float(image.mean())) for image in flat} == {0, 200}


def test_results_depend_on_no_global_state_and_leave_it_alone(images: np.ndarray, settings: Settings) -> None:
    import keras
    import tensorflow as tf

    colour_operations.cache_clear()
    params = settings(**ALL, mixup=1.0)
    targets, weights = np.eye(6, dtype=np.float32), np.ones(6, np.float32)

    def run() -> np.ndarray:
        return mix(augment(images, params, 3), targets, weights, params, 3)[0]

    def draw() -> list[Any]:
        legacy = np.random.random()  # noqa: NPY002
        return [random.random(), legacy, float(tf.random.uniform(())), float(keras.random.uniform(()))]

    keras.utils.set_random_seed(1234)
    undisturbed = draw()
    keras.utils.set_random_seed(1234)
    first = run()
    assert draw() == undisturbed
    keras.utils.set_random_seed(2)
    np.testing.assert_array_equal(run(), first)


def test_background_threads_give_the_same_while_the_main_thread_draws(images: np.ndarray, settings: Settings) -> None:
    import keras

    params = settings(**ALL, cutmix=1.0)
    targets, weights = np.eye(6, dtype=np.float32), np.ones(6, np.float32)

    def run(seed: int) -> np.ndarray:
        return mix(augment(images, params, seed), targets, weights, params, seed)[0]

    alone = [run(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = [pool.submit(run, seed) for seed in range(6)]
        while not all(future.done() for future in together):
            keras.utils.set_random_seed(5)
            keras.random.dropout(np.ones((8, 8), np.float32), 0.5)
    for expected, future in zip(alone, together, strict=True):
        np.testing.assert_array_equal(future.result(), expected)


def test_mixed_precision_leaves_pixels_in_full_precision(images: np.ndarray, settings: Settings) -> None:
    import keras

    params = settings(rand_augment=0.4, mixup=1.0)
    targets, weights = np.eye(6, dtype=np.float32), np.ones(6, np.float32)

    def run() -> np.ndarray:
        colour_operations.cache_clear()
        return mix(augment(images, params, 3), targets, weights, params, 3)[0]

    full = run()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = run()
    finally:
        keras.config.set_dtype_policy("float32")
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed, full)
