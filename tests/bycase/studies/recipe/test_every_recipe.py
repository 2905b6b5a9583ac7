"""Every recipe for one epoch on tiny generated images: network, head, loss, optimiser and augmentation as recipes ask.

The data are made once a data set and split once a system; embed, train and evaluate then run in this process, since
TensorFlow takes longer to start than to do the rest.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bycase.studies.recipe.definition import AS_PUBLISHED, read_recipe, recipe_names
from bycase.studies.recipe.run import make_plan
from tests.fixtures.recipe import REPOSITORY, environment

RECIPES = REPOSITORY / "recipes"
BASE = (REPOSITORY / "params.yaml").read_text(encoding="utf-8")
NAMES = recipe_names(RECIPES)

PHANTOMS = {"breakhis": "phantom", "busi": "busi_phantom", "ham10000": "ham10000_phantom"}
SIZES: dict[str, dict[str, Any]] = {
    "phantom": {"cases": 16, "images": 96, "width": 128, "height": 96},
    "busi_phantom": {"cases": 30, "images": 60, "width": 96, "height": 80},
    "ham10000_phantom": {"cases": 49, "images": 98, "width": 96, "height": 72},
}
PIXELS = {"phantom": 32, "busi_phantom": 64, "ham10000_phantom": 32}  # AlexNet and GoogLeNet need 64

MakeProject = Callable[[str], Path]


def tiny(name: str) -> str:
    """A recipe's `params.yaml` on the phantom of its data set, for one epoch."""
    recipe = read_recipe(name, RECIPES)
    model, dataset = recipe.settings["model"], PHANTOMS[recipe.settings["dataset"]]
    own = [
        f"dataset={dataset}",
        f"datasets.{dataset}.image_size={PIXELS[dataset]}",
        *(f"datasets.{dataset}.phantom.{key}={value}" for key, value in SIZES[dataset].items()),
        f"zoo.{model}.weights=random",
        f"zoo.{model}.epochs=1",
        f"zoo.{model}.patience=1",
        "train.contract_action=warn",
        # So small, generated images are alike by chance.
        "audit.near_distance=0",
        "audit.near_similarity=1",
        "evaluate.resamples=100",
        # Of few images every class is in every part only if the parts are large.
        "split.validation=0.25",
        "split.test=0.25",
        "split.merge_duplicates=true",
        # From random weights MobileNetV3's features hardly differ between images, at which `embed` stops.
        *(["zoo.mobilenetv3.mode=end_to_end"] if model == "mobilenetv3" else []),
    ]
    return make_plan(recipe, AS_PUBLISHED, own, BASE).text([])


def run_stages(folder: Path, *stages: str) -> None:
    for stage in stages:
        subprocess.run(
            [sys.executable, "-m", f"stages.{stage}"], cwd=folder, env=environment(), check=True, capture_output=True
        )


@pytest.fixture(scope="session")
def system_project(tmp_path_factory: pytest.TempPathFactory) -> MakeProject:
    """``system_project("d-vgg16")`` gives a folder with the data of that recipe's system, split and preprocessed."""
    folders: dict[str, Path] = {}

    def make(name: str) -> Path:
        system, dataset = read_recipe(name, RECIPES).system, read_recipe(name, RECIPES).settings["dataset"]
        if dataset not in folders:
            folders[dataset] = tmp_path_factory.mktemp(dataset)
            (folders[dataset] / "params.yaml").write_text(tiny(name), encoding="utf-8")
            run_stages(folders[dataset], "download", "restructure", "audit")
        if system not in folders:
            folders[system] = tmp_path_factory.mktemp(f"system-{system}") / "project"
            shutil.copytree(folders[dataset], folders[system], symlinks=True, copy_function=os.link)
            (folders[system] / "params.yaml").unlink()
            (folders[system] / "params.yaml").write_text(tiny(name), encoding="utf-8")
            run_stages(folders[system], "split", "preprocess")
        return folders[system]

    return make


def run_recipe_in(folder: Path, params: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.chdir(folder)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    for stage in ("embed", "train", "evaluate"):
        import_module(f"stages.{stage}").main()
        keras.utils.clear_session()


def check_run(folder: Path, name: str) -> None:
    card = json.loads((folder / "models/model.json").read_text(encoding="utf-8"))
    assert card["model"] == read_recipe(name, RECIPES).settings["model"]
    assert card["variant"] == read_recipe(name, RECIPES).settings["zoo"][card["model"]]["variant"]
    assert card["phantom"]
    assert len(pd.read_csv(folder / "models/history.csv")) == 1
    metrics = json.loads((folder / "metrics/metrics.json").read_text(encoding="utf-8"))
    for level in ("image", "patient"):
        limits = metrics[level]["ci"]["accuracy"]
        assert 0 <= limits["low"] <= metrics[level]["accuracy"] <= limits["high"] <= 1
        assert "accuracy" in metrics[level]["baseline"]


# One of each data set; the others take thirty seconds and more each to build and trace.
FAST = ("c-alexnet", "d-vgg16", "e-focal-cnn")


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_a_recipe_trains_and_is_scored(name: str, system_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = system_project(name)
    run_recipe_in(folder, tiny(name), monkeypatch)
    check_run(folder, name)
