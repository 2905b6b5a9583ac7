"""Unpacking an archive that nobody has vouched for.

Only plain files and folders are accepted, below the target and with names that are distinct on every
file system. Everything else is refused with the member's name: absolute names and ``..``, links,
devices, encrypted members, more bytes than allowed. Nothing of the publisher's is left out
(``__MACOSX`` and ``.DS_Store`` stay), but owners, permissions and times are not taken over.
"""

import errno
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import IO, Self, cast

from tqdm import tqdm

from bycase.core.errors import UserError
from bycase.core.expressions import composed

MAX_MEMBERS = 500_000
_CHUNK = 1 << 20
_MAX_TAR_HEADER = 1 << 20  # long names are read into memory whole
_MAX_TAR_PADDING = 1 << 20  # zeros after the end mark; tar writes 10 KiB at most
_OWN_RISK = "unpack it yourself, if you trust it, and give the folder as path in params.yaml"
_ZIP_ENCRYPTED = 0x1  # bit of a member's flags, APPNOTE 4.4.4
_ZIP64 = 0xFFFF  # stands for a number that is in the 64-bit end record
_ZIP_END_RECORD = 22 + 0xFFFF  # bytes, with the longest comment

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    ValueError,  # numbers and names that do not parse
)


class DamagedArchiveError(UserError):
    """An archive that is cut short or whose content fails its check sums."""


class RefusedError(Exception):
    """Why an archive is not unpacked."""


@contextmanager
def removed_after_use(archive: Path) -> Iterator[None]:
    """Remove a downloaded archive when the block ends well or finds it damaged; else it stays, to be used again.

    Raises
    ------
    UserError
        If it is damaged.
    """
    try:
        yield
    except DamagedArchiveError as error:
        archive.unlink()
        raise UserError(f"{error}; it has been removed, so run again") from error
    archive.unlink()


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Attributes
    ----------
    name : str
        As the archive has it.
    size : int
        Unpacked size that the archive declares, in bytes.
    is_folder : bool
        Whether this is a folder; a plain file otherwise.
    open : callable
        Gives the file's content as a binary stream.
    """

    name: str
    size: int
    is_folder: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, max_unpacked_gb: float) -> None:
    """Unpack a zip or tar archive.

    Check sums are verified while the content is written, so `folder` is good only if this returns;
    the caller throws it away otherwise.

    Parameters
    ----------
    archive : Path
        A ``.zip``, ``.tar``, ``.tar.gz`` or ``.tgz`` file.
    folder : Path
        An existing empty folder.
    max_unpacked_gb : float
        Largest unpacked size to accept, in GB (10**9 bytes).

    Raises
    ------
    DamagedArchiveError
        If the archive is cut short or fails a check sum.
    UserError
        If the archive is of another kind, holds no file, or holds what is refused.

    References
    ----------
    Path traversal: CWE-22. Zip bombs: D. Fifield, "A better zip bomb", WOOT 2019. Filters for tar: PEP 706.
    """
    name = archive.name.lower()
    if name.endswith(".zip"):
        unpack_kind = _unpack_zip
    elif name.endswith((".tar", ".tar.gz", ".tgz")):
        unpack_kind = _unpack_tar
    else:
        raise UserError(f"{archive} is no archive of a known kind; give a folder or a .zip, .tar, .tar.gz or .tgz file")
    try:
        unpack_kind(archive, folder, int(max_unpacked_gb * 1e9))
    except RefusedError as error:
        raise UserError(f"{archive} is refused: {error}") from None
    except NotImplementedError as error:
        raise UserError(f"{archive} cannot be read: {error}; {_OWN_RISK}") from None
    except (*_DAMAGE, OSError) as error:
        # gzip and bz2 report bad data as an OSError without a number, and zipfile seeks to where bad data
        # says. Other numbers are the disk's fault.
        if isinstance(error, OSError) and (error.filename or error.errno not in (None, errno.EINVAL)):
            raise
        raise DamagedArchiveError(f"{archive} is damaged ({error}) and must be downloaded again") from error


def _unpack_zip(archive: Path, folder: Path, max_bytes: int) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = list(check_members(_zip_members(opened), max_bytes))
        # zipfile reads the directory by its length in bytes; bad lengths in it make it skip members.
        if _count_in_end_record(archive) not in (len(opened.infolist()) & _ZIP64, _ZIP64):
            raise zipfile.BadZipFile("members are missing from its directory")
        for member, parts in tqdm(members, desc=f"unpack {archive.name}", unit="file", disable=None):
            _write(member, folder.joinpath(*parts))


def _count_in_end_record(archive: Path) -> int:
    """Read how many members a zip file says it has, modulo 65536 (APPNOTE 4.3.16)."""
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - _ZIP_END_RECORD))
        tail = file.read()
    count: int = struct.unpack_from("<H", tail, tail.rfind(b"PK\5\6") + 10)[0]
    return count


def _unpack_tar(archive: Path, folder: Path, max_bytes: int) -> None:
    """Unpack in one pass, since going back in a compressed stream means reading it again."""
    size = archive.stat().st_size
    with (
        archive.open("rb") as file,
        tqdm.wrapattr(file, "read", total=size, desc=f"unpack {archive.name}", disable=None) as counted,
    ):
        stream = cast(IO[bytes], counted)
        if archive.suffix.lower() != ".tar":
            # Unlike tarfile's own "r|gz", this verifies the stream's length and check sum at its end.
            stream = cast(IO[bytes], gzip.GzipFile(mode="rb", fileobj=stream))
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as opened:
            for member, parts in check_members(_tar_members(opened, folder), max_bytes):
                _write(member, folder.joinpath(*parts))
        if len(stream.read(_MAX_TAR_PADDING + 1)) > _MAX_TAR_PADDING:
            raise tarfile.ReadError("more data after its end")


def check_members(members: Iterable[Member], max_bytes: int) -> Iterator[tuple[Member, tuple[str, ...]]]:
    """Give each member with the parts of its path, as long as nothing speaks against it.

    Parameters
    ----------
    members : iterable of Member
        In the archive's order.
    max_bytes : int
        Largest sum of declared sizes to accept.

    Yields
    ------
    tuple of (Member, tuple of str)
        The member and where it goes, below the target folder.

    Raises
    ------
    RefusedError
        If a name leads outside or clashes with another, or a limit is passed.
    """
    total = 0
    taken: dict[str, tuple[str, bool]] = {}
    for count, member in enumerate(members, start=1):
        if count > MAX_MEMBERS:
            raise RefusedError(f"it has more than {MAX_MEMBERS} members")
        if member.size < 0:
            raise RefusedError(f"member {member.name!r} declares a negative size")
        total += member.size
        if total > max_bytes:
            raise RefusedError(
                f"it unpacks to more than {max_bytes / 1e9:g} GB; raise max_unpacked_gb in params.yaml if you trust it"
            )
        parts = split_name(member.name)
        _take_name(member, parts, taken)
        yield member, parts
    if all(is_folder for _, is_folder in taken.values()):
        raise RefusedError("it holds no files")


def _take_name(member: Member, parts: tuple[str, ...], taken: dict[str, tuple[str, bool]]) -> None:
    """Enter a member's path and the folders above it in `taken`; only folders may be there already."""
    if not parts and not member.is_folder:
        raise RefusedError(f"member {member.name!r} has no name")
    for depth in range(1, len(parts) + 1):
        # Equal for names that some file system takes for equal: case and Unicode composition aside.
        key = composed("/".join(parts[:depth])).casefold()
        entry = member.name, depth < len(parts) or member.is_folder
        earlier = taken.setdefault(key, entry)
        if earlier is not entry and not (earlier[1] and entry[1]):
            raise RefusedError(f"members {earlier[0]!r} and {member.name!r} would overwrite each other")


