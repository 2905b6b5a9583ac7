"""What is read of large files and long archives."""

import shutil
from pathlib import Path

import pytest

from bycase.datasets.inspect import found as module
from bycase.datasets.inspect.found import find

from .conftest import Look, Write, write_table


def test_of_large_files_both_ends_are_compared(tmp_path: Path) -> None:
    content = bytes(module.WHOLE + 1)
    for name, each in (
        ("a.png", content),
        ("b.png", content),
        ("c.png", content[:-1] + b"x"),
        ("d.png", b"x" + content[1:]),
    ):
        (tmp_path / name).write_bytes(each)
    with find(tmp_path) as found:
        digests = [found.digest(Path(name)) for name in ("a.png", "b.png", "c.png", "d.png")]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_of_a_long_archive_evenly_spread_pictures_are_kept(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE", 4)
    place = write(f"{i:02}.png" for i in range(40))
    archive = Path(shutil.make_archive(str(tmp_path / "all"), "tar", place))
    with find(archive) as found:
        numbers = sorted(int(path.stem) for path in found.sample)
        assert len(found.sizes) == 40
        assert all(found.read(path) == (place / path).read_bytes() for path in found.sample)
    assert 4 <= len(numbers) < 8
    assert max(numbers) - min(numbers) >= 20


def test_a_table_in_an_archive_is_read(write: Write, look: Look, tmp_path: Path) -> None:
    place = write(f"{i}.png" for i in range(12))
    write_table(place, "t.csv", [["image", "label"], *([i, "ab"[i % 2]] for i in range(12))])
    archive = Path(shutil.make_archive(str(tmp_path / "all"), "gztar", place))
    assert (
        look(archive).entry["table"]
        == look(place).entry["table"]
        == {"file": "t.csv", "image": "image", "label": "label"}
    )
