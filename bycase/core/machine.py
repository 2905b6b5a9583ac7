"""What computes here: cores and graphics cards. `python -m bycase.core.machine` says it in one line."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


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
    """Python, TensorFlow or else JAX, cores and graphics cards in one line.

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
    return f"Python {python}, {_backend()}, {count(core_count(), 'core')}, {gpu}"


def _backend() -> str:
    for package, name in (("tensorflow", "TensorFlow"), ("jax", "JAX")):
        try:
            return f"{name} {'.'.join(version(package).split('.')[:2])}"
        except PackageNotFoundError:
            continue
    return "no TensorFlow"


def has_cuda() -> bool:
    """Whether requirements-cuda.txt, or the CUDA extra of TensorFlow, is installed."""
    try:
        return bool(version("nvidia-cudnn-cu12"))
    except PackageNotFoundError:
        return False


def describe_machine() -> str:
    """Processor, cores, memory, GPU, system and Python of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = ", ".join(graphics_cards()) or "no GPU"
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {count(core_count(), 'core')}, {memory:.0f} GiB memory, {gpu}; {system}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.stdout.write(describe(graphics_cards(), has_cuda()) + "\n")
