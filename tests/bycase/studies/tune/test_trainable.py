"""The trainable as Ray calls it, without Ray: crashes, divergence, exploits, and where a killed search goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.studies.tune.trainable import SearchTrial, best_path, read_best
from bycase.studies.tune.trial import Task
from bycase.training.loop import DivergenceError

SETTING = {"learning_rate": 0.01, "head": "none"}


class Bare(SearchTrial):
    """Without what Ray's own class does at the start."""

    def __init__(self, task: Task, member: dict[str, Any]) -> None:
        self.setup({"member": member}, task)


def make(params: Any, waits: bool = False, number: int = 0, **member: Any) -> Bare:
    here = Path.cwd()
    for name in ("states", "best"):
        (here / "work" / name).mkdir(parents=True, exist_ok=True)
    task = Task(here, params, "0", 7, 4, here / "work", 3, waits)
    return Bare(task, {"trial": number, "start": None, **SETTING, **member})


def checkpoint(trial: SearchTrial, name: str) -> str:
    Path(name).mkdir()
    trial.save_checkpoint(name)
    return name


def fail(trial: SearchTrial, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(trial._trial, "train", broken)


def test_results_and_the_best_epochs_predictions(tuned: Any) -> None:
    params, _ = tuned()
    trial = make(params)
    rows = [trial.step() for _ in range(4)]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert [row["done"] for row in rows] == [False, False, False, True]
    best = read_best(best_path(Path("work"), 0))
    assert best.score == max(row["score"] for row in rows) == rows[-1]["best_score"]
    assert best.outer.shape == (len(trial._trial._data.outer_images), 2)
    assert best.inner.shape == (sum(len(inner.val.images) for inner in trial._trial._data.inner), 2)
    assert sorted(path.name for path in Path("work/states").iterdir()) == ["0-2.npz", "0-3.npz", "0-4.npz"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(DivergenceError("training diverged: NaN"), "diverged"), (MemoryError("none\nleft"), "crashed")],
)
def test_a_failure_ends_the_trial_and_is_told(
    tuned: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    params, _ = tuned()
    trial = make(params)
    first = trial.step()
    fail(trial, monkeypatch, error)
    row = trial.step()
    assert (row["status"], row["done"], row["score"]) == (status, True, None)
    assert row["best_score"] == first["score"]
    assert row["monitor_score"] == 0
    assert "\n" not in row["message"]


def test_a_member_that_diverged_waits_and_is_replaced(tuned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    params, _ = tuned()
    donor = make(params, waits=True, number=2)
    donor.step()
    given = checkpoint(donor, "donor")
    ahead = donor.step()

    member = make(params, waits=True, number=1)
    with monkeypatch.context() as patch:
        fail(member, patch, DivergenceError("NaN"))
        row = member.step()
    assert (row["status"], row["monitor_score"], row["done"]) == ("diverged", 0, False)
    own = checkpoint(member, "member")
    member.load_checkpoint(own)
    assert member.step()["status"] == "diverged"

    member.reset_config({"member": {"trial": 1, "start": None, **SETTING}})
    member.load_checkpoint(given)
    row = member.step()
    assert (row["status"], row["donor"], row["epoch"], row["trial"]) == ("running", 2, 2, 1)
    assert row["loss"] == ahead["loss"]
    assert member.step()["donor"] is None


def test_a_killed_trial_tells_its_last_epoch_again_and_goes_on(tuned: Any) -> None:
    params, _ = tuned()
    trial = make(params)
    first, second, third = (trial.step() for _ in range(3))
    again = make(params, start={"state": "0-2.npz", "row": second})
    told = again.step()
    assert {key: told[key] for key in ("epoch", "score", "loss")} == {
        key: second[key] for key in ("epoch", "score", "loss")
    }
    assert again.step()["loss"] == third["loss"]
    assert first["loss"] > third["loss"]


def test_a_lost_state_is_a_crash_not_a_fresh_start(tuned: Any) -> None:
    params, _ = tuned()
    trial = make(params)
    row = trial.step()
    Path("work/states/0-1.npz").unlink()
    again = make(params, start={"state": "0-1.npz", "row": None})
    assert row["status"] == "running"
    assert again.step()["status"] == "crashed"


def test_probabilities_of_the_outer_fold_are_the_networks_mean(tuned: Any) -> None:
    params, _ = tuned()
    trial = make(params)
    trial.step()
    inner, images = trial._trial, trial._trial._data.outer_images
    each = [inner._predict(network, images) for network in inner._networks]
    np.testing.assert_allclose(inner.predict_outer(), (each[0] + each[1]) / 2)
