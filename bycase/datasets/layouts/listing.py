"""What a data set's layout reader returns: the images it recognises and the files it does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class About:
    """What a data card says of a data set that its files do not."""

    title: str
    page: str  # the publisher's
    licence: str
    citation: str
    group: str  # what stands for a patient
    group_note: str  # how far it does
    limits: tuple[str, ...]


@dataclass(frozen=True)
class PublishedImage:
    """One image as its publisher names it; `source` and `masks` are paths below the raw folder.

    The last four are as published, empty where not known.
    """

    source: Path
    label: str
    subtype: str
    magnification: int
    folder: str
    case: str
    masks: tuple[Path, ...] = ()
    age: str = ""
    sex: str = ""
    site: str = ""
    confirmed_by: str = ""


@dataclass(frozen=True)
class Rejected:
    """A file that is left out, and why."""

    source: Path
    reason: str


@dataclass(frozen=True)
class Listing:
    """Every file below a raw folder: recognised, rejected, or no image at all.

    `rows_without_image` are the images that a table of metadata names and that are not there.
    """

    images: list[PublishedImage]
    rejected: list[Rejected]
    others: list[Path]
    rows_without_image: list[str] = field(default_factory=list)


def list_files(root: Path) -> list[Path]:
    """All files below `root`, relative to it, sorted; names that systems hide are left out."""
    return sorted(
        path.relative_to(root)
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)
    )


def list_images(files: list[Path], recognise: Callable[[Path], Any]) -> tuple[list[Any], list[Rejected], list[Path]]:
    """Sort files into what `recognise` makes of images, images that it refuses by a ValueError, and other files."""
    images, rejected, others = [], [], []
    for source in files:
        if source.suffix.lower() not in IMAGE_SUFFIXES:
            others.append(source)
            continue
        try:
            images.append(recognise(source))
        except ValueError as error:
            rejected.append(Rejected(source, str(error)))
    return images, rejected, others


def label_by_subtype(listing: Listing) -> Listing:
    """The same listing with each image's subtype as its label."""
    return replace(listing, images=[replace(image, label=image.subtype) for image in listing.images])


def check_counts(name: str, counts: Mapping[str, int], published: Mapping[str, int]) -> None:
    """Refuse counts that are not those of the full data set.

    Parameters
    ----------
    name : str
        The data set's.
    counts, published : mapping
        What is counted, such as ``benign images at 40X``, and how many there are and should be.

    Raises
    ------
    UserError
        Naming the first difference.
    """
    for what, expected in published.items():
        if counts.get(what, 0) != expected:
            raise UserError(
                f"{name} from Kaggle has {counts.get(what, 0)} {what} where {expected} are published: "
                "another or a damaged archive; set datasets.<name>.source to local to use it as it is"
            )
