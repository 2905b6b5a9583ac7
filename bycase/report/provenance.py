"""How a run was made: commit, package versions, hashes of the data, parameters without paths of the machine."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import yaml

from bycase.core.versions import installed_versions
from bycase.core.wording import Numbers, count, seconds
from bycase.report.blocks import Block, Details, Section, Table

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
CODE = ("bycase", "stages", "benchmark", "tuning", "dvc.yaml", "params.yaml", "requirements.txt")
HASHED = (
    "data/raw",
    "data/manifest.csv",
    "data/splits.csv",
    "data/preprocessed",
    "models/model.keras",
    "data/benchmark",
)
NAMED = 8  # changed files that are named
COSTS = {
    "parameters": "parameters",
    "trainable_parameters": "trainable parameters",
    "flops": "floating-point operations per image, forward pass",
    "model_bytes": "saved network, bytes",
    "epochs": "epochs",
    "embed_seconds": "embedding time",
    "training_seconds": "training time",
    "inference_images_per_second": "inference, images per second",
    "energy_joules": "energy of training, joules",
}

# Settings that may hold a path of this machine.
_PLACE = re.compile(
    r"^(?P<key>\s*(?:path|file|folds_file|weights):\s*)(?P<quote>['\"]?)(?P<place>[^\s'\"#]*/[^\s'\"#]*)"
)


def production_section(rows: Sequence[tuple[str, str]], texts: Mapping[str, str], locks: list[Path]) -> Section:
    """How it was made, data hashes, versions and all parameters.

    Parameters
    ----------
    rows : sequence of (str, str)
        Item and value: commands, commit, machine, costs.
    texts : mapping
        Files of parameters by path.
    locks : list of Path
        DVC's lock files.
    """
    blocks: list[Block] = [Table("Run.", ("item", "value"), list(rows), numbers=False)]
    hashes = [(path, md5, count(size)) for path, md5, size in read_hashes(locks)]
    if hashes:
        names = " and ".join(path.as_posix() for path in locks if path.exists())
        blocks.append(Table(f"Data and networks, from {names}.", ("path", "MD5", "bytes"), hashes, numbers=False))
    versions = list(package_versions().items())
    blocks.append(Table("Package versions.", ("package", "version"), versions, numbers=False))
    blocks += [
        Details(f"{path} ({len(text.splitlines())} lines; paths shortened to their last name)", hide_places(text))
        for path, text in texts.items()
    ]
    return Section("production", "Reproducibility", blocks)


def cost_rows(cost: Numbers) -> list[tuple[str, str]]:
    """A row for each of `COSTS` that is known."""
    return [(name, _cost(key, cost[key])) for key, name in COSTS.items() if cost.get(key) is not None]


def _cost(key: str, value: float) -> str:
    if key.endswith("_seconds"):
        return seconds(value)
    return count(value) if value >= 1000 or float(value).is_integer() else f"{value:.3g}"


def package_versions() -> dict[str, str]:
    """The versions of `PACKAGES`, by name."""
    return installed_versions(PACKAGES)


def describe_commit() -> str:
    """The commit of HEAD, and which files of code or parameters differ from it."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return "unknown: this is no Git repository"
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
    """Hashes of data and network from DVC's lock files.

    Parameters
    ----------
    locks : list of Path
        Missing ones are skipped.

    Returns
    -------
    list of (path, MD5, bytes)
        Each output below `HASHED` once, by path.
    """
    hashes: dict[str, tuple[str, int]] = {}
    for lock in locks:
        if not lock.exists():
            continue
        stages: dict[str, Any] = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
        for stage in stages.values():
            for out in stage.get("outs", []):
                if out["path"].startswith(HASHED) and "md5" in out:
                    hashes[out["path"]] = (out["md5"], out.get("size", 0))
    return [(path, *hashes[path]) for path in sorted(hashes)]


def hide_places(text: str) -> str:
    """A file of parameters with every path shortened to its last name."""
    return "\n".join(_PLACE.sub(_last_name, line) for line in text.split("\n"))


def _last_name(match: re.Match[str]) -> str:
    return f"{match['key']}{match['quote']}{PurePath(match['place']).name}"
