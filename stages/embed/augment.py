"""Random changes of training images: Keras' layers, and RandAugment of keras-cv where asked for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.common.training_params import AugmentParams

Augmentation = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def augment(images: NDArray[np.uint8], params: AugmentParams, seed: int) -> NDArray[np.float32]:
    """Change a batch of images at random, each in its own way.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    params : AugmentParams
        Which changes, and how strong.
    seed : int
        The same seed and batch give the same result.

    Returns
    -------
    ndarray of shape (n_images, size, size, 3), float32
        RGB in [0, 255].
    """
    import keras

    if params.rand_augment:
        import tensorflow as tf

        # keras-cv's RandAugment draws from global generators whatever its own seed.
        keras.utils.set_random_seed(seed)
        tf.random.set_global_generator(tf.random.Generator.from_seed(seed))
    batch = keras.ops.convert_to_tensor(images, "float32")
    for layer in _layers(params, seed):
        batch = layer(batch, training=True)
    return np.clip(keras.ops.convert_to_numpy(batch), 0.0, 255.0)


def _layers(params: AugmentParams, seed: int) -> list[Callable[..., object]]:
    from keras import layers

    span = (0.0, 255.0)
    chosen: list[Callable[..., object]] = []
    if params.flip:
        chosen.append(layers.RandomFlip("horizontal_and_vertical", seed=seed))
    if params.rotation:
        chosen.append(layers.RandomRotation(params.rotation, fill_mode="reflect", seed=seed + 1))
    if params.brightness:
        chosen.append(layers.RandomBrightness(params.brightness, value_range=span, seed=seed + 2))
    if params.contrast:
        chosen.append(layers.RandomContrast(params.contrast, value_range=span, seed=seed + 3))
    if params.rand_augment:
        import keras_cv

        chosen.append(keras_cv.layers.RandAugment(span, magnitude=params.rand_augment, geometric=False, seed=seed + 4))
    return chosen
