"""How a run was made: commit, package versions, hashes of the data, the machine, parameters without its places."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path, PurePath
from typing import Any

import yaml

from bycase.core.versions import installed_versions

PACKAGES = (
    "dvc",
    "keras",
    "matplotlib",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "tensorflow",
)
CODE = ("stages", "benchmark", "dvc.yaml", "params.yaml", "requirements.txt")
HASHED = (
    "data/raw",
    "data/manifest.csv",
    "data/splits.csv",
    "data/preprocessed",
    "models/model.keras",
    "data/benchmark",
)
NAMED = 8  # changed files that are named

# Settings that may name a place on this machine.
_PLACE = re.compile(
    r"^(?P<key>\s*(?:path|file|folds_file|weights):\s*)(?P<quote>['\"]?)(?P<place>[^\s'\"#]*/[^\s'\"#]*)"
)


def package_versions() -> dict[str, str]:
    """Python's and the installed packages' versions."""
    return installed_versions(PACKAGES)


def describe_commit() -> str:
    """The commit that HEAD is at, and which files of code or parameters differ from it."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return "not known: this is no Git repository"
    lines = (_git("status", "--porcelain", "--", *CODE) or "").splitlines()
    if not lines:
        return f"{commit.strip()}, code and parameters as committed"
    changed = [line[3:] for line in lines]
    named = ", ".join(changed[:NAMED]) + (f" and {len(changed) - NAMED} more" if len(changed) > NAMED else "")
    return f"{commit.strip()}, with uncommitted changes in {named}"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def read_hashes(locks: list[Path]) -> list[tuple[str, str, int]]:
    """What DVC's lock files say of the data and the network.

    Parameters
    ----------
    locks : list of Path
        Those that are not there are left out.

    Returns
    -------
    list of (path, MD5, bytes)
        Each output below `HASHED` once, by path.
    """
    found: dict[str, tuple[str, int]] = {}
    for lock in locks:
        if not lock.exists():
            continue
        stages: dict[str, Any] = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
        for stage in stages.values():
            for out in stage.get("outs", []):
                if out["path"].startswith(HASHED) and "md5" in out:
                    found[out["path"]] = (out["md5"], out.get("size", 0))
    return [(path, *found[path]) for path in sorted(found)]


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


def hide_places(text: str) -> str:
    """A file of parameters in which every path is its last name only."""
    return "\n".join(_PLACE.sub(_last_name, line) for line in text.split("\n"))


def _last_name(match: re.Match[str]) -> str:
    return f"{match['key']}{match['quote']}{PurePath(match['place']).name}"
