"""The files that a command line names: single ones, folders, patterns and zip archives, one after the other."""

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bycase.apps.predict.found import Failure, Found, Skipped, Source, printable
from bycase.apps.predict.zips import find_members
from bycase.datasets.layouts.listing import IMAGE_SUFFIXES
from bycase.images.pictures import MAX_BYTES, PictureError


def find_sources(inputs: Sequence[str]) -> Iterator[Found]:
    """Find what the inputs name, in their order, and by name within each; nothing is read or unpacked yet.

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


def _find(given: str) -> Iterator[Found]:
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
    else:
        yield Source(printable(given), partial(read_file, path.absolute()))


def _find_below(top: Path) -> Iterator[Found]:
    """Everything below a folder, sorted; hidden names and what systems put into folders is left out."""
    pending, found = [top], False
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
            found = True
            yield Source(name, partial(read_file, path.absolute()))
    if not found:
        yield Failure(printable(top.as_posix()), "a folder without images")


def read_file(path: Path) -> bytes:
    """A plain file's content.

    Raises
    ------
    PictureError
        If it is a device, a pipe or a socket, or larger than `MAX_BYTES`.
    OSError
        If it cannot be read.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise PictureError("no plain file")
    if about.st_size > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES / 1e6:.0f} MB")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
