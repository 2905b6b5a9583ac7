import numpy as np
import pytest

from bycase.images.augmentation.rand_augment import colour_operations, draw_numbers, rand_augment


def rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_operations_are_keras_cvs_and_change_no_geometry() -> None:
    names = [type(operation).__name__ for operation in colour_operations(0.3)]
    assert names == [
        "AutoContrast",
        "Equalization",
        "Solarization",
        "RandomColorDegeneration",
        "RandomContrast",
        "RandomBrightness",
    ]


def test_flat_images_stay_flat(images: np.ndarray) -> None:
    flat = np.broadcast_to(np.float32([180, 90, 150]), (40, 8, 8, 3)).copy()
    changed = rand_augment(flat, 0.5, rng())
    assert np.ptp(changed, axis=(1, 2)).max() < 1e-3
    assert len(np.unique(np.rint(changed[:, 0, 0]), axis=0)) > 10


def test_magnitude_is_the_strength(images: np.ndarray) -> None:
    batch = np.tile(images, (4, 1, 1, 1)).astype(np.float32)
    kept = np.abs(rand_augment(batch, 0.02, rng()) - batch).mean()
    assert kept < np.abs(rand_augment(batch, 0.9, rng()) - batch).mean()


def test_numbers_are_distributed_as_keras_cvs_own() -> None:
    import tensorflow as tf

    n = 4000
    tf.random.set_seed(1)
    compared = 0
    for operation in colour_operations(0.3)[2:]:
        own, theirs = draw_numbers(operation, n, rng()), operation.get_random_transformation_batch(n)
        for name in theirs if isinstance(theirs, dict) else [None]:
            a = np.array([number[name] if name else number for number in own])
            b = np.asarray(theirs[name] if name else theirs).ravel()
            shares = [0.05, 0.25, 0.5, 0.75, 0.95]
            np.testing.assert_allclose(np.quantile(a, shares), np.quantile(b, shares), atol=0.15 * b.std())
            compared += 1
    assert compared == 5


@pytest.mark.slow
def test_changes_are_as_strong_as_those_of_keras_cvs_own_layer(images: np.ndarray) -> None:
    import keras_cv
    import tensorflow as tf

    batch = np.tile(images, (40, 1, 1, 1)).astype(np.float32)
    ours = rand_augment(batch, 0.3, rng())
    tf.random.set_seed(1)
    layer = keras_cv.layers.RandAugment((0, 255), magnitude=0.3, geometric=False, seed=1)
    theirs = layer(tf.constant(batch)).numpy()
    for measure in (
        lambda x: np.abs(x - batch).mean((1, 2, 3)),
        lambda x: x.mean((1, 2, 3)),
        lambda x: x.std((1, 2, 3)),
    ):
        a, b = measure(ours), measure(theirs)
        error = np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert abs(a.mean() - b.mean()) < 4 * error
