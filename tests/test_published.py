"""What is published below `results/`, read by the code of today."""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.nested import flatten
from bycase.core.params import load_params
from bycase.core.params_migration import VERSION
from bycase.studies.benchmark.params import load_benchmark_params
from bycase.studies.recipe.record import PLACE_NOTE
from bycase.studies.recipe.search_record import KIND
from bycase.studies.tune.params import load_tuning_params
from bycase.tables.out_of_fold import read_about, read_out_of_fold
from stages import check

RESULTS = Path(__file__).parents[1] / "results"
PARAMS = sorted(RESULTS.glob("*/params.yaml"))


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def is_current(path: Path) -> bool:
    """Whether a published `params.yaml` is of the present version; parsing all would cost each worker seconds."""
    return re.search(rf"(?m)^version: {VERSION}\b", path.read_text(encoding="utf-8")) is not None


def test_every_run_has_its_parameters() -> None:
    assert [path.parent for path in PARAMS] == [path for path in sorted(RESULTS.iterdir()) if path.name != "recipes"]


@pytest.mark.parametrize("path", [path for path in PARAMS if is_current(path)], ids=lambda path: path.parent.name)
def test_parameters_of_this_version_pass_the_first_stage(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    shutil.copyfile(path, "params.yaml")
    check.main()
    # Keys that came since without a new version leave everything as it was.
    assert all("lacks keys" in record.getMessage() for record in caplog.records)
    benchmark, tuning = (path.parent / f"{kind}-params.yaml" for kind in ("benchmark", "tuning"))
    assert benchmark.is_file() != tuning.is_file()
    if benchmark.is_file():
        load_benchmark_params(load_params(), benchmark)
    else:
        load_tuning_params(load_params(), tuning)


@pytest.mark.parametrize("path", [path for path in PARAMS if not is_current(path)], ids=lambda path: path.parent.name)
def test_parameters_pass_the_first_stage_which_completes_them_in_one_line(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    here = Path(shutil.copyfile(path, "params.yaml"))
    check.main()
    assert Path("data/checked.txt").is_file()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"params.yaml is of an older version and is written as version {VERSION}: ")
    assert "leakage.inverse_penalty is now leakage.logistic_C" in line
    assert "power.patient_correlation, which was 0.1, is now a range" in line
    before, after = flatten(read(path)), flatten(read(here))
    for name in ("model", "patient"):
        assert before.pop(f"power.{name}_correlation") in (0.5, 0.1)
    assert "leakage.resamples has no effect and is left out" in line
    assert before.pop("leakage.resamples") == 2000
    assert after.pop("leakage.logistic_C") == before.pop("leakage.inverse_penalty")
    assert before.items() <= {key: value for key, value in after.items() if key in before}.items()
    comments = [
        [line.partition("#")[2] for line in file.read_text(encoding="utf-8").splitlines() if "#" in line]
        for file in (path, here)
    ]
    assert sorted(comments[0]) == sorted([*comments[1], " patient-clustered bootstrap"])
    caplog.clear()
    params = load_params()
    assert not caplog.records
    for name, load, place in (
        ("benchmark", load_benchmark_params, "benchmark-params.yaml"),
        ("tuning", load_tuning_params, "tuning-params.yaml"),
    ):
        if (path.parent / place).exists():
            Path(name).mkdir()
            shutil.copyfile(path.parent / place, f"{name}/params.yaml")
            load(params)


@pytest.mark.parametrize(
    "path", [path for path in PARAMS if (path.parent / "dvc.lock").exists()], ids=lambda path: path.parent.name
)
def test_every_number_is_of_the_parameters_beside_it(path: Path) -> None:
    """DVC's lock says with which values each stage was run; of a benchmark, what its networks' stages took."""
    folder, benchmark = path.parent, path.with_name("benchmark-params.yaml")
    here = {"params.yaml": flatten(read(path))}
    if benchmark.exists():
        here["benchmark/params.yaml"] = flatten(read(benchmark))
    lock = folder / ("benchmark-dvc.lock" if benchmark.exists() else "dvc.lock")
    compared = 0
    for name, stage in read(lock)["stages"].items():
        network = name.partition("@")[2]
        if network and not any(
            re.fullmatch(rf"{re.escape(model)}(-\d+){{1,2}}", network)
            for model in here["benchmark/params.yaml"]["models"]
        ):
            continue  # of a run before, with other networks
        for place, values in stage.get("params", {}).items():
            for key, value in flatten(values).items():
                assert as_number(here[place.removeprefix("../")][key]) == as_number(value), (name, key)
                compared += 1
    assert compared > 30


def as_number(value: Any) -> Any:
    """YAML's two versions do not agree on whether 1e-05 is a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def test_out_of_fold_predictions_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RESULTS / "breakhis-partial"
    monkeypatch.chdir(tmp_path)
    Path("data/benchmark").mkdir(parents=True)
    shutil.copyfile(folder / "about.json", "data/benchmark/about.json")
    about = read_about()
    frame = read_out_of_fold(about["classes"], folder / "predictions.csv.gz")
    assert set(frame["model"]) == set(about["networks"])


@pytest.mark.parametrize(
    "path", sorted(RESULTS.glob("recipes/*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_commands_of_recipes_name_no_place_of_ours(path: Path) -> None:
    result = json.loads(path.read_text(encoding="utf-8"))
    verb = "search" if path.stem == KIND else "run"
    assert result["command"].startswith(f"bycase recipe {verb} {path.parent.name}")
    assert "/" not in result["command"]
    assert ("<" in result["command"]) == (result.get("command_note") == PLACE_NOTE)
