"""Seeds: one number in `params.yaml`, everything random derived from it."""

import hashlib

import numpy as np


def derive_seed(seed: int, *parts: str | int) -> int:
    """Derive a seed for one purpose, so that no two purposes share a random stream.

    Parameters
    ----------
    seed : int
        The pipeline's seed.
    *parts : str or int
        What the seed is for, such as ``"views", 2``.

    Returns
    -------
    int
        In [0, 2**31).
    """
    text = "/".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def generator(seed: int, *parts: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose; see `derive_seed`."""
    return np.random.default_rng(derive_seed(seed, *parts))


def make_tensorflow_deterministic(seed: int) -> None:
    """Seed Python, NumPy and Keras, and make TensorFlow choose deterministic kernels."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
