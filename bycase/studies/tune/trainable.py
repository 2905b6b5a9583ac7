"""A trial as Ray Tune runs it: one step is one epoch of all inner folds.

A configuration holds one key, ``member``: the trial's number, its setting, and where an interrupted search goes on.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import tune

from bycase.core.files import replace_file, write_json
from bycase.core.seeding import make_deterministic
from bycase.studies.tune.params import HYPERPARAMETERS
from bycase.studies.tune.trial import Task, Trial
from bycase.training.loop import DivergenceError

POINTER = "state.json"
FAILED = ("diverged", "crashed")
LOWEST_SCORE = {"loss": -1e6}  # what a failed epoch counts as; of all other scores, which are shares, 0


@dataclass(frozen=True)
class Best:
    """What a trial's best epoch has reached.

    Attributes
    ----------
    score : float
        The inner one.
    outer, inner : ndarray of shape (n_images, n_classes), float64
        Probabilities of the outer fold's images, and of the inner folds' one after the other.
    """

    score: float
    outer: NDArray[np.float64]
    inner: NDArray[np.float64]


def state_path(folder: Path, trial: int, epoch: int) -> Path:
    """Where the state of a trial after an epoch is."""
    return folder / "states" / f"{trial}-{epoch}.npz"


def best_path(folder: Path, trial: int) -> Path:
    """Where the predictions of a trial's best epoch are."""
    return folder / "best" / f"{trial}.npz"


class SearchTrial(tune.Trainable):
    """Trains one setting after the other; TensorFlow is loaded once, however many trials an actor runs."""

    def setup(self, config: dict[str, Any], task: Task | None = None) -> None:
        """Load data and take up the first setting."""
        assert task is not None
        # Stages read and write below the current folder.
        os.chdir(task.project)
        make_deterministic(task.params.seed, task.params.train.precision)
        self._task = task
        self._trial = Trial(task)
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take up another setting in the same process."""
        self._begin(new_config)
        return True

    def _begin(self, config: dict[str, Any]) -> None:
        member = config["member"]
        self._number: int = member["trial"]
        self._setting = {key: member[key] for key in HYPERPARAMETERS if key in member}
        self._epoch, self._status, self._message = 0, "running", ""
        self._donor: int | None = None
        self._again: dict[str, Any] | None = None
        self._best = _best_score(best_path(self._task.folder, self._number))
        start = member.get("start")
        if start and start["state"]:
            self._load(self._task.folder / "states" / start["state"])
        elif not start:
            self._attempt(lambda: self._trial.begin(self._setting))
        if start and start["row"]:
            # The scheduler and the searcher of the new session have not seen it.
            row = self._again = start["row"]
            self._epoch, self._status, self._message = row["epoch"], row["status"], row["message"]

    def step(self) -> dict[str, Any]:
        """Train an epoch; a failure becomes part of the result, so that the search goes on."""
        if self._again is not None:
            row, self._again = self._again, None
            return self._result({key: row[key] for key in ("score", "loss", "val_loss")}, row["donor"])
        row = dict.fromkeys(("score", "loss", "val_loss"))
        if self._status not in FAILED:
            row = self._attempt(self._train) or row
        self._epoch += 1
        donor, self._donor = self._donor, None
        return self._result(row, donor)

    def _train(self) -> dict[str, float]:
        row = self._trial.train()
        folder = self._task.folder
        if row["score"] > self._best:
            self._best = row["score"]
            if self._task.outer != "final":
                outer, inner = self._trial.predict_outer(), self._trial.predicted_inner()
                _write_best(best_path(folder, self._number), Best(row["score"], outer, inner))
        epoch = self._trial.epoch
        self._trial.save(state_path(folder, self._number, epoch), {"trial": self._number})
        state_path(folder, self._number, epoch - self._task.kept).unlink(missing_ok=True)
        return row

    def _attempt(self, action: Any) -> Any:
        """What `action` gives; None, and the reason kept, if it fails."""
        try:
            return action()
        except DivergenceError as error:
            self._status, self._message = "diverged", _one_line(error)
        # Whatever it is, the other trials can go on without this one.
        except Exception as error:
            self._status, self._message = "crashed", f"{type(error).__name__}: {_one_line(error)}"
        return None

    def _result(self, row: dict[str, Any], donor: int | None) -> dict[str, Any]:
        lowest = LOWEST_SCORE.get(self._task.params.train.monitor, 0.0)
        failed = self._status in FAILED
        return {
            **row,
            "trial": self._number,
            "epoch": self._epoch,
            "setting": self._setting,
            "donor": donor,
            "status": self._status,
            "message": self._message,
            "monitor_score": lowest if row["score"] is None else row["score"],
            "best_score": self._best if np.isfinite(self._best) else lowest,
            "done": self._epoch >= self._task.epochs or (failed and not self._task.waits),
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Point to the state, which lies on storage that all nodes share."""
        state = None if self._status in FAILED else state_path(Path(), self._number, self._epoch).name
        content = {"state": state, "epoch": self._epoch, "status": self._status, "message": self._message}
        write_json(Path(checkpoint_dir) / POINTER, content)

    def load_checkpoint(self, checkpoint_dir: str) -> None:  # type: ignore[override]
        """Go on from a state, this trial's own or another's."""
        pointer = json.loads((Path(checkpoint_dir) / POINTER).read_text(encoding="utf-8"))
        self._again = None
        self._epoch, self._status, self._message = pointer["epoch"], pointer["status"], pointer["message"]
        if pointer["state"]:
            self._load(self._task.folder / "states" / pointer["state"])

    def _load(self, path: Path) -> None:
        state = self._attempt(lambda: self._trial.load(path, self._setting))
        if state is None:
            return
        # The architecture is that of the state.
        self._setting = dict(self._trial.setting)
        self._epoch, self._status, self._message = state["epoch"], "running", ""
        self._donor = state["trial"] if state["trial"] != self._number else None


def read_best(path: Path) -> Best:
    """The predictions of a trial's best epoch."""
    with np.load(path) as stored:
        return Best(float(stored["score"]), stored["outer"], stored["inner"])


def _best_score(path: Path) -> float:
    return read_best(path).score if path.is_file() else float("-inf")


def _write_best(path: Path, best: Best) -> None:
    with replace_file(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, score=np.array(best.score), outer=best.outer, inner=best.inner)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
