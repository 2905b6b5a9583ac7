import numpy as np

from bycase.images.augmentation.colour import jitter_brightness, jitter_contrast


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def grey(value: float, n: int = 2000) -> np.ndarray:
    return np.full((n, 2, 2, 3), value, np.float32)


def test_brightness_shifts_all_values_of_an_image_alike_by_up_to_the_share() -> None:
    images = np.random.default_rng(1).uniform(60, 190, (2000, 4, 4, 3)).astype(np.float32)
    shift = (jitter_brightness(images, 0.2, rng()) - images).reshape(2000, -1)
    assert np.ptp(shift, axis=1).max() < 1e-3
    means = shift.mean(1)
    assert -51 <= means.min() < -50.5
    assert 50.5 < means.max() <= 51
    assert abs(means.mean()) < 2


def test_values_are_clipped() -> None:
    assert jitter_brightness(grey(250), 0.2, rng()).max() == 255
    assert jitter_brightness(grey(5), 0.2, rng()).min() == 0


def test_brightness_and_contrast_are_keras_own() -> None:
    from keras import layers

    images = np.random.default_rng(1).uniform(0, 255, (6, 8, 8, 3)).astype(np.float32)
    shift = 255 * rng().uniform(-0.3, 0.3, (6, 1, 1, 1))
    expected = layers.RandomBrightness(0.3).transform_images(images, {"rgb_delta": shift.astype(np.float32)})
    np.testing.assert_allclose(jitter_brightness(images, 0.3, rng()), expected, atol=1e-3)
    factor = rng().uniform(0.6, 1.4, (6, 1, 1, 1)).astype(np.float32)
    expected = layers.RandomContrast(0.4).transform_images(images, {"contrast_factor": factor})
    np.testing.assert_allclose(jitter_contrast(images, 0.4, rng()), expected, atol=1e-2)


def test_contrast_keeps_the_mean_of_each_channel_and_scales_the_spread() -> None:
    images = np.random.default_rng(1).uniform(110, 140, (500, 8, 8, 3)).astype(np.float32)
    changed = jitter_contrast(images, 0.3, rng())
    np.testing.assert_allclose(changed.mean((1, 2)), images.mean((1, 2)), atol=1e-2)
    ratio = changed.std((1, 2)) / images.std((1, 2))
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 2], rtol=1e-3)
    assert 0.7 <= ratio.min() < 0.71
    assert 1.29 < ratio.max() <= 1.301
