"""`bycase benchmark run --ray` on two nodes of this machine, one of which is killed, against a run without Ray."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.machine import core_count
from tests.fixtures.ray_cluster import ray_cluster
from tests.pipeline.conftest import LIGHT, Project

pytestmark = pytest.mark.slow

# What of a cell is the same whenever it is run: `.keras` files, wall-clock costs and their like are not.
SAME = ("params.yaml", "splits.csv", "splits.json", "val.csv", "test.csv", "metrics.json", "history.csv", "trials.csv")
STAGES = [*(f"cell@focal_cnn-0-{fold}" for fold in range(3)), "embed@focal_cnn-0"]


def start(project: Project, address: str) -> subprocess.Popen[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [sys.executable, "-m", "bycase", "benchmark", "run", "--ray", address],
        cwd=project.folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(project.folder), "DVC_NO_ANALYTICS": "1"},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def outputs(project: Project) -> dict[str, bytes]:
    """The files of all cells, and the table of their predictions."""
    folder = project.folder / "data/benchmark"
    files = [path for path in (folder / "cells").rglob("*") if path.name in SAME]
    return {str(path.relative_to(folder)): path.read_bytes() for path in [*files, folder / "predictions.csv"]}


def is_busy(cluster: Any, project: Project) -> bool:
    """Whether a stage is at work on the second node, and both cells have begun."""
    psutil = pytest.importorskip("psutil")
    raylet = psutil.Process(cluster.others[0].all_processes["raylet"][0].process.pid)
    try:
        words = [" ".join(child.cmdline()) for child in raylet.children(recursive=True)]
    except psutil.Error:  # one has just ended
        return False
    begun = list((project.folder / "data/benchmark/work/cells").glob("*/*/state.json"))
    return len(begun) == 2 and any("stages.train" in each for each in words)


def wait_for(condition: Callable[[], bool], seconds: float = 900) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_lost_node_costs_its_cells_alone(fresh: Project) -> None:
    path = fresh.folder / "benchmark/params.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content |= {"models": ["focal_cnn"], "fold": [0, 1, 2], "extras": {"uncertainty": False, "robustness": False}}
    content["budget"]["epochs"] = 3
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    fresh.set_params(**LIGHT)
    fresh.run("python", "-m", "bycase", "benchmark", "run", "--jobs", str(core_count()))  # one thread a cell, as on Ray
    expected = outputs(fresh)
    assert len(expected) == 1 + 3 * len(SAME)
    for made in ("data/benchmark", "benchmark/dvc.lock", ".dvc/cache/runs"):
        target = fresh.folder / made
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    with ray_cluster(2) as cluster:
        run = start(fresh, cluster.address)
        wait_for(lambda: run.poll() is not None or is_busy(cluster, fresh))
        assert run.poll() is None, run.communicate()[1]
        cluster.remove_node(cluster.others[0], allow_graceful=False)
        said = run.communicate(timeout=1500)[1]
        assert run.returncode == 0, said
        assert "Traceback" not in said
        ended = sorted(line for line in said.splitlines() if line.startswith("benchmark: ") and "@" in line)
        assert ended == [f"benchmark: {stage}: done" for stage in STAGES]
        assert outputs(fresh) == expected

        fresh.set_params(**{"zoo.focal_cnn.weights": "absent.weights.h5"})
        broken = start(fresh, cluster.address)
        said = broken.communicate(timeout=1500)[1]
        assert broken.returncode == 1
        assert "Traceback" not in said
        lines = [line for line in said.splitlines() if "FAILED" in line]
        assert len(lines) == 4, said  # its embedding too
        fresh.set_params(**{"zoo.focal_cnn.weights": "random"})
        again = start(fresh, cluster.address)
        assert again.communicate(timeout=1500)[1].count(": done") == 4
    for stage in STAGES:
        log = (fresh.folder / f"data/benchmark/work/logs/{stage}.log").read_text(encoding="utf-8")
        assert "Running stage" not in log
