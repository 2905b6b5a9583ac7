"""What Keras computes on: its backend, the GPUs that the backend sees, and what follows from them."""

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from bycase.core.errors import UserError
from bycase.core.machine import core_count, count

NAMES = {"tensorflow": "TensorFlow", "jax": "JAX"}
AUTO, FLOAT32, FLOAT16, BFLOAT16 = "auto", "float32", "mixed_float16", "mixed_bfloat16"
# Of NVIDIA's cards, from where matrix units multiply float16 (Volta) and bfloat16 (Ampere); see the CUDA C++
# Programming Guide, compute capabilities.
FLOAT16_FROM, BFLOAT16_FROM = (7, 0), (8, 0)


# What Keras and TensorFlow load where it is installed, for wrappers and drawings that nothing here uses: two fifths of
# their own start.
NEEDLESS = ("cv2", "IPython", "matplotlib", "sklearn")


@dataclass(frozen=True)
class Gpu:
    """A GPU, as the backend tells it; ``capability`` is NVIDIA's compute capability, (0, 0) where none is told."""

    name: str
    capability: tuple[int, int]


def load_backend() -> None:
    """Import Keras and its backend without their start-up chatter, and let GPU memory grow with what is needed.

    Raises
    ------
    UserError
        If the backend that is asked for, TensorFlow unless ``KERAS_BACKEND`` says otherwise, is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # JAX tells each kind of device that it does not find.
    logging.getLogger("jax").setLevel(logging.WARNING)
    with standard_error_put_aside(), left_out(NEEDLESS), nothing_collected():
        try:
            import keras
        except ModuleNotFoundError as error:
            if error.name not in NAMES:
                raise
            other = "jax" if error.name == "tensorflow" else "tensorflow"
            raise UserError(
                f"{NAMES[error.name]} is not installed, with which Keras is to compute: install it, or set "
                f"KERAS_BACKEND to {other} where {NAMES[other]} is installed"
            ) from None
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            try:
                for device in tf.config.list_physical_devices("GPU"):
                    tf.config.experimental.set_memory_growth(device, True)
            except RuntimeError:  # in use already
                logging.debug("GPU memory stays as it was set")


@cache
def find_gpus() -> tuple[Gpu, ...]:
    """The GPUs that Keras' backend sees; it is loaded for that."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        devices = [device for device in jax.local_devices() if device.platform == "gpu"]
        return tuple(Gpu(device.device_kind, _capability(device)) for device in devices)
    if keras.backend.backend() != "tensorflow":
        return ()
    import tensorflow as tf

    gpus = []
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        gpus.append(Gpu(details.get("device_name", device.name), details.get("compute_capability", (0, 0))))
    return tuple(gpus)


def _capability(device: object) -> tuple[int, int]:
    major, _, minor = str(getattr(device, "compute_capability", "0.0")).partition(".")
    return (int(major), int(minor or 0)) if major.isdigit() else (0, 0)


def choose_precision(wanted: str, gpus: Sequence[Gpu]) -> str:
    """The precision in which Keras computes.

    Parameters
    ----------
    wanted : str
        'auto', or one of Keras' dtype policies, which is taken as it is.
    gpus : sequence of Gpu
        Of this machine. The oldest of them decides: bfloat16 where matrix units take it, whose range is that of
        float32, so that no gradient vanishes; else float16; float32 on processors, which gain nothing.

    Returns
    -------
    str
        'float32', 'mixed_float16' or 'mixed_bfloat16'.
    """
    if wanted != AUTO:
        return wanted
    oldest = min((gpu.capability for gpu in gpus), default=(0, 0))
    return BFLOAT16 if oldest >= BFLOAT16_FROM else FLOAT16 if oldest >= FLOAT16_FROM else FLOAT32


@cache
def log_devices() -> None:
    """Log, once a process, what Keras computes on; the backend is loaded for that."""
    import keras

    from bycase.core.versions import installed_versions

    backend = keras.backend.backend()
    version = installed_versions([backend]).get(backend, "")
    gpus = ", ".join(gpu.name for gpu in find_gpus()) or "no GPU"
    logging.info("%s %s sees %s, %s", NAMES.get(backend, backend), version, count(core_count(), "core"), gpus)


@contextmanager
def left_out(packages: Iterable[str]) -> Iterator[None]:
    """Let imports of these packages fail, as if they were not installed; those that are loaded stay as they are."""
    absent = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Put off the garbage collector, which would look through thousands of modules again and again as they load."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
        except UserError:
            raise
        except BaseException:
            os.dup2(kept, 2)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
