"""The house itself: who imports whom, and how fast light stages start."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = [
    "common",
    "zoo",
    "check",
    "download",
    "restructure",
    "audit",
    "split",
    "preprocess",
    "augment",
    "embed",
    "train",
    "evaluate",
    "leakage",
    "power",
    "card",
    "uncertainty",
    "robustness",
    "explain",
    "plot",
    "benchmark",
    "compare",
    "report",
    "bundle",
    "runtime",
    "predict",
    "export",
    "serve",
    "publish",
    "recipe",
    "tune",
]
LIGHT = ["check", "download", "restructure", "split"]


def imported_stages(path: Path) -> set[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] if node.module != "stages" else [f"stages.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("stages.")}


def test_every_package_is_in_the_order() -> None:
    assert {path.parent.name for path in (ROOT / "stages").glob("*/__init__.py")} <= set(ORDER)


@pytest.mark.parametrize("stage", [stage for stage in ORDER if (ROOT / "stages" / stage).is_dir()])
def test_no_stage_imports_one_downstream(stage: str) -> None:
    downstream = set(ORDER[ORDER.index(stage) + 1 :])
    for path in (ROOT / "stages" / stage).rglob("*.py"):
        assert not imported_stages(path) & downstream, path


def processor_seconds(code: str) -> float:
    """Least time of three starts; of the processor, since other tests run at the same time."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(seconds)


@pytest.fixture(scope="module")
def least_seconds() -> float:
    """What every light stage stands on, on this machine, with whatever else runs on it now."""
    return processor_seconds("import pandas, pydantic, scipy, yaml")


@pytest.mark.parametrize("stage", LIGHT)
def test_light_stages_start_fast_and_without_tensorflow(stage: str, least_seconds: float) -> None:
    code = f"import sys, stages.{stage}; sys.exit('tensorflow' in sys.modules or 'kaggle' in sys.modules)"
    assert processor_seconds(code) < 2 * least_seconds


def test_no_path_of_this_machine_and_no_registry_in_the_locks() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements.in", "requirements-dev.in"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
