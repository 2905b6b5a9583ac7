"""The pipeline on the real images, where they are."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.conftest import Project


@pytest.mark.parametrize(
    "target", ["evaluate", pytest.param("report", marks=pytest.mark.slow)], ids=["to the metrics", "to the report"]
)
def test_real_images_end_to_end(fresh: Project, target: str) -> None:
    shared = Path(__file__).parents[3] / "shared/data/breakhis"
    if not shared.is_dir():
        pytest.skip(f"{shared} is absent: the real images are not part of the project")
    fresh.set_params(**{"dataset": "breakhis", "model": "efficientnetlite", "embed.views": 0})
    fresh.set_params(**{"datasets.breakhis.source": "local", "datasets.breakhis.path": str(shared)})
    fresh.set_params(**{"datasets.breakhis.image_size": 64, "zoo.efficientnetlite.epochs": 40})
    fresh.dvc("repro", target)
    assert len(pd.read_csv(fresh.folder / "data/manifest.csv")) == 1107
    scored = json.loads((fresh.folder / "metrics/metrics.json").read_text())
    assert scored["image"]["n"] == sum(pd.read_csv(fresh.folder / "data/splits.csv")["part"] == "test")
    assert scored["image"]["auc"] > 0.5
