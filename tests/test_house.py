"""The house itself: who imports whom, what each stage depends on, and how fast light stages start."""

import ast
import re
import resource
import shutil
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

import bycase
from bycase.core.closure import FRONT, PACKAGES, ROOT, find_module, holds_code, imported_names
from bycase.core.params import load_params
from bycase.core.params_data import DatasetParams
from bycase.core.params_training import BACKBONE, EvaluateParams, ModelParams
from bycase.training.checkpoint import training_settings
from tests.conftest import TESTED_MODEL
from tests.house import (
    PIPELINES,
    missing_deps,
    needless_deps,
    read_stages,
    stage_closure,
    write_deps,
)

FLOORS = [
    *("core", "tables", "images", "datasets", "networks", "training", "statistics"),
    *("explain", "figures", "report", "studies", "apps", "api", "cli", "__main__"),
]
LIGHT = ["check", "download", "restructure", "split"]
STAGES = [(pipeline, name) for pipeline in PIPELINES for name in read_stages(pipeline)]


@cache
def imports() -> dict[Path, set[Path]]:
    """The files of this project that each of its files imports; docstrings and its own packages left out."""
    files = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    graph = {}
    for path in files:
        paths = {find_module(name) for name in imported_names((ROOT / path).read_text(encoding="utf-8"))}
        packages = {parent / "__init__.py" for parent in path.parents}
        graph[path] = {other for other in paths - packages - {path} if other and holds_code(ROOT / other)}
    return graph


def floor(path: Path) -> str:
    return path.with_suffix("").parts[1]


def unit(path: Path) -> str:
    """What stands on a floor: a module, or a folder with all that is in it."""
    return ".".join(path.with_suffix("").parts[:3])


def test_every_part_of_the_library_has_a_floor() -> None:
    assert {floor(path) for path in imports() if path.parts[0] == "bycase"} - {"__init__"} == set(FLOORS)


def test_a_lower_floor_imports_no_higher_one() -> None:
    library = {path: others for path, others in imports().items() if path.parts[0] == "bycase" and path != FRONT}
    arrows = [(path, other) for path, others in library.items() for other in others]
    up = [f"{path} -> {other}" for path, other in arrows if FLOORS.index(floor(other)) > FLOORS.index(floor(path))]
    assert up == []


def test_the_library_does_not_stand_on_its_public_interface() -> None:
    # Its front door imports on demand what no closure follows.
    public = {f"bycase.{name}" for name in bycase.__all__}
    users = {path: public & set(imported_names((ROOT / path).read_text(encoding="utf-8"))) for path in imports()}
    assert {path: names for path, names in users.items() if names} == {}


def test_there_are_no_circles() -> None:
    files = imports()
    units: dict[str, set[str]] = {}
    for path, others in files.items():
        units.setdefault(unit(path), set()).update({unit(other) for other in others} - {unit(path)})
    # Raises CycleError, which names the circle.
    TopologicalSorter(files).prepare()
    TopologicalSorter(units).prepare()


