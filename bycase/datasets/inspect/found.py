"""The files of a folder or an archive, and the few of their bytes that it takes to look at them.

Of an archive only tables are unpacked; its images are empty files of the same names in a folder for the time, so that
the layouts' readers see it as they will see it unpacked.
"""

import hashlib
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bycase.core.errors import UserError, one_line
from bycase.datasets.layouts.listing import is_hidden, is_image, list_files
from bycase.datasets.sources.archive import RefusedError, split_name
from bycase.tables.tabular import TABLE_SUFFIXES as TABLES

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
SAMPLE = 200  # pictures whose pixels are looked at
WHOLE = 1 << 18  # bytes; of larger files only both ends are compared
MOST_TABLE = 200_000_000  # bytes
_END = 1 << 16
WAY_OUT = "get it again, or unpack it yourself and give the folder"


@dataclass(frozen=True)
class Found:
    """What lies at a path.

    Attributes
    ----------
    kind : str
        ``folder``, ``archive`` or ``table``, for the report.
    source : Path
        The folder or archive for `path` of `params.yaml`.
    root : Path
        Where names and tables can be read: the folder itself, or one for the time.
    files : list of Path
        Below it, sorted, without what systems hide.
    sizes : dict of Path to int
        In bytes, of the images among them.
    digest : callable
        An image to a text that is the same for the same bytes.
    read : callable
        A table, or a picture of the sample, to its bytes.
    sample : list of Path
        Some pictures, evenly spread over all.
    """

    kind: str
    source: Path
    root: Path
    files: list[Path]
    sizes: dict[Path, int]
    digest: Callable[[Path], str]
    read: Callable[[Path], bytes]
    sample: list[Path]


@contextmanager
def find(place: Path) -> Iterator[Found]:
    """Look at a folder, an archive or a table; a UserError says what else it is."""
    if not place.exists():
        raise UserError(f"{place} not found; give a folder, an archive ({', '.join(ARCHIVES)}) or a table of images")
    name = place.name.lower()
    if place.is_dir():
        yield _find_folder(place, "folder")
    elif name.endswith(ARCHIVES):
        with tempfile.TemporaryDirectory() as skeleton:
            found = (_find_zip if name.endswith(".zip") else _find_tar)(place, Path(skeleton))
            _write_skeleton(found)
            yield found
    elif may_be_table(place):
        yield _find_folder(place.parent, "table")
    else:
        raise UserError(f"{place} is none of a folder, an archive ({', '.join(ARCHIVES)}) and a table")


def _write_skeleton(found: Found) -> None:
    for path in found.files:
        target = found.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(found.read(path) if may_be_table(path) else b"")


def may_be_table(path: Path) -> bool:
    """Whether a file is a table by its name; HAM10000's has no suffix where Dataverse gives it."""
    return path.suffix.lower() in TABLES or not path.suffix


def spread(items: Sequence[Path], number: int) -> list[Path]:
    """So many of the items, evenly spread over all."""
    return [items[place * len(items) // number] for place in range(number)] if len(items) > number else list(items)


def _find_folder(folder: Path, kind: str) -> Found:
    files = list_files(folder)
    images = [path for path in files if is_image(path)]
    sizes = {path: (folder / path).stat().st_size for path in images}

    def read(path: Path) -> bytes:
        return (folder / path).read_bytes()

    def digest(path: Path) -> str:
        with (folder / path).open("rb") as file:
            content = file.read(_END if sizes[path] > WHOLE else WHOLE)
            if sizes[path] > WHOLE:
                file.seek(-_END, io.SEEK_END)
                content += file.read()
        return hashlib.sha256(content).hexdigest()

    return Found(kind, folder, folder, files, sizes, digest, read, spread(images, SAMPLE))


def _find_zip(place: Path, root: Path) -> Found:
    with one_line(f"{place} is no zip archive, or a damaged one", WAY_OUT):
        opened = zipfile.ZipFile(place)
        members = {_below(place, info.filename): info for info in opened.infolist() if not info.is_dir()}
    members = {path: info for path, info in sorted(members.items()) if not any(map(is_hidden, path.parts))}
    images = [path for path in members if is_image(path)]

    def read(path: Path) -> bytes:
        with one_line(f"{place}: {path} cannot be read", WAY_OUT):
            return opened.read(members[path])

    return Found(
        "archive",
        place,
        root,
        list(members),
        {path: members[path].file_size for path in images},
        lambda path: f"{members[path].CRC:08x}",  # of the whole content, and there without reading it
        read,
        spread(images, SAMPLE),
    )


def _find_tar(place: Path, root: Path) -> Found:
    """One pass, since going back in a compressed stream means reading it again."""
    files: list[Path] = []
    sizes: dict[Path, int] = {}
    digests: dict[Path, str] = {}
    kept: dict[Path, bytes] = {}
    step = 1
    with one_line(f"{place} is no tar archive, or a damaged one", WAY_OUT), tarfile.open(place, "r|*") as opened:
        for info in opened:
            path = _below(place, info.name)
            stream = opened.extractfile(info) if info.isreg() else None
            if stream is None or any(map(is_hidden, path.parts)):
                continue
            files.append(path)
            if is_image(path):
                content = stream.read()
                sizes[path], digests[path] = len(content), hashlib.sha256(content).hexdigest()
                if len(sizes) % step == 0:
                    kept[path] = content
                pictures = [each for each in kept if is_image(each)]
                if len(pictures) == 2 * SAMPLE:
                    step *= 2
                    for each in pictures[::2]:
                        del kept[each]
            elif may_be_table(path):
                kept[path] = stream.read(MOST_TABLE)
    sample = [path for path in kept if is_image(path)]
    return Found("archive", place, root, sorted(files), sizes, digests.__getitem__, kept.__getitem__, sample)


def _below(place: Path, name: str) -> Path:
    try:
        return Path(*split_name(name))
    except RefusedError as error:
        raise UserError(f"{place} is refused: {error}") from None
