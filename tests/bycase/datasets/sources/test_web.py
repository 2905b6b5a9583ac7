"""An archive from a web address: a server on 127.0.0.1 that breaks off, refuses, changes and lies."""

import hashlib
import io
import logging
import os
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.datasets.sources import web as module
from bycase.datasets.sources.web import Wanted, download
from stages.download import main
from tests.fixtures.web import Web

RAW = Path("data/raw/breakhis")
NAME = "/databases/BreaKHis_v1.tar.gz"
Start = Callable[[], "Popen[str]"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)


@pytest.fixture(scope="module")
def packed() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as opened:
        info = tarfile.TarInfo("BreaKHis_v1/a.png")
        info.size = 400_000
        opened.addfile(info, io.BytesIO(os.urandom(info.size)))
    return content.getvalue()


@pytest.fixture
def wanted(web: Web, packed: bytes) -> Wanted:
    web.files[NAME] = packed
    return Wanted(web.address + NAME, hashlib.sha256(packed).hexdigest())


def test_stage_unpacks_and_removes_the_archive_and_tells_an_unknown_checksum(
    configure: Any, start_stage: Start, wanted: Wanted
) -> None:
    configure(source="url", url=wanted.url)
    process = start_stage()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    warning, last = errors.splitlines()
    assert warning.startswith(f"download: {wanted.url} was not checked: sha256 is null; it has sha256 {wanted.sha256}")
    assert last == "download: data/raw/breakhis: 1 files, 0.4 MB (source: url)"
    assert (RAW / "BreaKHis_v1/a.png").stat().st_size == 400_000
    assert not [path for path in Path("data/download").rglob("*") if path.name.startswith("archive")]


def test_a_checksum_that_is_met_is_no_news(configure: Any, wanted: Wanted, caplog: pytest.LogCaptureFixture) -> None:
    configure(source="url", url=wanted.url, sha256=str(wanted.sha256).upper())
    main()
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert RAW.is_dir()


def test_an_interrupted_transfer_resumes_where_it_broke(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes
) -> None:
    web.breaks_after = 150_000
    archive = download(wanted, tmp_path)
    assert archive.read_bytes() == packed
    spans = [int(request.split("bytes=")[1].rstrip("-")) for request in web.requests[1:]]
    assert len(spans) >= 2
    assert spans == sorted(set(spans))
    assert spans[0] > 0