def split_name(name: str) -> tuple[str, ...]:
    r"""Split a member's name into the parts of a path below the target folder.

    ``/`` and ``\`` both separate, and drive letters count as absolute, so that an archive means the same
    on every system.

    Raises
    ------
    RefusedError
        If the name is absolute or leads upwards.
    """
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts:
        raise RefusedError(f"member {name!r} would lie outside the folder it is unpacked to")
    return path.parts


def _write(member: Member, target: Path) -> None:
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source, target.open("xb") as output:
        write_exactly(source, output, member)


def write_exactly(source: IO[bytes], output: IO[bytes], member: Member) -> None:
    """Copy a member's content, which must be as long as declared; never writes more than that.

    The sum of the declared sizes has been checked before; this keeps an archive to what it declared.

    Raises
    ------
    RefusedError
        If the content is longer than declared.
    EOFError
        If it is shorter.
    """
    left = member.size
    while chunk := source.read(min(_CHUNK, left + 1)):
        if len(chunk) > left:
            raise RefusedError(f"member {member.name!r} is longer than the {member.size} bytes that it declares")
        output.write(chunk)
        left -= len(chunk)
    if left:
        raise EOFError(f"{member.name!r} is {left} bytes shorter than declared")


def _zip_members(opened: zipfile.ZipFile) -> Iterator[Member]:
    for info in opened.infolist():
        # Zip files written on Unix keep the file's mode here; others leave its type 0.
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise RefusedError(f"member {info.filename!r} is a link or a device; {_OWN_RISK}")
        if info.flag_bits & _ZIP_ENCRYPTED:
            raise RefusedError(f"member {info.filename!r} is encrypted; {_OWN_RISK}")
        yield Member(info.filename, info.file_size, info.filename.endswith("/"), partial(opened.open, info))


class _StrictTarInfo(tarfile.TarInfo):
    """A header that may end the archive only by the end mark.

    `tarfile` takes an unreadable header, and the end of the file, for the end of the archive, and
    would pass off a damaged archive as a shorter one.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the end mark
            raise tarfile.ReadError(str(error)) from None
        # A negative size sends tarfile back to where it was, for ever (CVE-2025-8194).
        if header.size < 0 or (header.size > _MAX_TAR_HEADER and not (header.isreg() or header.isdir())):
            raise tarfile.ReadError(f"header with size {header.size}")
        return header


def _tar_members(opened: tarfile.TarFile, folder: Path) -> Iterator[Member]:
    for info in opened:
        try:
            tarfile.data_filter(info, os.fspath(folder))
        except tarfile.FilterError as error:
            raise RefusedError(f"member {error}; {_OWN_RISK}") from None
        # The filter lets links pass that stay inside; chains of them have led out (CVE-2025-4517).
        if not (info.isreg() or info.isdir()):
            raise RefusedError(f"member {info.name!r} is a link; {_OWN_RISK}")
        yield Member(info.name, info.size, info.isdir(), partial(_open_tarred, opened, info))


def _open_tarred(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    return cast(IO[bytes], opened.extractfile(info))  # None only for what is no plain file
