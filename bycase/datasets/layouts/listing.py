"""What a data set's layout reader returns: the images it recognises and the files it does not."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.images.formats import IMAGE_SUFFIXES

_FOLD = re.compile(r"(?:(?:fold|cv|split)[ _-]*)?(\d{1,3})")
_FOLD_FOLDER = re.compile(r"(?:fold|cv|split)[ _-]*\d{1,3}")
_MASK_WORDS = r"masks?|segmentations?|ground[ _-]?truths?|annotations?"
_MASK_FOLDER = re.compile(rf"(?:.*[ _-])?(?:{_MASK_WORDS})(?:[ _-].*)?", re.IGNORECASE)
_MASK_NAME = re.compile(r"(?P<image>.+?)[ _-](?:masks?|segmentation|seg)(?:[ _-]?\d+)?", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True)
class PublishedImage:
    """One image as its publisher names it; `source` and `masks` are paths below the raw folder.

    What comes after the masks is as published, empty where not known; `part` is train, val or test, `fold` a number,
    `more` holds further columns for the subgroup tables, and `copy_of` is the file of which it is a copy by its name.
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
    part: str = ""
    fold: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    copy_of: Path | None = None


@dataclass(frozen=True)
class Rejected:
    """A file that is left out, and why."""

    source: Path
    reason: str


@dataclass(frozen=True)
class Listing:
    """Every file below a raw folder: recognised, rejected, or no image at all.

    `rows_without_image` are the images that a table of metadata names and that are not there, `left_out` the labels
    whose images are left out on purpose, with their numbers, and `notes` what else a reader should know, in words.
    """

    images: list[PublishedImage]
    rejected: list[Rejected]
    others: list[Path]
    rows_without_image: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def list_files(root: Path) -> list[Path]:
    """All files below `root`, relative to it, sorted; names that systems hide are left out."""
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_hidden(name)]
        below = Path(folder).relative_to(root)
        paths += [below / name for name in names if not is_hidden(name)]
    return sorted(paths)


def is_hidden(name: str) -> bool:
    """Whether systems hide a file or folder of that name, or put it there themselves."""
    return name.startswith((".", "__MACOSX"))


def is_image(path: Path) -> bool:
    """Whether a file is an image by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def read_fold(text: str) -> str:
    """The number of a fold of any usual name of it, such as fold_2; another name as it is."""
    match = _FOLD.fullmatch(text.strip().lower())
    return str(int(match[1])) if match else text.strip()


def is_fold_folder(name: str) -> bool:
    """Whether a folder is a fold's by its name, such as cv-3."""
    return _FOLD_FOLDER.fullmatch(name.strip().lower()) is not None


def is_mask(path: Path, classes: Iterable[str] = ()) -> bool:
    """Whether a picture is a mask by its name (``x_mask_1.png``) or by a folder's (``masks``) that names no class."""
    named = {name.lower() for name in classes}
    folders = (folder for folder in path.parts[:-1] if folder.lower() not in named)
    return _MASK_NAME.fullmatch(path.stem) is not None or any(_is_mask_folder(folder) for folder in folders)


@lru_cache(maxsize=65536)
def _is_mask_folder(name: str) -> bool:
    return _MASK_FOLDER.fullmatch(name) is not None


def match_masks(masks: Iterable[Path], images: Iterable[Path]) -> tuple[dict[Path, list[Path]], list[Path]]:
    """Find the image of each mask: of the same stem, but for what makes it a mask, in its folder or in any other.

    Returns
    -------
    matched : dict of Path to list of Path
        The masks of every image that has some, sorted.
    unmatched : list of Path
        Masks of which no image is there, or several are.
    """
    beside: dict[Path, Path] = {}
    anywhere: dict[str, set[Path]] = {}
    for image in images:
        beside[image.with_suffix("")] = image
        anywhere.setdefault(image.stem, set()).add(image)
    matched: dict[Path, list[Path]] = {}
    unmatched = []
    for mask in sorted(masks):
        name = _MASK_NAME.fullmatch(mask.stem)
        stem = name["image"] if name else mask.stem
        there = anywhere.get(stem, set())
        found = beside.get(mask.with_name(stem)) or (next(iter(there)) if len(there) == 1 else None)
        if found is None:
            unmatched.append(mask)
        else:
            matched.setdefault(found, []).append(mask)
    return matched, unmatched


def list_images(files: list[Path], recognise: Callable[[Path], Any]) -> tuple[list[Any], list[Rejected], list[Path]]:
    """Sort files into what `recognise` makes of images, images that it refuses by a ValueError, and other files."""
    images, rejected, others = [], [], []
    for source in files:
        if not is_image(source):
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
