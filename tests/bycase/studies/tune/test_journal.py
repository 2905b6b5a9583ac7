import json
from pathlib import Path
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.studies.tune.journal import VERSION, Journal

ROW: dict[str, Any] = {"trial": 0, "epoch": 1, "loss": 1, "val_loss": 1, "setting": {}, "donor": None}


def test_a_journal_cut_short_by_a_kill_is_read_up_to_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "w", "same")
    journal.add("epoch", **ROW, score=0.5)
    journal.add("epoch", **ROW, score=0.7)
    path = tmp_path / "w/journal.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"event": "epo', encoding="utf-8")
    again = Journal(tmp_path / "w", "same")
    assert [event["event"] for event in again.events] == ["session", "epoch", "session"]
    assert again.best(0)["score"] == 0.5
    assert Journal(tmp_path / "w", "other").of("epoch") == []


def test_a_journal_of_the_time_before_versions_is_completed(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    Journal(folder, "same").add("epoch", **ROW, score=0.5)
    path = folder / "journal.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace(f', "version": {VERSION}', ""), encoding="utf-8")
    assert "version" not in path.read_text(encoding="utf-8")
    assert len(Journal(folder, "same").of("epoch")) == 1
    sessions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if "session" in line]
    assert [event["version"] for event in sessions] == [VERSION, VERSION]


def test_a_version_that_is_not_known_stops_and_keeps_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    Journal(folder, "same")
    path = folder / "journal.jsonl"
    text = path.read_text(encoding="utf-8").replace(f'"version": {VERSION}', '"version": 99')
    path.write_text(text, encoding="utf-8")
    for made_from in ("same", "other"):
        with pytest.raises(UserError, match=r"journal\.jsonl: version 99 of a search's journal") as error:
            Journal(folder, made_from)
        assert "\n" not in str(error.value)
    assert path.read_text(encoding="utf-8") == text