def test_an_interrupted_run_is_continued_by_the_next(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.breaks_after = 150_000
    with monkeypatch.context() as patch:
        patch.setattr(module, "ATTEMPTS", 1)
        patch.setattr(module.time, "sleep", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            download(wanted, tmp_path)
    begun = next(tmp_path.rglob("partial")).stat().st_size
    assert begun > 0
    web.breaks_after = None
    web.requests.clear()
    assert download(wanted, tmp_path).read_bytes() == packed
    assert web.requests == [f"GET {NAME} bytes={begun}-"]


def begin(wanted: Wanted, folder: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Download some of a file."""
    web.breaks_after = 150_000
    with monkeypatch.context() as patch:
        patch.setattr(module.time, "sleep", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            download(wanted, folder)
    web.breaks_after = None


def test_more_than_the_file_has_is_thrown_away(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.names_version = False
    shorter = packed[:50_000]
    again = Wanted(wanted.url, hashlib.sha256(shorter).hexdigest())
    begin(again, tmp_path, web, monkeypatch)
    assert next(tmp_path.rglob("partial")).stat().st_size > len(shorter)
    web.files[NAME] = shorter
    assert download(again, tmp_path).read_bytes() == shorter
    assert web.requests[-1] == f"GET {NAME}"


def test_another_range_than_asked_for_is_refused(
    tmp_path: Path, web: Web, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(wanted, tmp_path, web, monkeypatch)
    web.shift = 7
    with pytest.raises(UserError, match="the server sent another range than asked for"):
        download(wanted, tmp_path)


@pytest.mark.parametrize("changed", ["knows no ranges", "another file"])
def test_what_cannot_be_continued_begins_anew(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchecked = Wanted(wanted.url, None)
    begin(unchecked, tmp_path, web, monkeypatch)
    other = packed[:-1] + b"?"
    web.knows_ranges = changed == "another file"
    web.files[NAME] = other if changed == "another file" else packed
    assert download(unchecked, tmp_path).read_bytes() == web.files[NAME]


@pytest.mark.parametrize("checked", [True, False])
def test_a_file_whose_version_is_not_named_is_continued_only_under_a_checksum(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes, checked: bool
) -> None:
    web.names_version, web.breaks_after = False, 300_000
    asked = Wanted(wanted.url, wanted.sha256 if checked else None)
    if checked:
        assert download(asked, tmp_path).read_bytes() == packed
    else:
        with pytest.raises(UserError, match="the connection broke"):
            download(asked, tmp_path)
        assert not any("bytes=" in request for request in web.requests)


def test_a_whole_file_that_was_not_yet_named_is_not_fetched_again(
    tmp_path: Path, web: Web, wanted: Wanted, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_name_by_kind", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            download(wanted, tmp_path)
    assert download(wanted, tmp_path).read_bytes() == packed
    assert web.requests[1:] == [f"GET {NAME} bytes={len(packed)}-"]


def test_a_wrong_checksum_is_said_with_both_values_and_the_file_removed(
    configure: Any, start_stage: Start, wanted: Wanted
) -> None:
    configure(source="url", url=wanted.url, sha256="0" * 64)
    process = start_stage()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert f"has sha256 {wanted.sha256}, not {'0' * 64} as params.yaml says" in errors
    assert not RAW.exists()
    assert not list(Path("data/download").rglob("archive*"))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, r"127\.0\.0\.1 has no .*BreaKHis_v1\.tar\.gz \(404\): correct url in params\.yaml"),
        (403, "forbids access .*download it by hand"),
        (503, "HTTP status 503 .*try again later"),
    ],
)
def test_refusals_are_told_apart_in_one_line(
    configure: Any, start_stage: Start, web: Web, wanted: Wanted, status: int, message: str
) -> None:
    configure(source="url", url=f"{wanted.url}?signature=secret")
    web.refusal = status
    process = start_stage()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.count("\n")) == (1, 1)
    assert "secret" not in errors
    assert "Traceback" not in errors
    assert re.search(message, errors)


def test_without_network(tmp_path: Path, web: Web) -> None:
    message = r"a\.zip cannot be reached, or the connection broke \(ConnectionError\).*source: local"
    with pytest.raises(UserError, match=message) as caught:
        download(Wanted("http://127.0.0.1:1/a.zip?token=secret", None), tmp_path)
    assert "secret" not in str(caught.value)


def test_kind_is_read_from_the_file_and_a_page_is_told_from_an_archive(tmp_path: Path, web: Web) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("a", b"a")
    web.files = {"/records/1/content": content.getvalue(), "/a.zip": b"<!DOCTYPE html><html>Sign in", "/b.zip": b"text"}
    assert download(Wanted(f"{web.address}/records/1/content", None), tmp_path).name == "archive.zip"
    for name, what in (("/a.zip", "is a web page"), ("/b.zip", "is no archive")):
        with pytest.raises(UserError, match=f"{name} {what}: give the address"):
            download(Wanted(web.address + name, None), tmp_path)
    assert not list(tmp_path.rglob("partial"))


def test_damaged_archive_is_removed(configure: Any, web: Web, wanted: Wanted, packed: bytes) -> None:
    web.files[NAME] = packed[:200_000]
    configure(source="url", url=wanted.url)
    with pytest.raises(UserError, match="is damaged .*it has been removed, so run again"):
        main()
    assert not RAW.exists()
    assert not list(Path("data/download").rglob("archive*"))
