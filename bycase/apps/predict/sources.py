"""The files that a command line names: single ones, folders, patterns and zip archives, one after the other.

Archives come from anybody: their pictures are read one by one into memory, and nothing is unpacked to disk.
"""

import glob
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from bycase.datasets.sources.archive import MAX_MEMBERS, Member, RefusedError, split_name, write_exactly
from bycase.images.formats import IMAGE_SUFFIXES, why_not
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
class Source:
    """A file that should be a picture; `read` gives its content, or raises `PictureError` or an OSError.

    It can be pickled, and then reads wherever the file lies at the same absolute path.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Failure:
    """A file, folder or archive that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Skipped:
    """A file of a folder or an archive that is no picture by its name."""

    name: str


Entry = Source | Failure | Skipped


def printable(name: str) -> str:
    """A name that can be written as UTF-8, and on a terminal, in one line: other characters are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def find_sources(inputs: Sequence[str]) -> Iterator[Entry]:
    """List what the inputs name, in their order, and by name within each; nothing is read or unpacked yet.

    Parameters
    ----------
    inputs : sequence of str
        Files of any suffix, ``.zip`` archives, folders with all that is below them, and patterns (``*``, ``?``, ``[]``,
        ``**``). Links are followed where they are named here, and refused inside folders.

    Yields
    ------
    Source, Failure or Skipped
        Names are paths as given; those in an archive follow its own.
    """
    for given in inputs:
        if os.path.lexists(given):
            yield from _find(given)
            continue
        # Path.glob takes no absolute pattern.
        matches = sorted(glob.iglob(given, recursive=True)) if glob.has_magic(given) else []  # noqa: PTH207
        if not matches:
            reason = "the pattern matches nothing" if glob.has_magic(given) else "no such file or folder"
            yield Failure(printable(given), reason)
        folders: set[Path] = set()
        for match in map(Path, matches):
            # A folder comes before what is in it, which a pattern with ** matches once more.
            if folders.isdisjoint(match.parents):
                yield from _find(str(match))
            if match.is_dir():
                folders.add(match)


def _find(given: str) -> Iterator[Entry]:
    path = Path(given)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield Failure(printable(given), error.strerror or "cannot be read")
        return
    if stat.S_ISDIR(mode):
        yield from _find_below(path)
    elif stat.S_ISREG(mode) and path.suffix.lower() == ".zip":
        yield from find_members(path)
    elif reason := why_not(path):
        yield Failure(printable(given), reason)
    else:
        yield Source(printable(given), partial(read_file, path.absolute()))


def _find_below(top: Path) -> Iterator[Entry]:
    """Everything below a folder, sorted; hidden names and what systems put into folders is left out."""
    pending, any_image = [top], False
    while pending:
        path = pending.pop()
        name = printable(path.as_posix())
        if path != top and path.is_symlink():
            yield Failure(name, "a symbolic link, which is not followed")
        elif path.is_dir():
            try:
                inside = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - a hundred thousand paths take more memory
            except OSError as error:
                yield Failure(name, error.strerror or "cannot be read")
                continue
            pending += [path / entry for entry in inside if not entry.startswith((".", "__MACOSX"))]
        elif path.suffix.lower() not in IMAGE_SUFFIXES:
            yield Skipped(name)
        else:
            any_image = True
            yield Source(name, partial(read_file, path.absolute()))
    if not any_image:
        yield Failure(printable(top.as_posix()), "a folder without images")


def read_file(path: Path) -> bytes:
    """A plain file's content; raises `PictureError` if it is none or larger than `MAX_BYTES`, or an OSError."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise PictureError("no plain file")
    if about.st_size > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES / 1e6:.0f} MB")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


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


def find_members(path: Path) -> Iterator[Entry]:
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
    any_image = False
    for member in members:
        inside = f"{name}/{printable(member.filename)}"
        if member.filename.lower().endswith(".zip"):
            yield Failure(inside, "an archive within an archive, which is not opened")
        elif Path(member.filename).suffix.lower() not in IMAGE_SUFFIXES:
            yield Skipped(inside)
        else:
            any_image = True
            yield Source(inside, partial(_read, archive, member))
    if not any_image:
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
