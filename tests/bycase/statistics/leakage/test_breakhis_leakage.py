"""The real thing: what splitting by image is worth on the BreakHis images beside the repository."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.statistics.leakage.levels import find_levels
from bycase.statistics.leakage.meter import measure_leakage
from bycase.statistics.leakage.probe import probe_group
from bycase.tables.manifest import read_manifest

SIZE = 224
EMBED = f"""
import numpy as np
from bycase.tables.manifest import RESTRUCTURED, read_manifest
from bycase.images.pixels import read_pixels
from bycase.networks.registry import build_backbone
backbone = build_backbone("efficientnetlite", {SIZE}, "imagenet", "avg", 7)
images = read_manifest()["image"].tolist()
parts = [images[start : start + 32] for start in range(0, len(images), 32)]
pixels = (read_pixels(part, RESTRUCTURED).astype("float32") for part in parts)
np.save("features.npy", np.concatenate([backbone.predict_on_batch(each) for each in pixels]))
"""


@pytest.mark.slow
def test_breakhis_loses_thirteen_points(project: Path, shared: Path, write_params: Any, run_stage_process: Any) -> None:
    entry = {"source": "local", "path": "unused", "image_size": SIZE}
    write_params({"dataset": "breakhis"} | {f"datasets.breakhis.{key}": value for key, value in entry.items()})
    (project / "data/raw").mkdir(parents=True)
    (project / "data/raw/breakhis").symlink_to(shared / "data/breakhis")
    assert run_stage_process("restructure", project).returncode == 0
    root = Path(__file__).parents[4]
    subprocess.run([sys.executable, "-c", EMBED], cwd=project, env=os.environ | {"PYTHONPATH": str(root)}, check=True)
    features, manifest = np.load("features.npy").astype(np.float64), read_manifest()
    found = measure_leakage(
        features,
        manifest,
        find_levels(manifest, 5),
        folds=5,
        repeats=3,
        logistic_C=0.01,
        seed=7,
    )
    assert found["image"]["auc"] == pytest.approx(0.96, abs=0.02)
    assert found["folder"]["auc"] == pytest.approx(0.86, abs=0.03)
    assert found["case"]["auc"] == pytest.approx(0.82, abs=0.03)
    # Of the AUC, which rests on 13 benign cases, the interval may hold 0.
    assert found["inflation"]["ci"]["accuracy"]["low"] > 0
    assert found["inflation"]["auc"] > 8
    patient = probe_group(features, manifest, 20, 7)
    assert patient["accuracy"] > 0.6 > 0.2 > patient["chance"]
