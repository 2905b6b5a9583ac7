import gc
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from bycase.core.closure import PACKAGES
from bycase.core.nested import merge, nest
from bycase.core.params import Params

# As many threads as workers, not the square of it; processes that tests start inherit this. Before TensorFlow's import.
for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As `packages.need` has it: tests that import OpenVINO themselves would report its use, a second for every conversion.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

REPOSITORY = Path(__file__).parents[1]
SHARED = REPOSITORY.parent / "shared"
TESTED_MODEL = "resnet50v2"  # of the tests, whichever the first run has; its weights are the data set's

# `make test` hands these on, and a test's own `make` would speak as its child.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)

SUBTYPE_FOLDERS = {
    "A": "benign/SOB/adenosis",
    "F": "benign/SOB/fibroadenoma",
    "PT": "benign/SOB/phyllodes_tumor",
    "TA": "benign/SOB/tubular_adenoma",
    "DC": "malignant/SOB/ductal_carcinoma",
    "LC": "malignant/SOB/lobular_carcinoma",
    "MC": "malignant/SOB/mucinous_carcinoma",
    "PC": "malignant/SOB/papillary_carcinoma",
}

# Two cases a subtype, one image each at 40X and 200X.
TINY_NAMES = tuple(
    f"SOB_{'B' if 'benign' in place else 'M'}_{subtype}-14-{1000 * (number + 1) + case}-{magnification}-001.png"
    for number, (subtype, place) in enumerate(SUBTYPE_FOLDERS.items())
    for case in (1, 2)
    for magnification in (40, 200)
)

# What takes longest begins first, so that no worker is left with it when the others have ended.
LONGEST_FIRST = (
    "tests/pipeline/test_repro.py",
    "tests/pipeline/test_benchmark.py",
    "tests/pipeline/test_own_images.py",
    "tests/pipeline/test_recipe_search.py",
    "tests/pipeline/test_remote.py",
    "tests/pipeline/test_real_images.py",
    "tests/bycase/studies/recipe/test_every_recipe.py",
    "tests/bycase/studies/recipe/test_command.py",
    "tests/bycase/networks/zoo/test_saving.py",
    "tests/pipeline/test_bad_input.py",
)

# Files below share each network's build, which is then forgotten.
TOGETHER = "tests/bycase/networks/"

WriteParams = Callable[..., None]
MakeParams = Callable[[dict[str, Any]], Params]
BreakhisFolder = Callable[..., dict[str, Path]]
RunStage = Callable[..., subprocess.CompletedProcess[str]]


def params_of_tests() -> str:
    """The shipped params.yaml as a text, with `TESTED_MODEL`."""
    text, n = re.subn(r"(?m)^model: \w+", f"model: {TESTED_MODEL}", (REPOSITORY / "params.yaml").read_text("utf-8"))
    assert n == 1
    return text


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a file to one worker, but for those that share a costly fixture and name a group or are `TOGETHER`."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            file = _file_of(item)
            group = TOGETHER if file.startswith(TOGETHER) else file
            item.add_marker(pytest.mark.xdist_group(group))
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(_file_of(item), len(rank)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Forget networks when a file or a slow test ends: what is cached of them adds up to gigabytes."""
    yield
    ends = nextitem is None or nextitem.path != item.path or item.get_closest_marker("slow") is not None
    if ends and _networks_were_built():
        _forget_gradients()
        sys.modules["keras"].utils.clear_session()  # which collects garbage
        if not gc.get_freeze_count():
            # Most of what is left are the libraries' own objects, half a second for every collection to look through.
            gc.freeze()


def _networks_were_built() -> bool:
    """Say whether Keras has named a tensor or a layer since its session was cleared."""
    state = sys.modules.get("keras.src.backend.common.global_state")
    return bool(state and state.get_global_attribute("object_name_uids"))


def _forget_gradients() -> None:
    """Take what was traced out of TensorFlow's registry of gradients.

    It keeps each custom gradient of a traced function, an optimiser's sum over replicas among them, and so the function
    and its variables for as long as the process lives.
    """
    ops = sys.modules.get("tensorflow.python.framework.ops")
    registry = ops.gradient_registry if ops else None
    for name in list(registry.list()) if registry else []:
        if name.startswith("CustomGradient-"):
            del registry._registry[name]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """No test meets Ray's variables, which commands set for their own process, nor a log that another has closed."""
    ray, log = _ray_variables(), _log_state()
    yield
    for name in _ray_variables():
        del os.environ[name]
    os.environ.update(ray)
    assert _log_state() == log


def _log_state() -> tuple[int, list[Any], list[int]]:
    """Levels and filters of the root logger; pytest's handlers are its, and those of loggers that do not propagate."""
    root = logging.getLogger()
    return root.level, root.filters[:], [handler.level for handler in root.handlers]


def _ray_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("RAY_")}


def _file_of(item: pytest.Item) -> str:
    return item.path.relative_to(REPOSITORY).as_posix()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED}/data, the real images and names, is absent")
    return SHARED


@pytest.fixture(scope="session")
def default_params() -> dict[str, Any]:
    """The content of the repository's params.yaml, but for `TESTED_MODEL`; copy before changing."""
    content: dict[str, Any] = yaml.safe_load(params_of_tests())
    return content


@pytest.fixture
def copied_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all code, which fingerprints are taken of."""
    folder = tmp_path / "copied_code"
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("bycase.core.fingerprint.ROOT", folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with the shipped params.yaml, but for `TESTED_MODEL`, which is the current folder."""
    (tmp_path / "params.yaml").write_text(params_of_tests(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def write_params(default_params: dict[str, Any]) -> WriteParams:
    """``write_params({"split.group": "image"}, folder)`` writes the shipped params.yaml with these changes."""

    def write(changes: dict[str, Any], folder: Path = Path()) -> None:
        content = yaml.safe_dump(merge(default_params, nest(changes)), sort_keys=False)
        (folder / "params.yaml").write_text(content, encoding="utf-8")

    return write


@pytest.fixture(scope="session")
def make_params(default_params: dict[str, Any]) -> MakeParams:
    """``make_params({"split.group": "image"})`` gives the shipped parameters with these changes."""
    return lambda changes: Params.model_validate(merge(default_params, nest(changes)))


def breakhis_place(name: str) -> Path:
    """Where the publisher puts an image, below BreaKHis_v1."""
    biopsy, year, slide, magnification, _ = name.split("-")
    subtype = biopsy.split("_")[2]
    outer = Path("histology_slides/breast") / SUBTYPE_FOLDERS[subtype]
    return outer / f"{biopsy}_{year}-{slide}" / f"{magnification}X" / name


@pytest.fixture(scope="session")
def breakhis_folder() -> BreakhisFolder:
    """``breakhis_folder(root)`` writes tiny images in BreakHis' layout below `root`; gives their paths by name."""

    def write(root: Path, names: Iterable[str] = TINY_NAMES, outer: str = "BreaKHis_v1") -> dict[str, Path]:
        random = np.random.default_rng(0)
        written = {}
        for name in names:
            path = root / outer / breakhis_place(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (8, 12, 3), dtype=np.uint8)).save(path)
            written[name] = path
        return written

    return write


@pytest.fixture(scope="session")
def run_stage_process() -> RunStage:
    """``run_stage_process("split", folder)`` runs a stage as a command in `folder`."""

    def run(stage: str, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"stages.{stage}"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )

    return run
