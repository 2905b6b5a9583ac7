import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from bycase.apps.predict import sources
from bycase.apps.predict.sources import Entry, Failure, Skipped, Source, find_sources, printable
from bycase.images.pictures import PictureError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())


def write_zip(path: str, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, name)


def find(*inputs: str) -> list[Entry]:
    return list(find_sources(inputs))


def names(found: list[Entry]) -> list[str]:
    assert all(isinstance(one, Source) for one in found), found
    return [one.name for one in found]


def failures(found: list[Entry]) -> dict[str, str]:
    return {one.name: one.reason for one in found if isinstance(one, Failure)}


def contents(found: list[Entry]) -> list[bytes]:
    return [one.read() for one in found if isinstance(one, Source)]


def test_a_folder_gives_its_pictures_sorted_with_all_below() -> None:
    write("f/b.png", "f/a/z.JPG", "f/c.webp", "f/note.txt", "f/.hidden/x.png", "f/__MACOSX/y.png", "f/.z.png")
    found = find("f")
    assert names([one for one in found if not isinstance(one, Skipped)]) == ["f/a/z.JPG", "f/b.png", "f/c.webp"]
    assert [one.name for one in found if isinstance(one, Skipped)] == ["f/note.txt"]
    assert contents(found) == [b"f/a/z.JPG", b"f/b.png", b"f/c.webp"]


def test_inputs_keep_their_order_and_single_files_any_suffix() -> None:
    write("z.png", "a.scan", "f/b.png")
    assert names(find("z.png", "f", "a.scan")) == ["z.png", "f/b.png", "a.scan"]


def test_patterns() -> None:
    write("f/b.png", "f/a.png", "f/sub/c.png", "[1].png")
    assert names(find("f/*.png")) == ["f/a.png", "f/b.png"]
    assert names(find("f/**")) == ["f/a.png", "f/b.png", "f/sub/c.png"]
    assert names(find("f/*/*.png")) == ["f/sub/c.png"]
    assert names(find("[1].png")) == ["[1].png"]
    assert failures(find("f/*.gif")) == {"f/*.gif": "the pattern matches nothing"}


def test_what_is_not_there_and_what_is_empty() -> None:
    Path("empty").mkdir()
    write("texts/a.txt")
    Path("broken.png").symlink_to("nowhere")
    found = failures(find("absent.png", "empty", "texts", "broken.png"))
    assert found == {
        "absent.png": "no such file or folder",
        "empty": "a folder without images",
        "texts": "a folder without images",
        "broken.png": "No such file or directory",
    }


def test_links_are_followed_where_named_and_refused_inside_folders() -> None:
    write("f/a.png", "outside/b.png")
    Path("f/link.png").symlink_to("../outside/b.png")
    Path("f/loop").symlink_to("..")
    found = find("f")
    assert failures(found) == dict.fromkeys(("f/link.png", "f/loop"), "a symbolic link, which is not followed")
    assert names([one for one in found if isinstance(one, Source)]) == ["f/a.png"]
    assert contents(find("f/link.png")) == [b"outside/b.png"]


def test_devices_and_pipes_are_never_opened() -> None:
    os.mkfifo("pipe.png")
    for name in ("pipe.png", "/dev/zero"):
        (source,) = find(name)
        assert isinstance(source, Source)
        with pytest.raises(PictureError, match="no plain file"):
            source.read()


def test_a_folder_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write("f/a/x.png", "f/b.png")
    listdir = os.listdir

    def refuse(path: Path) -> list[str]:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    found = find("f")
    assert failures(found) == {"f/a": "Permission denied"}
    assert [one.name for one in found if isinstance(one, Source)] == ["f/b.png"]


def test_names_are_one_printable_line() -> None:
    Path("f").mkdir()
    Path(os.fsdecode(b"f/\xff\n\x1b[31m.png")).write_bytes(b"x")
    (source,) = find("f")
    assert source.name == "f/\\xff\\n\\x1b[31m.png"
    assert contents([source]) == [b"x"]
    assert printable("höch/日本.png") == "höch/日本.png"


