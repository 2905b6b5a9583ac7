"""What a data set's layout reader returns: the images it recognises and the files it does not."""

from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class PublishedImage:
    """One image as its publisher names it; `source` is its path below the raw folder."""

    source: Path
    label: str
    subtype: str
    magnification: int
    folder: str
    case: str


@dataclass(frozen=True)
class Rejected:
    """A file that is left out, and why."""

    source: Path
    reason: str


@dataclass(frozen=True)
class Listing:
    """Every file below a raw folder: recognised, rejected, or no image at all."""

    images: list[PublishedImage]
    rejected: list[Rejected]
    others: list[Path]


def list_files(root: Path) -> list[Path]:
    """All files below `root`, relative to it, sorted; names that systems hide are left out."""
    return sorted(
        path.relative_to(root)
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)
    )
