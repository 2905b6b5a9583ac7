"""What benchmarks of whole stages share: a folder with a phantom's parameters, the stages, and one stage's costs."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from bycase.core.nested import merge

ROOT = Path(__file__).parents[1]
MODULE = re.compile(r"python -m (\S+)")


def write_phantom_params(folder: Path, changes: dict[str, Any]) -> None:
    """The project's `params.yaml` in a folder, with nested changes."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (folder / "params.yaml").write_text(yaml.safe_dump(merge(content, changes), sort_keys=False), encoding="utf-8")


def pipeline_modules() -> dict[str, str]:
    """The module of each stage of dvc.yaml, in its order, which is one in which they can run."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = {name: MODULE.match(stage["cmd"]) for name, stage in stages.items()}
    return {name: match[1] for name, match in found.items() if match}


def measure(step: str, words: list[str], folder: Path) -> dict[str, str | float]:
    """Run a module; print and give its seconds, those of the processor with all workers, and its largest resident set.

    Returns
    -------
    dict
        ``step``, ``seconds``, ``processor_seconds`` and ``peak_mb``, of the largest of its processes.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"{step} failed")
    processor, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    sys.stdout.write(f"{step:<16} {seconds:>9.0f} {processor:>10.0f} {peak:>8.0f}\n")
    sys.stdout.flush()
    numbers = {"seconds": seconds, "processor_seconds": processor, "peak_mb": peak}
    return {"step": step, **{name: round(value, 1) for name, value in numbers.items()}}


def print_head() -> None:
    """The line above those that `measure` prints."""
    sys.stdout.write(f"{'step':<16} {'seconds':>9} {'processor':>10} {'peak MB':>8}\n")
