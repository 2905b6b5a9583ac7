"""What Ray tells of trials as they run: into the journal, one line of log a trial."""

import logging
from typing import Any

from ray.tune import Callback

from bycase.studies.tune.journal import Journal
from bycase.studies.tune.params import Run

EPOCH_KEYS = ("trial", "epoch", "score", "loss", "val_loss", "setting", "donor", "status", "message")
LONGEST_REASON = 300


class TrialCallback(Callback):
    """Writes every result of a run down when it comes."""

    def __init__(self, run: Run, journal: Journal) -> None:
        self._run, self._journal = run, journal

    def on_trial_result(self, *_: Any, result: dict[str, Any], **__: Any) -> None:  # type: ignore[override]
        """An epoch."""
        self._journal.add("epoch", **{key: result[key] for key in EPOCH_KEYS})

    def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:  # type: ignore[override]
        """A trial that ended by itself, or was stopped."""
        number = trial.config["member"]["trial"]
        last = self._journal.last_epochs().get(number)
        if last is None:
            self._end(number, "stopped", "")
        elif last["status"] != "running":
            self._end(number, last["status"], last["message"])
        else:
            self._end(number, "finished" if last["epoch"] >= self._run.epochs else "stopped", "")

    def on_trial_recover(self, *_: Any, trial: Any, **__: Any) -> None:  # type: ignore[override]
        """A node or process that died, and whose trial begins again from its last state."""
        self._journal.add("restart", trial=trial.config["member"]["trial"])

    def on_trial_error(self, *_: Any, trial: Any, **__: Any) -> None:  # type: ignore[override]
        """A trial whose process has died too often."""
        self._end(trial.config["member"]["trial"], "lost", f"died {trial.num_failures} times: {_reason(trial)}")

    def _end(self, number: int, status: str, message: str) -> None:
        if number in self._journal.ended():
            return
        self._journal.add("end", trial=number, status=status, message=message)
        best = self._journal.best(number)
        score = f"{abs(best['score']):.4f} in epoch {best['epoch']}" if best else "none"
        done = len([ended for ended in self._journal.ended() if ended in self._run.numbers])
        logging.info(
            "%s %d of %d: trial %d %s, best score %s%s",
            self._run.algorithm,
            done,
            self._run.trials,
            number,
            status,
            score,
            f" ({message})" if message else "",
        )


def _reason(trial: Any) -> str:
    """The last line of what Ray says of a failed trial."""
    lines = [line.strip() for line in str(trial.get_error() or "").splitlines() if line.strip()]
    return lines[-1][:LONGEST_REASON] if lines else "no reason is known"
