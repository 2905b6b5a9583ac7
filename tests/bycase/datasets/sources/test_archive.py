import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.datasets.sources import archive as archive_module
from bycase.datasets.sources.archive import (
    DamagedArchiveError,
    Member,
    RefusedError,
    check_members,
    unpack,
    write_exactly,
)

CONTENT = {
    "BreaKHis_v1/benign/SOB_B_A-14-22549AB-40-001.png": os.urandom(70_000),
    "BreaKHis_v1/benign/.DS_Store": b"",
    "__MACOSX/ä.png": b"x" * 10,
    f"deep/{'long' * 40}/name.png": b"y",
}

Names = dict[str, bytes]


def write_zip(path: Path, content: Names) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in content.items():
            opened.writestr(name, data)
    return path


def write_tar(path: Path, content: Names) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as opened:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def write_tar_member(path: Path, name: str, kind: bytes, target: str = "") -> Path:
    with tarfile.open(path, "w:gz") as opened:
        info = tarfile.TarInfo(name)
        info.type = kind
        info.linkname = target
        opened.addfile(info)
    return path


def write_zip_symlink(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        info = zipfile.ZipInfo("evil")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    return path


def write_encrypted_zip(path: Path) -> Path:
    data = bytearray(write_zip(path, {"evil": b"secret"}).read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    return path


def write_lying_zip(path: Path, declared: int, content: bytes) -> Path:
    """A zip whose only member declares another size than it has, in both places."""
    data = bytearray(write_zip(path, {"evil": content}).read_bytes())
    struct.pack_into("<L", data, 22, declared)
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, declared)
    path.write_bytes(data)
    return path


def read_tree(folder: Path) -> Names:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "a" / "b" / "out"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.zip", write_zip), ("a.tar", write_tar), ("a.tar.gz", write_tar), ("a.TGZ", write_tar)],
)
def test_everything_is_unpacked(tmp_path: Path, out: Path, name: str, write: Callable[[Path, Names], Path]) -> None:
    unpack(write(tmp_path / name, CONTENT), out, 1)
    assert read_tree(out) == CONTENT