def test_stages_are_those_of_the_pipeline_and_import_the_library_alone() -> None:
    stages = {path.stem for path in (ROOT / "stages").iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert stages == set(read_stages("dvc.yaml"))
    assert {other.parts[0] for path, others in imports().items() for other in others if path.parts[0] == "stages"} == {
        "bycase"
    }


def test_stages_stand_in_the_order_in_which_they_run() -> None:
    for pipeline in PIPELINES:
        made: set[str] = set()
        stages = read_stages(pipeline)
        every = set().union(*map(outputs, stages.values()))
        for name, stage in stages.items():
            made |= outputs(stage)
            assert not (every - made) & set(stage["deps"]), name


def outputs(stage: dict[str, Any]) -> set[str]:
    listed = [*stage.get("outs", []), *stage.get("metrics", [])]
    return {out if isinstance(out, str) else next(iter(out)) for out in listed}


@pytest.mark.parametrize(("pipeline", "name"), STAGES)
def test_code_that_a_stage_reaches_is_among_its_deps_and_no_other(pipeline: str, name: str) -> None:
    stage = read_stages(pipeline)[name]
    assert missing_deps(stage) == set(), "run 'make deps'"
    assert needless_deps(stage) == set(), "run 'make deps'"


def test_the_command_writes_what_is_there() -> None:
    for pipeline in PIPELINES:
        assert write_deps(pipeline) == (ROOT / pipeline).read_text(encoding="utf-8"), "run 'make deps'"


def test_a_planted_import_is_found(copied_code: Path) -> None:
    with (copied_code / "bycase/statistics/bootstrap.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef planted() -> None:\n    from bycase.core.planted import NUMBER\n")
    (copied_code / "bycase/core/planted.py").write_text("NUMBER = 1\n", encoding="utf-8")
    for pipeline, name in (("dvc.yaml", "evaluate"), ("benchmark/dvc.yaml", "cell"), ("tuning/dvc.yaml", "gather")):
        assert missing_deps(read_stages(pipeline)[name], copied_code) == {"bycase/core/planted.py"}, pipeline
    assert missing_deps(read_stages("dvc.yaml")["restructure"], copied_code) == set()


def test_stages_that_a_cell_runs_as_programs_count() -> None:
    assert missing_deps({"cmd": "python -m bycase.studies.benchmark.stages.cell", "deps": []}) >= {
        f"stages/{name}.py" for name in ("split", "preprocess", "embed", "train", "evaluate", "robustness")
    }


def test_values_of_params_are_handed_on_as_they_stand_there(default_params: dict[str, Any]) -> None:
    """Why the modules that check params.yaml are exempt: DVC tracks every value that a stage gets."""
    shipped = load_params(ROOT / "params.yaml").model_dump(mode="json")
    assert shipped | {"model": TESTED_MODEL} == default_params


def read_settings(path: Path) -> set[str]:
    """The sections, or ``section.field``, of `params` that a module reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return {
        f"{node.attr}.{above[node].attr}" if isinstance(above[node], ast.Attribute) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "params"
    }


@pytest.mark.parametrize(
    "name", [name for name, stage in read_stages("dvc.yaml").items() if "dataset" in stage.get("params", [])]
)
def test_settings_that_a_stage_reads_are_tracked(name: str) -> None:
    tracked = {
        key.replace("datasets.${dataset}", "data").replace("zoo.${model}", "network")
        for key in read_stages("dvc.yaml")[name]["params"]
    }
    read = read_settings(ROOT / "stages" / f"{name}.py")
    if name == "evaluate":  # hands the section on
        read |= {f"evaluate.{field}" for field in EvaluateParams.model_fields if not field.startswith("external")}
    for section, field in (key.split(".") for key in read if "." in key):
        settings = (
            DatasetParams if section == "data" else type(getattr(load_params(ROOT / "params.yaml"), section, None))
        )
        if field in getattr(settings, "model_fields", {}):
            assert {section, "datasets", f"{section}.{field}"} & tracked, f"{section}.{field}"


def test_a_trainings_settings_are_those_that_dvc_tracks() -> None:
    params = load_params(ROOT / "params.yaml")
    tracked = [
        key.replace("${dataset}", params.dataset).replace("${model}", params.model)
        for key in read_stages("dvc.yaml")["train"]["params"]
    ]
    assert sorted(training_settings(params)) == sorted(tracked)


@pytest.mark.parametrize("pipeline", ["dvc.yaml", "benchmark/dvc.yaml", "tuning/dvc.yaml"])
def test_all_that_features_depend_on_of_a_network_is_tracked(pipeline: str) -> None:
    head = {"standardise", "head", "optimizer", "learning_rate", "weight_decay", "batch_size", "epochs", "patience"}
    assert {*BACKBONE} == {*ModelParams.model_fields} - head - {"unfreeze"}
    text = (ROOT / pipeline).read_text(encoding="utf-8")
    assert {*BACKBONE} == {*re.findall(r"- zoo\.\$\{[a-z.]+\}\.(\w+)", text)}


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A copy of the code and the pipeline, up to date in DVC's eyes, with empty data."""
    folder = tmp_path_factory.mktemp("committed")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".dvcignore"):
        shutil.copyfile(ROOT / name, folder / name)
    dataset = load_params(ROOT / "params.yaml").dataset
    for stage in read_stages("dvc.yaml").values():
        for name in {*stage["deps"], *outputs(stage)}:
            path = folder / name.replace("${dataset}", dataset)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch()
    repo = Repo.init(str(folder), no_scm=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        repo.commit(force=True)
    assert repo.status() == {}
    return repo


@pytest.mark.parametrize(
    ("module", "some", "none"),
    [
        ("bycase/statistics/intervals.py", {"evaluate", "uncertainty", "leakage", "robustness"}, {"train", "split"}),
        ("bycase/datasets/phantoms/shapes.py", {"download"}, {"restructure", "train"}),
        ("bycase/report/claim.yaml", {"report"}, {"plot", "bundle"}),
        ("bycase/apps/serve/command.py", set(), {"bundle"}),
    ],
)
def test_after_a_changed_line_dvc_status_names_every_stage_that_uses_it(
    committed: Repo, module: str, some: set[str], none: set[str]
) -> None:
    path = Path(committed.root_dir) / module
    content = path.read_text(encoding="utf-8")
    path.write_text(f"{content}# Changed.\n", encoding="utf-8")
    named = {name.split(":")[-1] for name in committed.status()}
    path.write_text(content, encoding="utf-8")
    assert named >= some
    assert not named & none
    assert named == {name for name, stage in read_stages("dvc.yaml").items() if module in stage_closure(stage)}


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
    locks = sorted(ROOT.glob("requirements*.txt"))
    assert len(locks) > 5
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
