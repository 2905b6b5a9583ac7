"""Seeds: one number in `params.yaml`, everything random derived from it."""

import hashlib
import logging
import os

import numpy as np

from bycase.core.device import (
    AUTO,
    FLOAT32,
    choose_precision,
    find_gpus,
    load_backend,
    log_devices,
    standard_error_put_aside,
)

DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


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


def make_deterministic(seed: int, precision: str = FLOAT32) -> None:
    """Load Keras and its backend, seed them, make the backend choose deterministic kernels, and say what it sees.

    Also seeds Python and NumPy.

    Parameters
    ----------
    seed : int
        Of all that draws from a global state.
    precision : str
        In which Keras computes; see `bycase.core.device.choose_precision`.
    """
    if os.environ.get("KERAS_BACKEND") == "jax":
        # Read when JAX is loaded; processors have no other kernels.
        given = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = given if DETERMINISTIC in given else f"{given} {DETERMINISTIC}".strip()
    load_backend()
    import keras

    with standard_error_put_aside():  # it loads TensorFlow where that is installed, whichever the backend
        keras.utils.set_random_seed(seed)
    chosen = choose_precision(precision, find_gpus()) if precision == AUTO else precision
    keras.config.set_dtype_policy(chosen)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    log_devices()
    if precision == AUTO and chosen != FLOAT32:
        logging.info("precision auto: %s", chosen)
