"""Whole searches on Ray: files, every algorithm, a kill in the middle, a node that dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.studies.tune.search import run_search
from tests.fixtures.ray_cluster import ray_cluster

ROOT = Path(__file__).parents[4]


def search(outer: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bycase.studies.tune.stages.search", outer],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_epochs(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    for _ in range(12_000):
        if path.is_file() and path.read_text(encoding="utf-8").count('"event": "epoch"') >= count:
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    raise AssertionError("no epochs came")


def tables(outer: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = Path("data/tuning/searches") / outer
    return pd.read_csv(folder / "trials.csv", keep_default_na=False), pd.read_csv(folder / "epochs.csv")


def test_a_search_writes_its_folder(tuned: Any) -> None:
    params, tuning = tuned(tuning={"budget": {"trials": 3, "epochs": 2, "minutes": None}})
    target = Path("data/tuning/searches/0")
    run_search(params, tuning, "0", target, Path("data/tuning/work/0"))
    trials, epochs = tables("0")
    assert trials["trial"].tolist() == [0, 1, 2]
    assert (trials["status"] == "finished").all()
    assert epochs["spent"].tolist() == [1, 2, 3, 4, 5, 6]
    about = json.loads((target / "about.json").read_text(encoding="utf-8"))
    assert (about["epochs_spent"], about["resumed"], about["statuses"]["finished"]) == (6, 0, 3)
    winner = json.loads((target / "winner.json").read_text(encoding="utf-8"))
    assert winner["score"] == trials["score"].astype(float).max()
    predictions = pd.read_csv(target / "predictions.csv")
    assert predictions.columns.tolist() == ["image", "label", "case", "group", "Benign", "Malignant"]
    inner = pd.read_csv(target / "predictions_inner.csv")
    assert inner.columns.tolist() == ["image", "label", "case", "group", "fold", "Benign", "Malignant"]
    assert not set(inner["image"]) & set(predictions["image"])
    aucs = [roc_auc_score(rows["label"] == "Malignant", rows["Malignant"]) for _, rows in inner.groupby("fold")]
    assert winner["score"] == pytest.approx(np.mean(aucs))  # what the search has gone by
    assert {path.name for path in target.glob("predictions_default*")} == {
        "predictions_default.csv",
        "predictions_default_inner.csv",
    }
    assert not Path("data/tuning/work/0").exists()


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["bayesian", "pbt", "bayesian+pbt"])
def test_a_killed_search_goes_on_and_ends_as_one_never_killed(tuned: Any, algorithm: str) -> None:
    budget = {"trials": 8, "epochs": 4, "minutes": None}
    population = {"members": 4, "interval": 2, "quantile": 0.25, "resample_probability": 0.25, "bayesian_share": 0.5}
    tuned(tuning={"algorithm": algorithm, "budget": budget, "population": population})
    whole = search("0")
    output, _ = whole.communicate()
    assert whole.returncode == 0, output
    assert "Warning" not in output
    assert all(line.startswith("tune search: ") for line in output.splitlines()), output
    expected = tables("0")
    killed = search("0")
    wait_for_epochs(Path("data/tuning/work/0/journal.jsonl"), 19, killed)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    done = Path("data/tuning/work/0/journal.jsonl").read_text(encoding="utf-8").count('"event": "epoch"')
    assert done >= 19
    resumed = search("0")
    output, _ = resumed.communicate()
    assert resumed.returncode == 0, output
    for table, again in zip(expected, tables("0"), strict=True):
        pd.testing.assert_frame_equal(table, again)
    about = json.loads(Path("data/tuning/searches/0/about.json").read_text(encoding="utf-8"))
    assert about["resumed"] == 1


@pytest.mark.slow
def test_minutes_stop_a_search_and_asha_stops_trials(tuned: Any) -> None:
    params, tuning = tuned(tuning={"budget": {"trials": 12, "epochs": 9, "minutes": None}, "early_stopping": "asha"})
    run_search(params, tuning, "final", Path("data/tuning/searches/final"), Path("data/tuning/work/final"))
    trials, _ = tables("final")
    assert set(trials["status"]) == {"finished", "stopped"}
    short = tuning.model_copy(update={"budget": tuning.budget.model_copy(update={"trials": 500, "minutes": 1.5})})
    run_search(params, short, "final", Path("data/tuning/searches/final"), Path("data/tuning/work/final"))
    trials, _ = tables("final")
    assert 0 < len(trials) < 500


@contextmanager
def search_on(cluster: Any, n_epochs: int) -> Iterator[subprocess.Popen[str]]:
    """A search with outer fold 1 on a cluster, once its trials have done so many epochs."""
    process = search("1", RAY_ADDRESS=cluster.address)
    try:
        wait_for_epochs(Path("data/tuning/work/1/journal.jsonl"), n_epochs, process)
        yield process
    finally:
        process.kill()


@pytest.mark.slow
def test_a_node_that_dies_in_the_middle_loses_no_trial(tuned: Any) -> None:
    tuned(tuning={"workers": 2, "budget": {"trials": 6, "epochs": 40, "minutes": None}})
    with ray_cluster(2) as cluster, search_on(cluster, n_epochs=30) as process:
        cluster.remove_node(cluster.others[0], allow_graceful=False)
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    trials, epochs = tables("1")
    assert trials["trial"].tolist() == list(range(6))
    assert (trials["status"] == "finished").all()
    assert trials["restarts"].sum() >= 1
    assert (epochs.groupby("trial")["epoch"].apply(list).map(lambda done: done == list(range(1, 41)))).all()
    about = json.loads(Path("data/tuning/searches/1/about.json").read_text(encoding="utf-8"))
    assert about["nodes"] == 2


@pytest.mark.slow
def test_a_cluster_that_is_gone_ends_the_search_in_one_line(tuned: Any) -> None:
    tuned(tuning={"budget": {"trials": 6, "epochs": 40, "minutes": None}})
    with ray_cluster(1) as cluster, search_on(cluster, n_epochs=1) as process:
        cluster.remove_node(cluster.head_node, allow_graceful=False)
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 1, output
    assert "nodes are lost" in output.splitlines()[-1]
    assert "Traceback" not in output
    assert not Path("data/tuning/searches/1").exists()
