import os
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.datasets.sources.local import find_source, link_folder, list_files, project_folder

RAW = Path("data/raw")
REAL = Path(__file__).parents[5] / "shared/data/breakhis"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "sub" / "a.png").write_bytes(b"a")
    (folder / ".hidden").write_bytes(b"h")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_folder_becomes_links_to_resolved_files(tmp_path: Path, source: Path, out: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.png").write_bytes(b"b")
    (source / "linked").symlink_to(elsewhere)
    (source / "c.png").symlink_to(elsewhere / "b.png")
    link_folder(source, out)
    links = {file.relative_to(out).as_posix(): file.readlink() for file in list_files(out)}
    assert links == {
        ".hidden": source / ".hidden",
        "c.png": elsewhere / "b.png",
        "linked/b.png": elsewhere / "b.png",
        "sub/a.png": source / "sub/a.png",
    }


def test_copies_where_links_are_not_possible(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "symlink_to", fail)
    link_folder(source, out)
    assert (out / "sub/a.png").read_bytes() == b"a"
    assert not (out / "sub/a.png").is_symlink()


def test_folder_without_files(source: Path, out: Path) -> None:
    with pytest.raises(UserError, match="no files"):
        link_folder(source / "sub" / "empty", out)


@pytest.mark.parametrize("target", ["missing", "broken"])
def test_broken_link_is_not_skipped(source: Path, out: Path, target: str) -> None:
    (source / "broken").symlink_to(target)
    with pytest.raises(UserError, match="broken link"):
        link_folder(source, out)


def test_device_is_not_skipped(source: Path, out: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(UserError, match="pipe"):
        link_folder(source, out)


def test_links_that_go_round(source: Path, out: Path) -> None:
    (source / "sub" / "up").symlink_to(source)
    with pytest.raises(UserError, match="up is a link to a folder above it"):
        link_folder(source, out)


@pytest.mark.parametrize("below", ["", ".dvc/tmp/exps/standalone/tmpabc", ".dvc/tmp/exps/queue/x/sub"])
def test_relative_path_belongs_to_the_outer_project(tmp_path: Path, source: Path, below: str) -> None:
    current = tmp_path / below
    current.mkdir(parents=True, exist_ok=True)
    assert find_source("source", current, RAW) == source


def test_project_folder_of_nested_experiments() -> None:
    inner = Path("/p/.dvc/tmp/exps/a/.dvc/tmp/exps/b")
    assert project_folder(inner) == Path("/p/.dvc/tmp/exps/a")
    assert project_folder(Path("/p/.dvc/tmp/other")) == Path("/p/.dvc/tmp/other")


def test_absolute_path_and_home(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_source(str(source), tmp_path / "project", RAW) == source
    assert find_source("~/source", tmp_path / "project", RAW) == source


def test_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"path 'nowhere' in params\.yaml: .*/nowhere not found"):
        find_source("nowhere", tmp_path, RAW)


@pytest.mark.parametrize("path", ["data/raw", "data/raw/x", "data", "."])
def test_path_that_the_pipeline_empties(tmp_path: Path, path: str) -> None:
    (tmp_path / "data/raw/x").mkdir(parents=True)
    with pytest.raises(UserError, match="overlaps"):
        find_source(path, tmp_path, RAW)


def test_real_folder(out: Path) -> None:
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not on this machine")
    link_folder(REAL, out)
    linked = list(list_files(out))
    assert len(linked) == sum(file.is_file() for file in REAL.rglob("*"))
    assert all(file.is_symlink() and file.readlink().is_relative_to(REAL.resolve()) for file in linked)
