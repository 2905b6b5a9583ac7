import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.files import file_digest, replace_file, replace_folder, write_csv, write_json


def test_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.csv"
    with replace_file(target) as partial:
        partial.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o644


def test_hard_link_to_the_old_file_keeps_its_content(tmp_path: Path) -> None:
    # DVC's cache may hold such links.
    target, cached = tmp_path / "a.csv", tmp_path / "cached"
    target.write_text("old")
    cached.hardlink_to(target)
    with replace_file(target) as partial:
        partial.write_text("new")
    assert (target.read_text(), cached.read_text()) == ("new", "old")


def test_temporary_name_keeps_all_suffixes(tmp_path: Path) -> None:
    with replace_file(tmp_path / "last.weights.h5") as partial:
        assert partial.name.endswith(".weights.h5")


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("before", ["old", None])
def test_failed_write_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, before: str | None, stop: type[BaseException]
) -> None:
    target = tmp_path / "a.csv"
    if before is not None:
        target.write_text(before)

    def write_and_stop() -> None:
        with replace_file(target) as partial:
            partial.write_text("new")
            raise stop

    with pytest.raises(stop):
        write_and_stop()
    assert [path.read_text() for path in tmp_path.iterdir()] == ([before] if before else [])


def test_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    (target / "deep").mkdir(parents=True)
    (target / "deep" / "old.txt").touch()
    with replace_folder(target) as partial:
        (partial / "new.txt").touch()
        assert (target / "deep" / "old.txt").exists()
    assert [path.name for path in target.iterdir()] == ["new.txt"]
    assert list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("before", [True, False])
def test_failed_folder_keeps_the_old_one_and_leaves_nothing(tmp_path: Path, before: bool) -> None:
    target = tmp_path / "out"
    if before:
        target.mkdir()
        (target / "old.txt").touch()

    def fill_and_stop() -> None:
        with replace_folder(target) as partial:
            (partial / "new.txt").touch()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fill_and_stop()
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["old.txt", "out"] if before else [])


def test_old_folder_is_never_seen_half_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.txt").touch()
    seen = []
    monkeypatch.setattr(
        "bycase.core.files.shutil.rmtree", lambda *_, **__: seen.append([path.name for path in target.iterdir()])
    )
    with replace_folder(target) as partial:
        (partial / "new.txt").touch()
    assert seen
    assert all(names == ["new.txt"] for names in seen)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), {"a": [1.0, float("nan")]}])
def test_json_refuses_what_is_no_number_and_keeps_the_old_file(tmp_path: Path, bad: object) -> None:
    target = tmp_path / "metrics.json"
    write_json(target, {"auc": 0.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(target, bad)
    assert json.loads(target.read_text()) == {"auc": 0.5}
    assert list(tmp_path.iterdir()) == [target]


def test_json_keeps_the_order_of_keys_and_unicode(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"z": 1, "a": "Größe"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "z": 1,\n  "a": "Größe"\n}\n'


def test_csv_keeps_every_digit_and_ends_lines_with_lf(tmp_path: Path) -> None:
    values = np.array([0.1, 1 / 3, 1e-17, 123456789.123456789])
    write_csv(tmp_path / "a.csv", pd.DataFrame({"p": values, "name": ["a,b", "c", "d", "e"]}, index=[3, 2, 1, 0]))
    text = (tmp_path / "a.csv").read_bytes()
    assert b"\r" not in text
    assert text.startswith(b'p,name\n0.1,"a,b"\n')
    read = pd.read_csv(tmp_path / "a.csv", float_precision="round_trip")
    assert read["p"].tolist() == values.tolist()


def test_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_two_writers_of_one_folder_leave_the_last_ones_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with replace_folder(target) as first:
        (first / "first.txt").touch()
        with replace_folder(target) as second:
            (second / "second.txt").touch()
        assert [path.name for path in target.iterdir()] == ["second.txt"]
    assert [path.name for path in target.iterdir()] == ["first.txt"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("replace", "kind"), [(replace_folder, "folder"), (replace_file, "file")])
def test_what_a_killed_process_left_is_removed_and_what_a_running_one_fills_is_kept(
    tmp_path: Path, replace: Callable[[Path], AbstractContextManager[Path]], kind: str
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = f".partial-[out].csv-{ended.pid}-abc.csv"
    filled = f".partial-[out].csv-{os.getppid()}-abc.csv"
    of_another = f".partial-other.csv-{ended.pid}-abc.csv"
    for name in (left, filled, of_another):
        if kind == "folder":
            (tmp_path / name).mkdir()
            (tmp_path / name / "1.png").touch()
        else:
            (tmp_path / name).touch()
    with replace(tmp_path / "[out].csv"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([filled, of_another, "[out].csv"])
