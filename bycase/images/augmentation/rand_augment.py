"""RandAugment with the operations of keras-cv, the one place that uses it.

Keras 3.15's own RandAugment always shears, shifts and turns too, by which images would be resampled twice;
keras-cv's has a policy of colours alone.

Cubuk et al. (2020), RandAugment: Practical automated data augmentation with a reduced search space, CVPR Workshops,
arXiv:1909.13719.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.packages import need

# As keras_cv.layers.RandAugment has them.
OPERATIONS_PER_IMAGE = 3
RATE = 10 / 11
DEVIATION = 0.15


def can_rand_augment() -> bool:
    """Whether TensorFlow is installed, on which keras-cv stands; the one augmentation that needs it."""
    return find_spec("tensorflow") is not None


def rand_augment(images: NDArray[np.float32], magnitude: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Apply three operations drawn for each image, of those that change colours only.

    keras-cv's layer draws from TensorFlow's global state, which a training in another thread shares. So its operations
    are used, with random numbers of the same distributions from `random`.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    magnitude : float
        In [0, 1].
    random : Generator
        The same one gives the same images, whichever process.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    """
    operations = colour_operations(magnitude)
    import tensorflow as tf

    changed = images.copy()
    # The processor's kernels, so that a graphics processor is left to training and results are the same with one.
    with tf.device("CPU:0"):
        for _ in range(OPERATIONS_PER_IMAGE):
            chosen = random.integers(len(operations), size=len(images))
            chosen[random.random(len(images)) > RATE] = -1
            for i, operation in enumerate(operations):
                rows = np.flatnonzero(chosen == i)
                numbers = draw_numbers(operation, len(rows), random)
                for row, number in zip(rows, numbers, strict=True):
                    one = tf.convert_to_tensor(changed[row : row + 1])
                    changed[row] = operation.augment_images(one, transformations=number)[0]
    return np.clip(changed, 0, 255)


@cache
def colour_operations(magnitude: float) -> list[Any]:
    """The layers of keras-cv's policy: contrast, equalisation, solarisation, colour, brightness."""
    tf = need("tensorflow", "augment.rand_augment", "set it to 0")
    import keras_cv

    # One of the layers asks for TensorFlow's global generator when it is built, and where operations are to be
    # deterministic there must be one; no number is drawn from it.
    tf.random.set_global_generator(tf.random.Generator.from_seed(0))
    operations: list[Any] = keras_cv.layers.RandAugment.get_standard_policy(
        (0, 255), magnitude, DEVIATION, geometric=False, seed=0
    )
    return operations


def draw_numbers(operation: Any, n: int, random: np.random.Generator) -> list[Any]:
    """Draw what is random in an operation, for each of `n` images.

    Distributed as what the operation's own `get_random_transformation_batch` gives.
    """
    from keras_cv import layers

    if isinstance(operation, layers.Solarization):
        additions = _sample(operation.addition_factor, n, random)
        thresholds = _sample(operation.threshold_factor, n, random)
        return [{"additions": a, "thresholds": t} for a, t in zip(additions, thresholds, strict=True)]
    if isinstance(operation, layers.RandomBrightness):
        return list(255 * _sample(operation.factor, n, random))
    if isinstance(operation, layers.RandomColorDegeneration | layers.RandomContrast):
        return list(_sample(operation.factor, n, random))
    return [None] * n  # contrast to the full range, and equalisation


def _sample(sampler: Any, n: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Numbers of one of keras-cv's samplers, in place of its own, which asks TensorFlow's global seed."""
    from keras_cv import core

    if isinstance(sampler, core.NormalFactorSampler):
        numbers = random.normal(sampler.mean, sampler.stddev, n).clip(sampler.min_value, sampler.max_value)
    else:
        numbers = random.uniform(sampler.lower, sampler.upper, n)
    return numbers.astype(np.float32)
