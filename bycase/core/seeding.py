"""Seeds: one number in `params.yaml`, everything random derived from it."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bycase.core.machine import log_devices


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


def make_tensorflow_deterministic(seed: int, precision: str = "float32") -> None:
    """Import TensorFlow without its start-up chatter, seed it, make it choose deterministic kernels, say what it sees.

    Also seeds Python, NumPy and Keras, and sets the precision in which Keras computes
    ('float32', 'mixed_float16' or 'mixed_bfloat16').
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with standard_error_put_aside():
        import keras
        import tensorflow as tf

    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(precision)
    tf.config.experimental.enable_op_determinism()
    log_devices()


@contextmanager
def standard_error_put_aside() -> Iterator[None]:
    """Keep what libraries print on standard error while they load; show it only if loading fails.

    TensorFlow writes some lines before its own log level counts, past Python's `sys.stderr`.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