def test_folders_and_permissions(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as opened:
        for name, kind in (("./", tarfile.DIRTYPE), ("./empty", tarfile.DIRTYPE), ("./file", tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = 0o7000
            opened.addfile(info)
    unpack(path, out, 1)
    assert (out / "empty").is_dir()
    mode = stat.S_IMODE((out / "file").stat().st_mode)
    assert mode & 0o600 == 0o600
    assert not mode & 0o7111


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zip upwards": (lambda folder: write_zip(folder / "a.zip", {"a/../../evil": b""}), "outside"),
    "zip upwards, Windows": (lambda folder: write_zip(folder / "a.zip", {"a\\..\\..\\evil": b""}), "outside"),
    "zip absolute": (lambda folder: write_zip(folder / "a.zip", {"/tmp/evil": b""}), "outside"),
    "zip drive": (lambda folder: write_zip(folder / "a.zip", {"C:evil": b""}), "outside"),
    "zip symlink": (lambda folder: write_zip_symlink(folder / "a.zip"), "link"),
    "zip encrypted": (lambda folder: write_encrypted_zip(folder / "a.zip"), "encrypted"),
    "zip same names": (lambda folder: write_zip(folder / "a.zip", {"x/evil": b"", "X/EVIL": b""}), "overwrite"),
    "zip same composed": (lambda folder: write_zip(folder / "a.zip", {"evilä": b"", "evila\u0308": b""}), "overwrite"),
    "zip file and folder": (lambda folder: write_zip(folder / "a.zip", {"evil": b"", "Evil/x": b""}), "overwrite"),
    "zip folder and file": (lambda folder: write_zip(folder / "a.zip", {"Evil/x": b"", "evil": b""}), "overwrite"),
    "tar upwards": (lambda folder: write_tar(folder / "a.tgz", {"../evil": b""}), "outside"),
    "tar absolute": (lambda folder: write_tar(folder / "a.tgz", {"/evil": b""}), "outside"),
    "tar same names": (lambda folder: write_tar(folder / "a.tgz", {"evil": b"1", "EVIL": b"2"}), "overwrite"),
    "symlink out": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.SYMTYPE, "../../x"), "link"),
    "symlink absolute": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.SYMTYPE, "/etc"), "link"),
    "symlink inside": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.SYMTYPE, "x"), "link"),
    "hard link out": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.LNKTYPE, "../../x"), "link"),
    "hard link inside": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.LNKTYPE, "x"), "link"),
    "device": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.CHRTYPE), "special"),
    "pipe": (lambda folder: write_tar_member(folder / "a.tgz", "evil", tarfile.FIFOTYPE), "special"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_member_is_named(tmp_path: Path, out: Path, case: str) -> None:
    write, reason = REFUSED[case]
    path = write(tmp_path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=f"(?i)(evil.*{reason}|{reason}.*evil)") as caught:
        unpack(path, out, 1)
    assert str(path) in str(caught.value)
    assert not isinstance(caught.value, DamagedArchiveError)
    new = set(tmp_path.rglob("*")) - before
    assert all(place.is_relative_to(out) and not place.is_symlink() for place in new)


def test_declared_sizes_are_limited(tmp_path: Path, out: Path) -> None:
    for path in (
        write_zip(tmp_path / "a.zip", {"a": bytes(600), "b": bytes(600)}),
        write_tar(tmp_path / "a.tgz", {"a": bytes(600), "b": bytes(600)}),
    ):
        with pytest.raises(UserError, match="max_unpacked_gb"):
            unpack(path, out, 1e-6)
    unpack(write_zip(tmp_path / "b.zip", {"c": bytes(600)}), out, 1e-6)


def test_bomb_with_lying_size_writes_no_more_than_declared(tmp_path: Path, out: Path) -> None:
    bomb = write_lying_zip(tmp_path / "a.zip", 10, bytes(5_000_000))
    with pytest.raises(UserError):
        unpack(bomb, out, 1e-6)
    assert sum(map(len, read_tree(out).values())) <= 10


def test_member_shorter_than_declared(tmp_path: Path, out: Path) -> None:
    with pytest.raises(DamagedArchiveError, match="shorter"):
        unpack(write_lying_zip(tmp_path / "a.zip", 100, b"short"), out, 1)


def test_write_exactly_stops_at_the_declared_size() -> None:
    written = io.BytesIO()
    member = Member("evil", 10, False, io.BytesIO)
    with pytest.raises(RefusedError, match="longer than the 10 bytes"):
        write_exactly(io.BytesIO(bytes(1000)), written, member)
    assert len(written.getvalue()) <= 10


def test_number_of_members_is_limited(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 3)
    with pytest.raises(UserError, match="more than 3 members"):
        unpack(write_zip(tmp_path / "a.zip", {str(number): b"" for number in range(4)}), out, 1)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize(("name", "write"), [("a.zip", write_zip), ("a.tar.gz", write_tar), ("a.tar", write_tar)])
def test_truncated_archive(
    tmp_path: Path, out: Path, name: str, write: Callable[[Path, Names], Path], share: float
) -> None:
    path = write(tmp_path / name, {f"{number}.png": os.urandom(5000) for number in range(20)})
    end = path.stat().st_size if path.suffix != ".tar" else 20 * (512 + 5120)  # the rest is padding
    os.truncate(path, int(end * share))
    with pytest.raises(DamagedArchiveError, match="damaged"):
        unpack(path, out, 1)


def test_tar_cut_between_members(tmp_path: Path, out: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": bytes(512), "b": bytes(512)})
    os.truncate(path, 1024)
    with pytest.raises(DamagedArchiveError):
        unpack(path, out, 1)


def test_tar_with_a_bad_header_in_the_middle(tmp_path: Path, out: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": bytes(512), "b": bytes(512)})
    data = bytearray(path.read_bytes())
    data[1024] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedArchiveError, match="checksum"):
        unpack(path, out, 1)


@pytest.mark.parametrize(("kind", "size"), [(tarfile.REGTYPE, -1024), (tarfile.GNUTYPE_LONGNAME, 1 << 40)])
def test_tar_header_with_an_impossible_size(tmp_path: Path, out: Path, kind: bytes, size: int) -> None:
    info = tarfile.TarInfo("evil")
    info.type = kind
    info.size = size
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(DamagedArchiveError, match=f"size {size}"):
        unpack(path, out, 1)


@pytest.mark.parametrize(("name", "write"), [("a.zip", write_zip), ("a.tar.gz", write_tar)])
def test_flipped_byte(tmp_path: Path, out: Path, name: str, write: Callable[[Path, Names], Path]) -> None:
    path = write(tmp_path / name, {"a.png": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    data[2500] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedArchiveError):
        unpack(path, out, 1)


def test_zip_directory_that_swallows_members(tmp_path: Path, out: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"1", "b": b"2", "c": b"3"})
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    third = data.index(b"PK\1\2", second + 1)
    struct.pack_into("<H", data, second + 32, len(data) - 22 - third)  # a comment as long as the third entry
    path.write_bytes(data)
    with pytest.raises(DamagedArchiveError, match="missing"):
        unpack(path, out, 1)


@pytest.mark.parametrize(("name", "write"), [("a.zip", write_zip), ("a.tar", write_tar)])
def test_empty_archive(tmp_path: Path, out: Path, name: str, write: Callable[[Path, Names], Path]) -> None:
    with pytest.raises(UserError, match="holds no files"):
        unpack(write(tmp_path / name, {}), out, 1)


def test_compression_that_cannot_be_read_is_no_damage(tmp_path: Path, out: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    for place in (8, data.index(b"PK\1\2") + 10):
        struct.pack_into("<H", data, place, 9)  # Deflate64, as Windows writes large files
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.zip cannot be read: .*compression.*; unpack it yourself") as caught:
        unpack(path, out, 1)
    assert not isinstance(caught.value, DamagedArchiveError)


def test_tar_with_more_behind_its_end(tmp_path: Path, out: Path) -> None:
    path = write_tar(tmp_path / "a.tar", CONTENT)
    with path.open("ab") as file:
        file.write(bytes(2 << 20))
    with pytest.raises(DamagedArchiveError, match="more data after its end"):
        unpack(path, out, 1)


def test_a_negative_size_does_not_make_room_for_more() -> None:
    members = [Member("evil", -1000, False, io.BytesIO), Member("large", 1500, False, io.BytesIO)]
    with pytest.raises(RefusedError, match="member 'evil' declares a negative size"):
        list(check_members(members, 1000))


def test_a_file_without_a_name_is_refused(tmp_path: Path, out: Path) -> None:
    with pytest.raises(UserError, match=r"a\.zip is refused: member '\.' has no name"):
        unpack(write_zip(tmp_path / "a.zip", {".": b"1"}), out, 1)


def test_unknown_kind_of_archive(tmp_path: Path, out: Path) -> None:
    with pytest.raises(UserError, match=r"\.zip, \.tar"):
        unpack(tmp_path / "a.rar", out, 1)


def test_full_disk_is_not_taken_for_damage(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_module, "write_exactly", fail)
    with pytest.raises(OSError, match="No space left"):
        unpack(write_zip(tmp_path / "a.zip", CONTENT), out, 1)
