"""A project of 24 cases with features that tell the classes apart, and tiny images; no network has to embed them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from stages.common.manifest import COLUMNS, write_manifest
from stages.common.params import Params, load_params
from stages.split.table import write_splits
from stages.tune.folds import make_tuning_folds, take_pool, write_tuning_folds
from stages.tune.params import TuningParams, load_tuning_params

# As stages.tune.session does, before anything imports Ray: it listens to this machine alone.
os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}

SIZE = 32
WIDTH = 8
SMALL = {
    "model": "focal_cnn",
    "datasets.phantom.image_size": SIZE,
    "zoo.focal_cnn.mode": "frozen",
    "zoo.focal_cnn.learning_rate": 0.01,
    "zoo.focal_cnn.batch_size": 8,
    "zoo.focal_cnn.optimizer": "adamw",
    "zoo.focal_cnn.weight_decay": 0.01,
    "zoo.focal_cnn.standardise": True,
    "zoo.focal_cnn.head": [{"dropout": 0.2}],
    "zoo.focal_cnn.unfreeze.epochs": 1,
    "zoo.focal_cnn.unfreeze.learning_rate": 0.001,
}
TUNING: dict[str, Any] = {
    "algorithm": "random",
    "seed": 7,
    "budget": {"trials": 3, "epochs": 2, "minutes": None},
    "early_stopping": "none",
    "inner": {"folds": 2},
    "outer": {"folds": 2},
    "search": ["final", 0, 1],
    "population": {
        "members": 2,
        "interval": 1,
        "quantile": 0.5,
        "resample_probability": 0.25,
        "bayesian_share": 0.5,
    },
    "workers": 1,
    "ray": {"address": None, "storage": None},
    "space": {"learning_rate": {"log": [0.0001, 0.1]}, "head": {"choice": [[], [4]]}},
}


def make_manifest() -> pd.DataFrame:
    rows = [
        {
            "image": f"{label}/{case:02d}-{number}.png",
            "label": label,
            "subtype": label,
            "case": f"case{case:02d}",
            "group": f"case{case:02d}",
            "sha256": f"{case:02d}{number}",
        }
        for case in range(24)
        for label in (["Benign", "Malignant"][case % 2],)
        for number in range(2)
    ]
    frame = pd.DataFrame(rows).reindex(columns=list(COLUMNS), fill_value="")
    return frame.assign(magnification=0, width=SIZE, height=SIZE)


def make_splits(manifest: pd.DataFrame) -> pd.DataFrame:
    case = manifest["case"].str.removeprefix("case").astype(int)
    part = np.where(case >= 18, "test", np.where(case >= 14, "val", "train"))
    return pd.DataFrame({"image": manifest["image"], "part": part, "fold": 0, "group": manifest["group"]})


def write_features(pool: pd.DataFrame, strength: str, views: int, width: int = WIDTH) -> None:
    folder = Path("data/tuning/features") / strength
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    signal = (pool["label"] == "Malignant").to_numpy()[:, None, None] * 1.0
    array = random.normal(size=(len(pool), 1 + views, width)) + signal
    np.save(folder / "features.npy", array.astype(np.float32))
    pool[["image"]].to_csv(folder / "index.csv", index=False)
    (folder / "made_by.json").write_text("{}", encoding="utf-8")


def write_images(pool: pd.DataFrame) -> None:
    random = np.random.default_rng(0)
    for image, label in zip(pool["image"], pool["label"], strict=True):
        path = Path("data/preprocessed") / image
        path.parent.mkdir(parents=True, exist_ok=True)
        low = 120 if label == "Malignant" else 0
        Image.fromarray(random.integers(low, low + 130, (SIZE, SIZE, 3), dtype=np.uint8)).save(path)


MakeProject = Callable[..., tuple[Params, TuningParams]]


@pytest.fixture
def tuned(project: Path, write_params: Callable[..., None]) -> MakeProject:
    """``tuned(params={...}, tuning={...})`` writes such a project in the current folder; gives both parameters."""

    def make(params: dict[str, Any] | None = None, tuning: dict[str, Any] | None = None) -> Any:
        write_params(SMALL | (params or {}))
        Path("tuning").mkdir(exist_ok=True)
        Path("tuning/params.yaml").write_text(yaml.safe_dump(TUNING | (tuning or {})), encoding="utf-8")
        loaded = load_params()
        searched = load_tuning_params(loaded)
        manifest = make_manifest()
        splits = make_splits(manifest)
        Path("data").mkdir(exist_ok=True)
        write_manifest(Path("data/manifest.csv"), manifest)
        write_splits(splits, {})
        pool = take_pool(splits, manifest)
        write_tuning_folds(
            make_tuning_folds(pool, loaded.split, loaded.seed, searched.inner.folds, searched.outer.folds)
        )
        width = 256 if searched.space.unfreeze or loaded.network.unfreeze.layers else WIDTH
        for strength, views in (("0", 0), ("1", 2), ("2", 2)):
            write_features(pool, strength, views, width)
        write_images(pool)
        return loaded, searched

    return make
