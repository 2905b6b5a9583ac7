import gzip
import json
from pathlib import Path

import pytest

from bycase.apps.publish.copy import (
    BENCHMARK,
    LABEL_EFFICIENCY,
    PREDICTIONS,
    RUN,
    SHOW_IMAGES,
    TUNING,
    publish_benchmark,
    publish_run,
    publish_tuning,
)
from bycase.apps.publish.table import make_table
from bycase.core.errors import UserError
from bycase.studies.benchmark.cell import Cell
from bycase.studies.tune.outcome.methods import SETTINGS
from bycase.studies.tune.place import FOLDS

DOCUMENTS = {"report.html": "page", "model_card.md": "card"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run and a finished benchmark in the current folder; the report's own tests make real pages."""
    monkeypatch.chdir(tmp_path)
    for name in ("run_documents", "benchmark_documents"):
        monkeypatch.setattr(
            f"bycase.apps.publish.copy.{name}",
            lambda images: {**DOCUMENTS, "report.html": "images" if images else "page"},
        )
    monkeypatch.setattr("bycase.apps.publish.copy.refuse_stale", lambda pipeline, command: None)
    for name in ("load_params", "load_benchmark_params", "load_tuning_params", "comparable_settings", "keep_settings"):
        monkeypatch.setattr(f"bycase.apps.publish.copy.{name}", lambda *_: None)
    monkeypatch.setattr("bycase.apps.publish.copy.find_stale", lambda *_: None)
    contents = {
        "models/model.json": {"model": "resnet50v2", "weights": "random", "dataset": "phantom", "phantom": True},
        "data/splits.json": {"protocol": "fractions", "group": "image", "seed": 3, "cases_on_both_sides": 12},
        "metrics/metrics.json": {
            level: {
                "n": 40,
                "n_patients": 9,
                "auc": 0.75,
                "accuracy": 0.7,
                "baseline": {"accuracy": 0.625},
                "ci": {name: {"low": 0.5, "high": 0.875} for name in ("auc", "accuracy")},
            }
            for level in ("image", "patient")
        },
    }
    for name in (*RUN.values(), *BENCHMARK.values(), *TUNING.values(), PREDICTIONS, str(SETTINGS), str(FOLDS)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(json.dumps(contents.get(name, {"of": name})), encoding="utf-8")
    figures = ("model/roc.png", "leakage.png", "power.png", "model/predictions.png", "benchmark/pareto.png")
    for name in (*figures, *SHOW_IMAGES):
        path = tmp_path / "plots" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"png")
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_is_kept_with_its_figures_but_without_images_of_the_data_set(project: Path) -> None:
    folder = publish_run("a-run")
    assert names(folder) == {*RUN, *DOCUMENTS, "roc.png", "leakage.png", "power.png"}
    assert (folder / "report.html").read_text() == "page"


def test_a_benchmark_is_kept_with_both_locks_and_its_predictions(project: Path) -> None:
    folder = publish_benchmark("b")
    assert names(folder) == {*BENCHMARK, *DOCUMENTS, "pareto.png", "leakage.png", "power.png", "predictions.csv.gz"}
    assert json.loads((folder / "dvc.lock").read_text()) == {"of": "dvc.lock"}
    assert json.loads((folder / "benchmark-dvc.lock").read_text()) == {"of": "benchmark/dvc.lock"}
    packed = (folder / "predictions.csv.gz").read_bytes()
    assert json.loads(gzip.decompress(packed)) == {"of": PREDICTIONS}
    assert (publish_benchmark("c") / "predictions.csv.gz").read_bytes() == packed


def test_label_efficiency_is_kept_with_a_benchmark_of_the_same_data_alone(project: Path) -> None:
    (project / "data/benchmark/about.json").write_text('{"version": 1, "dataset": "phantom"}', encoding="utf-8")
    for place in LABEL_EFFICIENCY.values():
        (project / place).write_text("dataset,value\nphantom,1\n", encoding="utf-8")
    assert names(publish_benchmark("b")) >= set(LABEL_EFFICIENCY)
    assert not names(publish_run("r")) & set(LABEL_EFFICIENCY)
    (project / "metrics/label_efficiency.csv").write_text("dataset,value\nbusi,1\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"is of busi and the benchmark of phantom: run 'bycase benchmark --patients"):
        publish_benchmark("b")
    (project / "metrics/label_efficiency.csv").write_text("dataset,value\nphantom,1\n", encoding="utf-8")
    (project / "plots/label_efficiency.png").unlink()
    with pytest.raises(UserError, match=r"label_efficiency.png not found: run 'bycase benchmark --patients"):
        publish_benchmark("b")


def test_results_of_other_settings_are_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers beside a params.yaml that would not give them."""
    asked: list[tuple[str, ...]] = []

    def refuse(*given: str) -> None:
        asked.append(given)
        raise UserError("stage train has not been run as things are now")

    for name in ("refuse_stale", "keep_settings"):
        monkeypatch.setattr(f"bycase.apps.publish.copy.{name}", refuse)
    for publish in (publish_run, publish_benchmark, publish_tuning):
        with pytest.raises(UserError, match="has not been run as things are now"):
            publish("a")
    assert asked[:2] == [("dvc.yaml", "dvc repro"), ("benchmark/dvc.yaml", "bycase benchmark run")]
    assert not (project / "results").exists()


def test_label_efficiency_of_other_settings_is_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "data/benchmark/about.json").write_text('{"version": 1, "dataset": "phantom"}', encoding="utf-8")
    for place in LABEL_EFFICIENCY.values():
        (project / place).write_text("dataset,value\nphantom,1\n", encoding="utf-8")
    monkeypatch.setattr("bycase.apps.publish.copy.find_stale", lambda *_: Cell("vgg16", 0, 3, patients=5))
    with pytest.raises(UserError, match=r"vgg16.* has not been run with the settings as they are: run 'bycase bench"):
        publish_benchmark("b")
    assert not (project / "results").exists()


def test_a_comparison_of_ways_to_tune_is_kept(project: Path) -> None:
    folder = publish_tuning("t")
    assert names(folder) == set(TUNING)
    assert json.loads((folder / "tuning-params.yaml").read_text()) == {"of": "tuning/params.yaml"}
    (project / "metrics/tuning_methods.md").unlink()
    with pytest.raises(UserError, match="tuning_methods.md not found: run 'bycase tune methods' first"):
        publish_tuning("t")
    assert names(folder) == set(TUNING)


def test_publishing_again_replaces_the_run(project: Path) -> None:
    publish_run("a-run")
    (project / "plots/model/roc.png").unlink()
    assert not (publish_run("a-run") / "roc.png").exists()


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a b"])
def test_a_bad_name_is_refused(project: Path, name: str) -> None:
    for publish in (publish_run, publish_benchmark, publish_tuning):
        with pytest.raises(UserError, match="no name for a run"):
            publish(name)


def test_an_unfinished_run_is_refused(project: Path) -> None:
    (project / "metrics/metrics.json").unlink()
    with pytest.raises(UserError, match="metrics/metrics.json not found: run 'dvc repro' first"):
        publish_run("a-run")
    (project / PREDICTIONS).unlink()
    with pytest.raises(UserError, match=r"predictions.csv not found: run 'bycase benchmark run' first"):
        publish_benchmark("b")
    assert not (project / "results").exists()


def test_the_table_says_phantom_and_leak(project: Path) -> None:
    publish_run("a-run")
    row = make_table().splitlines()[-1]
    for cell in (
        "resnet50v2, random",
        "phantom (phantom)",
        "by image",
        "40 (9)",
        "| 12 |",
        "0.750 (0.500 to 0.875)",
        "0.625",
    ):
        assert cell in row
