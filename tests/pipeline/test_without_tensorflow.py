"""The pipeline on JAX, in an environment in which TensorFlow is not installed."""

import importlib.util
import json
import os
import subprocess

import pandas as pd
import pytest

from tests.fixtures.no_tensorflow import make_environment
from tests.pipeline.conftest import LIGHT, Project, clone, commit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("without_tensorflow"),
    pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed"),
]

# An image's network is trained too, batch norm and augmentation included.
SETTINGS = {**LIGHT, "zoo.focal_cnn.mode": "end_to_end", "zoo.focal_cnn.epochs": 2, "augment.stain_jitter": 0.1}
FROZEN = {**LIGHT, "zoo.focal_cnn.epochs": 2}


class JaxProject(Project):
    """A clone in which the environment's Python comes first."""

    def with_jax(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder.parent / 'environment/bin'}{os.pathsep}{os.environ['PATH']}"
        wanted = {"KERAS_BACKEND": "jax", **environment}
        # `run` puts this test's own Python first.
        words = ["env", f"PATH={path}", *(f"{name}={value}" for name, value in wanted.items()), *command]
        return self.run(*words, check=check)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> JaxProject:
    folder = tmp_path_factory.mktemp("without_tensorflow")
    make_environment(folder / "environment")
    project = JaxProject(clone(folder / "clone").folder)
    project.set_params(**FROZEN)
    commit(project)
    project.with_jax("python", "-m", "dvc", "repro")
    return project


def test_tensorflow_is_not_there(project: JaxProject) -> None:
    done = project.with_jax("python", "-c", "import tensorflow", check=False)
    assert "No module named 'tensorflow'" in done.stderr


def test_every_stage_has_run_and_says_with_what(project: JaxProject) -> None:
    model_info = json.loads((project.folder / "models/model.json").read_text(encoding="utf-8"))
    assert set(model_info["versions"]) == {"jax", "keras", "numpy"}
    assert model_info["precision"] == "float32"
    for name in ("metrics", "uncertainty", "robustness", "explain"):
        assert json.loads((project.folder / f"metrics/{name}.json").read_text(encoding="utf-8"))


def test_networks_are_trained_on_images(project: JaxProject) -> None:
    project.set_params(**SETTINGS)
    project.with_jax("python", "-m", "stages.embed")
    project.with_jax("python", "-m", "stages.train")
    assert len(pd.read_csv(project.folder / "models/history.csv")) == 2
    project.run("git", "checkout", "--quiet", "params.yaml")
    project.with_jax("python", "-m", "dvc", "checkout", "--force")


def test_pictures_are_predicted(project: JaxProject) -> None:
    project.with_jax("python", "-m", "bycase", "predict", "data/restructured/Benign", "--out", "new.csv")
    assert len(pd.read_csv(project.folder / "new.csv")) > 10


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ("python", "-m", "bycase", "export", "--format", "onnx"),
            "an export needs TensorFlow, and KERAS_BACKEND is jax",
        ),
        (("env", "-u", "KERAS_BACKEND", "python", "-m", "stages.evaluate"), "TensorFlow is not installed"),
    ],
)
def test_what_needs_tensorflow_says_so_in_one_line(project: JaxProject, command: tuple[str, ...], words: str) -> None:
    done = project.with_jax(*command, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert words in line


def test_rand_augment_says_that_it_needs_tensorflow(project: JaxProject) -> None:
    project.set_params(**{"augment.rand_augment": 0.3})
    done = project.with_jax("python", "-m", "stages.augment", check=False)
    project.run("git", "checkout", "--quiet", "params.yaml")
    assert done.returncode == 1
    assert "error: augment.rand_augment needs the package tensorflow, which is not installed" in done.stderr


OUT_OF_MEMORY = """
import sys
from jax.errors import JaxRuntimeError
import stages.{stage} as stage
from bycase.core.command import run_stage
def raise_error(*_, **__):
    raise {error}
stage.{name} = raise_error
run_stage({stage!r}, stage.main)
"""


@pytest.mark.parametrize(
    ("stage", "name", "key"),
    [
        ("embed", "fill", "embed.batch_size"),
        ("train", "run_training", "zoo.focal_cnn.batch_size"),
        ("evaluate", "predict_images", "evaluate.batch_size"),
    ],
)
@pytest.mark.parametrize("error", ["MemoryError", "JaxRuntimeError('RESOURCE_EXHAUSTED: out of memory')"])
def test_memory_that_runs_out_is_one_line_and_loses_nothing(
    project: JaxProject, stage: str, name: str, key: str, error: str
) -> None:
    outputs = [
        project.folder / path for path in ("data/features/features.npy", "models/model.keras", "metrics/metrics.json")
    ]
    before = [path.read_bytes() for path in outputs]
    code = OUT_OF_MEMORY.format(stage=stage, name=name, error=error)
    done = project.with_jax("python", "-c", code, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert line.startswith(f"{stage}: error: memory ran out with ")
    assert f"or set {key} to " in line
    assert [path.read_bytes() for path in outputs] == before
