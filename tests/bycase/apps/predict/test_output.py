import csv
import json
from pathlib import Path

import pytest

from bycase.apps.predict.output import check_output, open_output
from bycase.core.errors import UserError

ROWS = [{"image": 'a "b", c', "p": 0.1234567890123}, {"image": "é\n=x", "p": 1.0}]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_rows_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"out{suffix}"
    with open_output(path) as write:
        write([])
        write(ROWS[:1])
        write(ROWS[1:])
        assert not path.exists()
    text = path.read_text(encoding="utf-8")
    if suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            assert [{**row, "p": float(row["p"])} for row in csv.DictReader(file)] == ROWS
    else:
        assert (json.loads(text) if suffix == ".json" else [json.loads(line) for line in text.splitlines()]) == ROWS
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_interruption_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def interrupted() -> None:
        with open_output(path) as write:
            write(ROWS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_without_a_file_the_table_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with open_output(None) as write:
        write([{"image": "a", "p": 0.5}])
    assert capsys.readouterr().out == "image,p\na,0.5\n"


def test_unusable_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.csv, \.json or \.jsonl"):
        check_output(tmp_path / "out.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        check_output(tmp_path / "folder.csv")
