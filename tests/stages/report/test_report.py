import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.nested import without
from bycase.core.wording import DASH, capitalise
from bycase.report.benchmark_page import benchmark_documents
from bycase.report.page import NO_BREAK
from bycase.report.run_page import run_documents
from bycase.studies.benchmark.stages.report import main as benchmark_report
from bycase.tables.cost import COST
from bycase.tables.manifest import PATIENTS_UNKNOWN
from stages.report import main
from tests.fixtures.report import RealData, make_uncertainty

RUN = ("plots/report.html", "metrics/model_card.md", "metrics/claim.md", "metrics/tripod_ai.md")
BENCH = tuple(f"metrics/benchmark/{Path(name).name}" for name in RUN)


def command(monkeypatch: pytest.MonkeyPatch, *options: str, stage: Callable[[], None] = main) -> None:
    monkeypatch.setattr(sys, "argv", ["report", *options])
    stage()


def test_the_run_gives_four_files(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch)
    assert all(Path(name).stat().st_size > 1000 for name in RUN)
    page = Path("plots/report.html").read_text().replace(NO_BREAK, " ")
    for words in (
        "PHANTOM: generated images",
        "resnet50v2, random weights, on phantom data (generated images)",
        "image-level AUC 0.800 (95 % CI 0.700 to 0.900)",
        "constant prediction scores 0.667",
        "No case has images on both sides",
        "specificity 90 % on validation, by image",
        "scores 7.3 points of AUC",
        "target coverage of 90 %",
        "noise at severity 5 (0.310)",
        "predicted Benign, true Malignant",
        "&lt;b&gt;|nasty|&amp;.png",
        "p 0.990",
        "WARNED: b",
    ):
        assert words in page, words
    assert page.count("<img") > 12


def test_the_benchmark_gives_four_files(bench_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, stage=benchmark_report)
    assert all(Path(name).stat().st_size > 1000 for name in BENCH)
    assert not Path("plots/report.html").exists()
    page = Path(BENCH[0]).read_text()
    for words in (
        "3 networks on phantom data (generated images)",
        "Best of 3: efficientnetlite, random weights",
        "1. efficientnetlite, random weights",
        "selected on these same results",
        "efficientnetlite and alexnet: better, difference 0.070.",
        "+0.070",
        "0.034",
        "A note.",
        "noise at severity 5 (0.310)",
        "efficientnetlite, 200X",
        "benchmark/params.yaml",
    ):
        assert words in page, words
    assert page.index("1. efficientnetlite") < page.index("2. a_network") < page.index("3. alexnet")


@pytest.mark.parametrize("kind", ["run_folder", "bench_folder"])
def test_without_images_none_of_the_data_set_is_in_it(kind: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)
    documents = run_documents if kind == "run_folder" else benchmark_documents
    page = documents(images=False)["report.html"]
    assert "contains no image of the data set" in page
    assert 'alt="predicted' not in page
    assert 'alt="Example images' not in page
    # What is known of the mistakes stays.
    assert "p 0.990" in page
    shown = documents(images=True)["report.html"]
    assert "contains no image of the data set" not in shown
    assert 'alt="predicted Benign, true Malignant"' in shown


@pytest.mark.parametrize("name", ["leakage", "uncertainty", "robustness", "explain"])
def test_what_is_optional_is_named_with_its_command(run_folder: Path, name: str) -> None:
    Path(f"metrics/{name}.json").unlink()
    assert f"dvc repro {name}" in run_documents(images=False)["report.html"]


def test_a_probe_without_predictions_has_dashes(run_folder: Path) -> None:
    path = Path("metrics/leakage.json")
    content = json.loads(path.read_text())
    content["probe"]["group"] |= {"accuracy": None, "chance": None, "n_answers": 0}
    write_json(path, content)
    row = f'<th scope="row">patient, among those of its class</th><td>0</td><td>{DASH}</td><td>{DASH}</td>'
    assert row in run_documents(images=False)["report.html"]


def test_a_benchmark_without_extras_says_how_to_get_them(bench_folder: Path) -> None:
    Path("metrics/benchmark/extras.json").unlink()
    page = benchmark_documents(images=False)["report.html"]
    for name in ("uncertainty", "robustness", "shift"):
        assert f"with &#39;{name}&#39; set in benchmark/params.yaml" in page


def test_of_several_repeats_their_mean_is_shown_too(bench_folder: Path) -> None:
    about, board = Path("data/benchmark/about.json"), Path("metrics/benchmark/leaderboard.json")
    write_json(about, json.loads(about.read_text()) | {"repeats": 2})
    leaders = json.loads(board.read_text())
    for of in leaders.values():
        of["ensemble"] = {level: {**of[level], "auc": 0.9876} for level in ("image", "patient")}
    write_json(board, leaders)
    texts = benchmark_documents(images=False)
    assert "mean of 2 repeats" in texts["report.html"]
    assert "0.988" in texts["report.html"]
    assert "the mean over 2 repeats" in texts["claim.md"]


