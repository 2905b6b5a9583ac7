"""What has happened in a search, line by line: what an interrupted one goes on from, and what its tables are made of.

Ray's own snapshot of an experiment is taken every few seconds at most and knows nothing of a scheduler's state, so
that after a kill trials would be lost or drawn anew. Optuna's storage holds no sampler's random state (a search that
goes on proposes other trials), leaves a killed trial running for good, and has no place for exploits. Here every event
is a line that is written when it happens:

- ``session``: the search began, or went on; the journal's `version`.
- ``trial``: `trial` was proposed with `setting`.
- ``epoch``: `trial` ended `epoch` with `score`, `loss`, `val_loss` (null where it failed), `setting`, `donor`,
  `status` (running, diverged or crashed) and `message`, `seconds` into the search.
- ``exploit``: `trial` goes on from the state of `donor` at `epoch`, with `setting`.
- ``exchange``: all members have reached `epoch`, and exploits are decided.
- ``restart``: `trial` was begun again after its node or process died.
- ``end``: `trial` ended with `status` and `message`.
- ``run``: the run of this name is over.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError

Event = dict[str, Any]

VERSION = 2  # 1 had none in it


class Journal:
    """The events of one search, on disk.

    Parameters
    ----------
    folder : Path
        The search's work folder; emptied if what is there was made from something else.
    made_from : str
        A digest of all that the search depends on.

    Attributes
    ----------
    events : list of dict
        In order.
    """

    def __init__(self, folder: Path, made_from: str) -> None:
        self._path = folder / "journal.jsonl"
        self.events = complete(_read(self._path), self._path)
        if self.events and self.events[0].get("made_from") != made_from:
            self.events = []
        if not self.events:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        # What a kill cut short is left out.
        self._path.write_text("".join(map(_line, self.events)), encoding="utf-8")
        self._before = max((event.get("seconds", 0.0) for event in self.events), default=0.0)
        self._started = time.monotonic()
        self._epochs = {(event["trial"], event["epoch"]) for event in self.of("epoch")}
        self.add("session", made_from=made_from, version=VERSION)

    def add(self, kind: str, **content: Any) -> None:
        """Write an event; an epoch that is known already, done again after a restart, is not written twice."""
        if kind == "epoch":
            key = content["trial"], content["epoch"]
            if key in self._epochs:
                return
            self._epochs.add(key)
        event = {"event": kind, **content, "seconds": round(self.seconds(), 2)}
        self.events.append(event)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(event))

    def of(self, kind: str) -> list[Event]:
        """All events of a kind."""
        return [event for event in self.events if event["event"] == kind]

    def seconds(self) -> float:
        """Seconds spent in the search, interruptions not counted."""
        return self._before + time.monotonic() - self._started

    def last_epochs(self) -> dict[int, Event]:
        """Each trial's last epoch."""
        return {event["trial"]: event for event in self.of("epoch")}

    def ended(self) -> set[int]:
        """The trials that are over."""
        return {event["trial"] for event in self.of("end")}

    def best(self, trial: int) -> Event | None:
        """A trial's best epoch; None where none has a score."""
        scored = [event for event in self.of("epoch") if event["trial"] == trial and event["score"] is not None]
        return max(scored, key=lambda event: float(event["score"]), default=None)


def complete(events: list[Event], path: Path) -> list[Event]:
    """The events as this version has them; `path` is named in errors.

    Raises
    ------
    UserError
        If the journal is of a version that is not known here.
    """
    for event in events:
        version = event.get("version", 1)
        if version not in range(1, VERSION + 1):
            raise UserError(
                f"{path}: version {version} of a search's journal, of which 1 to {VERSION} are known here; go on with "
                f"the code that wrote it, or remove {path.parent} to search anew"
            )
    return [event | {"version": VERSION} if event["event"] == "session" else event for event in events]


def _read(path: Path) -> list[Event]:
    if not path.is_file():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return events


def _line(event: Event) -> str:
    return json.dumps(event, ensure_ascii=False) + "\n"
