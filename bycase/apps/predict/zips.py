"""Pictures in a zip archive that nobody has vouched for, read one by one into memory; nothing is unpacked to disk."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from bycase.apps.predict.found import Failure, Found, Skipped, Source, printable
from bycase.datasets.layouts.listing import IMAGE_SUFFIXES
from bycase.datasets.sources.archive import MAX_MEMBERS, Member, RefusedError, split_name, write_exactly
from bycase.images.pictures import MAX_BYTES, PictureError

MAX_UNPACKED = 100_000_000_000  # bytes
_ENCRYPTED = 0x1  # bit of a member's flags, APPNOTE 4.4.4
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


@dataclass(frozen=True)
class _Archive:
    """An archive, which its members share; where it is unpickled, it is opened anew."""

    path: Path

    @cached_property
    def opened(self) -> zipfile.ZipFile:
        """Closed with the last member."""
        return zipfile.ZipFile(self.path)

    def __getstate__(self) -> dict[str, Path]:
        return {"path": self.path}


def find_members(path: Path) -> Iterator[Found]:
    """The pictures in an archive, by name; or, where anything speaks against it, one failure for the whole of it.

    Refused are names that lead outside, more than `bycase.datasets.sources.archive.MAX_MEMBERS` members, and more than
    `MAX_UNPACKED` in all. Archives in it are not opened.
    """
    name, archive = printable(path.as_posix()), _Archive(path.absolute())
    try:
        members = _check(archive.opened)
    except RefusedError as error:
        yield Failure(name, f"refused: {printable(str(error))}")
        return
    except _DAMAGE as error:
        yield Failure(name, f"no zip archive, or damaged ({printable(str(error))[:150]})")
        return
    found = False
    for member in members:
        inside = f"{name}/{printable(member.filename)}"
        if member.filename.lower().endswith(".zip"):
            yield Failure(inside, "an archive within an archive, which is not opened")
        elif Path(member.filename).suffix.lower() not in IMAGE_SUFFIXES:
            yield Skipped(inside)
        else:
            found = True
            yield Source(inside, partial(_read, archive, member))
    if not found:
        yield Failure(name, "an archive without images")


def _check(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The plain files of an archive, sorted by name, without what systems hide."""
    members = opened.infolist()
    if len(members) > MAX_MEMBERS:
        raise RefusedError(f"it has more than {MAX_MEMBERS} members")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise RefusedError(f"it unpacks to more than {MAX_UNPACKED / 1e9:g} GB")
    kept = []
    for member in members:
        parts = split_name(member.filename)
        if not member.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in parts):
            kept.append(member)
    return sorted(kept, key=lambda member: member.filename)


def _read(archive: _Archive, member: zipfile.ZipInfo) -> bytes:
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise PictureError("a link or a device")
    if member.flag_bits & _ENCRYPTED:
        raise PictureError("encrypted")
    if member.file_size > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES / 1e6:.0f} MB")
    content = io.BytesIO()
    try:
        again = partial(archive.opened.open, member)
        with again() as source:
            write_exactly(source, content, Member(member.filename, member.file_size, False, again))
    except (*_DAMAGE, RefusedError) as error:
        raise PictureError(f"damaged in the archive ({printable(str(error))[:150]})") from None
    return content.getvalue()
