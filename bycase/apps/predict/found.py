"""What a search for pictures comes upon."""

import os
from collections.abc import Callable
from dataclasses import dataclass


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


Found = Source | Failure | Skipped


def printable(name: str) -> str:
    """A name that can be written as UTF-8, and on a terminal, in one line: other characters are escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
