"""Images of one's own, in folders and by a table, from `bycase inspect` to the report, the benchmark and new images."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from bycase.core.wording import capitalise
from bycase.datasets.phantoms.own import write_folders, write_table
from bycase.tables.manifest import PATIENTS_UNKNOWN
from tests.pipeline.conftest import LIGHT, Project
from tests.pipeline.test_benchmark import set_benchmark

pytestmark = pytest.mark.slow

SIZE: dict[str, Any] = {"cases": 16, "images": 128, "width": 175, "height": 115}
MODELS = ["focal_cnn", "mresnet"]


def add(project: Project, name: str, *options: str) -> str:
    """Let `bycase inspect` write an entry, which is then made small; gives what it printed."""
    printed = project.run("python", "-m", "bycase", "inspect", name, "--write", name, *options).stdout
    project.set_params(**{f"datasets.{name}.image_size": 32, f"datasets.{name}.weights": "random"})
    return printed


@contextmanager
def serving(project: Project) -> Iterator[str]:
    """`bycase serve` while it runs; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "bycase", "serve", "--port", str(port)],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(project.folder)},
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                requests.get(f"{address}/healthz", timeout=5).raise_for_status()
                break
            except requests.ConnectionError:
                assert server.poll() is None
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def ask(project: Project, image: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the served page's API says of the network, and of an image."""
    with serving(project) as address, image.open("rb") as file:
        model = requests.get(f"{address}/api/model", timeout=60).json()
        answer = requests.post(f"{address}/api/predict", files={"images": file}, timeout=60)
    answer.raise_for_status()
    return model, answer.json()["answers"][0]


def test_patients_of_folders_reach_everything(fresh: Project) -> None:
    mine = fresh.folder / "mine"
    mine.mkdir()
    write_folders(mine, **SIZE, seed=7)
    assert "patient     folder level 1: 16, 8 images each" in add(fresh, "mine")
    fresh.set_params(**LIGHT, dataset="mine", **{"datasets.mine.folders.columns": {"lens": r"(\d+)X"}})
    fresh.dvc("repro")

    manifest = pd.read_csv(fresh.folder / "data/manifest.csv", dtype=str)
    assert set(manifest["case"]) == {path.name for path in mine.iterdir()}
    scored = json.loads((fresh.folder / "metrics/metrics.json").read_text(encoding="utf-8"))
    assert "note" not in scored
    assert "lens" in scored["subgroups"]
    leakage = json.loads((fresh.folder / "metrics/leakage.json").read_text(encoding="utf-8"))
    assert (leakage["strictest"], leakage["left_out"]["folder"]) == ("case", "identical to case")

    images = sorted(mine.rglob("*.png"))[:12]
    fresh.run("python", "-m", "bycase", "predict", str(mine), "--out", "predicted.csv")
    predicted = pd.read_csv(fresh.folder / "predicted.csv").set_index("image")["patient"]
    assert len(predicted) == SIZE["images"]
    assert all(predicted[str(image)] == image.parts[-3] for image in images)
    model, answer = ask(fresh, images[0])
    assert model["patients_known"] is True
    assert answer["class"] in ("Benign", "Malignant")


def test_where_a_table_names_no_patients_every_result_says_so(fresh: Project) -> None:
    for name, write, seed in (("mine", write_table, 7), ("other", write_folders, 8)):
        (fresh.folder / name).mkdir()
        write(fresh.folder / name, **SIZE, seed=seed)
    add(fresh, "other")
    assert PATIENTS_UNKNOWN in add(fresh, "mine", "--patient", "none")
    fresh.set_params(**LIGHT, dataset="mine", **{"evaluate.external": "other"})
    fresh.dvc("repro")
    read = {path: path.read_text(encoding="utf-8") for path in fresh.folder.glob("metrics/*.*")}
    results = {path.stem: json.loads(text) for path, text in read.items() if path.suffix == ".json"}
    for name in ("metrics", "leakage", "power", "uncertainty", "robustness", "explain", "external"):
        assert results[name]["note"] == PATIENTS_UNKNOWN, name
    sentence = f"{capitalise(PATIENTS_UNKNOWN)}."
    pages = {path.name: text for path, text in read.items() if path.suffix == ".md"}
    pages["report.html"] = (fresh.folder / "plots/report.html").read_text(encoding="utf-8")
    assert all(sentence in page for page in pages.values())
    # Nothing is counted by a patient that nobody knows.
    assert "by patient" not in pages["report.html"]
    assert "test images of" not in pages["report.html"]
    assert sentence in fresh.run("python", "-m", "bycase.report.summary").stdout
    image = next((fresh.folder / "mine/images").iterdir())
    said = fresh.run("python", "-m", "bycase", "predict", str(image), "--out", "predicted.csv").stderr
    assert PATIENTS_UNKNOWN in said
    assert ask(fresh, image)[0]["patients_known"] is False

    set_benchmark(fresh, models=MODELS, fold=[0, 1], budget={"epochs": 2}, compare={"resamples": 200})
    fresh.run("python", "-m", "bycase", "benchmark", "run", "--jobs", "2")
    board = json.loads((fresh.folder / "metrics/benchmark/leaderboard.json").read_text(encoding="utf-8"))
    assert {name: row["note"] for name, row in board.items()} == dict.fromkeys(MODELS, PATIENTS_UNKNOWN)
    assert not any("patient" in row for row in board.values())
    for name in ("leaderboard.md", "report.html", "model_card.md"):
        assert sentence in (fresh.folder / "metrics/benchmark" / name).read_text(encoding="utf-8"), name
    assert set(pd.read_csv(fresh.folder / "metrics/benchmark/leaderboard.csv")["note"]) == {PATIENTS_UNKNOWN}
