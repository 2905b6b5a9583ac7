"""What computes here: cores and graphics cards. `python -m bycase.core.machine` says it in one line."""

import logging
import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version


def core_count() -> int:
    """Processor cores that this process may use; all of the machine's where the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def graphics_cards() -> list[str]:
    """Names of NVIDIA's cards here, as their driver tells them; none without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(number))
            for number in range(pynvml.nvmlDeviceGetCount())
        ]
    except pynvml.NVMLError:
        return []


def count(number: int, name: str) -> str:
    """``count(2, "core")`` is '2 cores'."""
    return f"{number} {name}{'' if number == 1 else 's'}"


def describe(cards: list[str], cuda: bool) -> str:
    """Python, TensorFlow, cores and graphics cards in one line.

    Parameters
    ----------
    cards : list of str
        Names of the graphics cards.
    cuda : bool
        Whether TensorFlow's CUDA libraries are installed.
    """
    gpu = ", ".join(cards) or "no GPU"
    if cards and not cuda:
        gpu += " not in use (make repro GPU=1 installs what it needs)"
    python = ".".join(platform.python_version_tuple()[:2])
    tensorflow = ".".join(version("tensorflow").split(".")[:2])
    return f"Python {python}, TensorFlow {tensorflow}, {count(core_count(), 'core')}, {gpu}"


@cache
def log_devices() -> None:
    """Log, once a process, the devices that TensorFlow computes on; it is loaded for that."""
    import tensorflow as tf

    cards = [
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    ]
    logging.info("TensorFlow %s sees %s, %s", tf.__version__, count(core_count(), "core"), ", ".join(cards) or "no GPU")


def has_cuda() -> bool:
    """Whether requirements-cuda.txt, or the CUDA extra of TensorFlow, is installed."""
    try:
        return bool(version("nvidia-cudnn-cu12"))
    except PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.stdout.write(describe(graphics_cards(), has_cuda()) + "\n")