def test_an_archives_pictures_by_name() -> None:
    write_zip("a.zip", "z.png", "f/b.jpg", "note.txt", "__MACOSX/q.png", ".h.png")
    found = find("a.zip")
    assert [one.name for one in found if isinstance(one, Source)] == ["a.zip/f/b.jpg", "a.zip/z.png"]
    assert contents(found) == [b"f/b.jpg", b"z.png"]
    assert [one.name for one in found if isinstance(one, Skipped)] == ["a.zip/note.txt"]
    assert sorted(path.name for path in Path().iterdir()) == ["a.zip"]


@pytest.mark.parametrize("name", ["../x.png", "/etc/x.png", "C:\\x.png", "a\\..\\..\\x.png"])
def test_an_archive_with_a_name_that_leads_outside_is_refused(name: str) -> None:
    write_zip("a.zip", "good.png", name)
    ((_, reason),) = failures(find("a.zip")).items()
    assert reason.startswith("refused: member")
    assert contents(find("a.zip")) == []


def test_archives_within_archives_are_not_opened() -> None:
    write_zip("a.zip", "good.png", "inner.ZIP")
    assert failures(find("a.zip")) == {"a.zip/inner.ZIP": "an archive within an archive, which is not opened"}
    assert len(contents(find("a.zip"))) == 1


def test_damaged_archives() -> None:
    write("text.zip")
    Path("empty.zip").write_bytes(b"")
    write_zip("none.zip")
    write_zip("texts.zip", "a.txt")
    write_zip("cut.zip", "a.png")
    Path("cut.zip").write_bytes(Path("cut.zip").read_bytes()[:-10])
    found = failures(find("text.zip", "empty.zip", "none.zip", "texts.zip", "cut.zip"))
    assert {name: reason[:15] for name, reason in found.items()} == {
        "text.zip": "no zip archive,",
        "empty.zip": "no zip archive,",
        "none.zip": "an archive with",
        "texts.zip": "an archive with",
        "cut.zip": "no zip archive,",
    }


def only_failure(path: str) -> str:
    (source,) = [one for one in find(path) if isinstance(one, Source)]
    with pytest.raises(PictureError) as caught:
        source.read()
    return str(caught.value)


def test_members_that_cannot_be_read() -> None:
    write_zip("crc.zip", "a.png")
    content = Path("crc.zip").read_bytes()
    Path("crc.zip").write_bytes(content.replace(b"a.pnga.png", b"a.pngX.png", 1))
    assert only_failure("crc.zip").startswith("damaged in the archive (Bad CRC-32")

    flagged = bytearray(content)
    flagged[content.index(b"PK\1\2") + 8] |= 1
    Path("secret.zip").write_bytes(flagged)
    assert only_failure("secret.zip") == "encrypted"

    method = bytearray(content)
    struct.pack_into("<H", method, content.index(b"PK\1\2") + 10, 99)
    Path("method.zip").write_bytes(method)
    assert only_failure("method.zip").startswith("damaged in the archive")

    with zipfile.ZipFile("link.zip", "w") as opened:
        info = zipfile.ZipInfo("a.png")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    assert only_failure("link.zip") == "a link or a device"


def test_bombs_are_refused_by_what_they_declare(monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip("a.zip", "a.png", "b.png")
    monkeypatch.setattr(sources, "MAX_BYTES", 4)
    assert [isinstance(one, Source) for one in find("a.zip")] == [True, True]
    source = find("a.zip")[0]
    assert isinstance(source, Source)
    with pytest.raises(PictureError, match="larger than"):
        source.read()
    monkeypatch.setattr(sources, "MAX_UNPACKED", 9)
    assert "unpacks to more than" in failures(find("a.zip"))["a.zip"]
    monkeypatch.setattr(sources, "MAX_MEMBERS", 1)
    assert "more than 1 members" in failures(find("a.zip"))["a.zip"]


def test_a_bomb_that_declares_less_than_it_holds() -> None:
    with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(10_000_000))
    content = bytearray(Path("a.zip").read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 100)
    Path("a.zip").write_bytes(content)
    assert "damaged in the archive" in only_failure("a.zip")


def test_large_files_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bycase.apps.predict.sources.MAX_BYTES", 3)
    write("a.png")
    assert "larger than" in only_failure("a.png")