@pytest.mark.parametrize(
    "name",
    [
        "metrics/metrics.json",
        "metrics/data_card.md",
        "metrics/restructure.json",
        "models/model.json",
        "data/splits.json",
        "data/manifest.csv",
        "data/predictions/test.csv",
    ],
)
def test_what_every_run_has_is_needed(run_folder: Path, name: str) -> None:
    Path(name).unlink()
    with pytest.raises(UserError, match=f"{name} not found: run 'dvc repro"):
        run_documents(images=True)


@pytest.mark.parametrize("name", ["leaderboard.json", "comparisons.json"])
def test_what_every_benchmark_has_is_needed(bench_folder: Path, name: str) -> None:
    Path("metrics/benchmark", name).unlink()
    with pytest.raises(UserError, match=f"{name} not found: run 'dvc repro"):
        benchmark_documents(images=True)


def test_parameters_of_another_run_are_refused(run_folder: Path) -> None:
    path = Path("models/model.json")
    write_json(path, json.loads(path.read_text()) | {"model": "alexnet"})
    with pytest.raises(UserError, match=r"params.yaml names resnet50v2 on phantom.*alexnet"):
        run_documents(images=True)


def test_leaks_are_said_in_large_letters(run_folder: Path) -> None:
    path = Path("data/splits.json")
    write_json(path, json.loads(path.read_text()) | {"cases_on_both_sides": 4})
    page = run_documents(images=False)["report.html"]
    alarm = page[page.index('class="alarm"') : page.index('class="lead"')]
    assert "PHANTOM" in alarm
    assert "LEAKAGE: 4 cases" in alarm


@pytest.mark.parametrize("kind", ["run_folder", "bench_folder"])
def test_real_data_are_not_called_phantom_and_no_place_is_told(
    kind: str, request: pytest.FixtureRequest, real_data: RealData
) -> None:
    real_data(request.getfixturevalue(kind))
    documents = run_documents if kind == "run_folder" else benchmark_documents
    texts = documents(images=True)
    for text in texts.values():
        assert "PHANTOM" not in text
        assert "/home/someone" not in text
    assert "60 of 7,909 published images" in texts["report.html"]


def test_at_another_time_and_commit_with_other_costs_the_bytes_are_the_same(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_documents(images=True)
    monkeypatch.setattr("time.time", lambda: 1_924_992_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: time.gmtime(1_924_992_000))
    for path in Path().rglob("*"):
        os.utime(path, (1_924_992_000, 1_924_992_000))
    cost = json.loads(COST.read_text())
    write_json(COST, cost | {"training_seconds": 9999.0, "inference_images_per_second": 1.0, "machine": "another"})
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(run_folder.parent))
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert run_documents(images=True) == first
    COST.unlink()
    assert run_documents(images=True) == first


def forget_patients() -> None:
    """Let the files in the current folder be of images whose patients nobody has named."""
    files = [*Path("metrics").glob("*.json"), Path("data/splits.json"), Path("data/benchmark/about.json")]
    for path in filter(Path.exists, files):
        content = json.loads(path.read_text(encoding="utf-8"))
        write_json(path, content | {"note": PATIENTS_UNKNOWN, "patients_known": False})
    for path in Path("metrics/benchmark").glob("*.json"):
        write_json(path, without(json.loads(path.read_text(encoding="utf-8")), ("patient", "n_patients")))


@pytest.mark.parametrize("kind", ["run_folder", "bench_folder"])
def test_where_no_patient_is_known_nothing_is_counted_by_one(kind: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(kind)
    forget_patients()
    if kind == "bench_folder":
        extras = json.loads(Path("metrics/benchmark/extras.json").read_text(encoding="utf-8"))
        extras |= {"uncertainty": {"efficientnetlite": make_uncertainty() | {"note": PATIENTS_UNKNOWN}}, "shift": {}}
        write_json(Path("metrics/benchmark/extras.json"), extras | {"robustness": {}})
    texts = (run_documents if kind == "run_folder" else benchmark_documents)(images=False)
    sentence = f"{capitalise(PATIENTS_UNKNOWN)}."
    assert all(sentence in text for text in texts.values())
    page = re.sub(r"<[^>]+>", " ", texts["report.html"])
    for words in ("by patient", "over patients", "12 patients", "patient c0"):
        assert words not in page, words
    assert "intervals over images" in page
