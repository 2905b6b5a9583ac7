"""Ray: the pure parts, and the whole command on a cluster of two nodes of this machine."""

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bycase.apps.classifier.classifier import Classifier
from bycase.apps.predict import spread as spreading
from bycase.apps.predict.batches import predict_entries
from bycase.apps.predict.sources import find_sources
from bycase.apps.predict.spread import Actor, Task, cut, portion_batches, watched
from bycase.core.errors import UserError
from bycase.core.files import file_digest
from tests.conftest import REPOSITORY
from tests.fixtures import malformed
from tests.fixtures.ray_cluster import ray_cluster

RAW = "data/raw/phantom"


def test_portions_are_whole_batches_and_enough_for_all_actors() -> None:
    assert portion_batches(10, 16, 4) == 1
    assert portion_batches(10_000, 16, 2) == 64
    assert portion_batches(1_000, 16, 2) == 7
    assert [len(portion) for portion in cut(iter([None] * 10), 4)] == [4, 4, 2]  # type: ignore[list-item]


def test_waiting_ends_when_nothing_can_come() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        time.sleep(60)

    looks = iter([True, False, False, True, False, False, False])
    found = []
    with pytest.raises(UserError, match="nodes are lost"):
        found.extend(watched(items(), lambda: next(looks), 0.01))
    assert next(looks, None) is None

    def fails() -> Iterator[int]:
        yield 1
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        list(watched(fails(), lambda: True, 0.01))
    with pytest.raises(UserError, match="nodes are lost"):
        list(watched(fails(), lambda: False, 0.01))

    def stops() -> Iterator[int]:
        yield 1
        raise UserError("node a: no model")

    with pytest.raises(UserError, match="no model"):
        list(watched(stops(), lambda: False))
    assert list(watched(iter([1, 2]), lambda: False)) == [1, 2]


def test_an_actor_gives_the_same_predictions(
    copied: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a node: from another folder, with all that goes there and back pickled."""
    shutil.make_archive("all", "zip", RAW)
    Path(RAW, "bad.png").write_text("no picture")
    inputs = ["all.zip", RAW, "absent.png"]
    expected = list(predict_entries(classifier, find_sources(inputs), 2))
    portions = [pickle.dumps(portion) for portion in cut(find_sources(inputs), 16)]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(spreading, "load_here", lambda task: classifier)
    pa = pytest.importorskip("pyarrow")
    actor = Actor(Task(Path("x"), Path("x"), "x", "keras", 8, 2))
    tables = [table for portion in portions for table in actor(pa.table({"files": [portion]}))]
    found = [pickle.loads(row) for table in tables for row in table["result"].to_pylist()]
    assert len(found) == len(expected) == 13
    for (batch, predictions), (batch_here, predictions_here) in zip(found, expected, strict=True):
        assert (batch.names, batch.notes, batch.failures) == (batch_here.names, batch_here.notes, batch_here.failures)
        assert not batch.images.size
        if predictions_here is None:
            assert predictions is None
            continue
        for column in ("scores", "probabilities", "predicted", "sets", "distance", "unlike", "low", "disagreement"):
            np.testing.assert_array_equal(getattr(predictions, column), getattr(predictions_here, column))


def test_what_is_wrong_on_a_node_comes_back_as_one_line(copied: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("ray")
    model = Path("models/classifier.keras").absolute()
    tasks = {
        "absent.keras not found; put it where every node finds it": Task(
            model.with_name("absent.keras"), copied, "x", "keras", 8, 1
        ),
        "is another file than here": Task(model, copied, "x", "keras", 8, 1),
        "not found: run 'bycase export": Task(model, copied, file_digest(model), "onnx", 8, 1),
    }
    for words, task in tasks.items():
        (table,) = Actor(task)(pa.table({"files": [pickle.dumps([])]}))
        message = pickle.loads(table["result"][0].as_py())
        assert message.startswith("node ")
        assert words in message


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one core each on 127.0.0.1."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with ray_cluster(2) as made:
        yield made


def start(*arguments: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bycase", "predict", *arguments],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "RAY_ADDRESS": "127.0.0.1:1"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def own_lines(text: str) -> list[str]:
    """What the command itself says, but for the cluster, what a network sees here, and the output's name."""
    others = ("of a Ray cluster", " sees ")
    lines = [line for line in text.splitlines() if line.startswith("predict: ")]
    lines = [line for line in lines if not any(words in line for words in others)]
    return [line.replace("b.csv", "a.csv") for line in lines]


@pytest.mark.slow
def test_two_nodes_write_the_same_tables(copied: Path, cluster: Any) -> None:
    Path("mixed").mkdir()
    for name, content in malformed.malformed().items():
        Path("mixed", name).write_bytes(content)
    shutil.make_archive("all", "zip", RAW)
    inputs = ["mixed", RAW, "all.zip", "absent.png", "--batch-size", "8", "--views", "2", "--out"]
    here = start(*inputs, "a.csv")
    said_here = here.communicate(timeout=300)[1]
    there = start(*inputs, "b.csv", "--ray", cluster.address)
    said_there = there.communicate(timeout=300)[1]
    assert (here.returncode, there.returncode) == (2, 2), said_there
    assert own_lines(said_there) == own_lines(said_here)
    assert "2 cores of a Ray cluster, nodes: 2" in said_there
    for name in ("a.csv", "a.patients.csv"):
        assert Path(name.replace("a", "b", 1)).read_bytes() == Path(name).read_bytes()


def write_many(count: int) -> None:
    """A folder of links to a few pictures that take their time to decode."""
    Path("many").mkdir()
    image = np.random.default_rng(0).integers(0, 256, (460, 700, 3), dtype=np.uint8)
    for kind in range(8):
        Image.fromarray(image[kind:] // (kind + 1)).save(f"{kind}.png")
    for n in range(count):
        os.link(f"{n % 8}.png", f"many/{n:04}.png")


def is_busy(cluster: Any) -> bool:
    """Whether an actor on the second node is at work."""
    psutil = pytest.importorskip("psutil")
    raylet = psutil.Process(cluster.others[0].all_processes["raylet"][0].process.pid)
    try:
        return any(".submit" in " ".join(child.cmdline()) for child in raylet.children())
    except psutil.Error:  # one has just ended
        return False


@pytest.mark.slow
def test_a_node_that_is_killed_loses_nothing(copied: Path, cluster: Any) -> None:
    write_many(1_500)
    with Path("a.csv").open("w") as here, Path("b.csv").open("w") as there:
        start("many", stdout=here).communicate(timeout=600)
        run = start("many", "--ray", cluster.address, stdout=there)
        wait_for(lambda: is_busy(cluster) and Path("b.csv").stat().st_size > 0)
        cluster.remove_node(cluster.others[0], allow_graceful=False)
        killed_at = Path("b.csv").stat().st_size
        said = run.communicate(timeout=600)[1]
    assert run.returncode == 0, said
    assert Path("b.csv").read_bytes() == Path("a.csv").read_bytes()
    assert killed_at < Path("a.csv").stat().st_size
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_cluster_that_is_gone_ends_the_command_in_one_line(copied: Path, cluster: Any) -> None:
    write_many(6_000)
    run = start("many", "--out", "a.csv", "--ray", cluster.address)
    wait_for(lambda: is_busy(cluster) and any(Path().glob(".partial-*.csv")))
    cluster.remove_node(cluster.others[0], allow_graceful=False)
    cluster.remove_node(cluster.head_node, allow_graceful=False)
    said = run.communicate(timeout=300)[1]
    assert run.returncode == 1, said
    assert "nodes are lost" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not any(Path().glob("*.csv"))


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
