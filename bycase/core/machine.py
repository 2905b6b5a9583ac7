"""The machine that something was measured on, in words."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def describe_machine() -> str:
    """Processor, cores, memory and GPU of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB memory, {_gpu()}; {platform.system()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _gpu() -> str:
    command = shutil.which("nvidia-smi")
    if command is None:
        return "no GPU"
    done = subprocess.run(
        [command, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return ", ".join(done.stdout.split("\n")).strip(", ") if not done.returncode and done.stdout.strip() else "no GPU"
