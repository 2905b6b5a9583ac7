"""Copies by their names: what browsers and desktops make of a file that is there already, and augmented images."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bycase.datasets.layouts.listing import PublishedImage

# `x (1)`, `x - Copy`, `x copy 2`, `Copy of x`; Windows numbers different images so too, when many are renamed at once.
_COPY = re.compile(r"(?:[ _-]*\(\d{1,3}\)|[ _-]+(?:copy|kopie|copie|copia)(?:[ _-]*\(?\d{1,3}\)?)?)$", re.IGNORECASE)
_COPY_OF = re.compile(r"^(?:copy|kopie|copie|copia) (?:of|von|de|di) ", re.IGNORECASE)
# `x_aug0`, `x_hflip`, `x_rot90`, `x_flip_lr`; and what Roboflow writes, `x_png.rf.0123456789abcdef`.
_AUGMENTED = re.compile(
    r"[ _.-]+(?:(?:aug(?:mented|mentation)?|rot(?:ated?|ation)?|mirror(?:ed)?)[ _-]*-?\d*(?:deg)?"
    r"|[hv]?flip(?:ped)?(?:[ _-]?(?:h|v|lr|ud|horizontal(?:ly)?|vertical(?:ly)?|\d+))?)$",
    re.IGNORECASE,
)
_ROBOFLOW = re.compile(r"(?:_(?:jpe?g|png|bmp|tiff?|webp|gif))?\.rf\.[0-9a-z]{8,}$", re.IGNORECASE)


def original_stem(stem: str) -> tuple[str, bool]:
    """The stem without what marks a copy, and whether anything marks an augmented image.

    The stem itself where nothing does.
    """
    augmented = False
    while True:
        bare = _COPY_OF.sub("", _COPY.sub("", stem))
        original = _ROBOFLOW.sub("", _AUGMENTED.sub("", bare))
        augmented = augmented or original != bare
        if not original or original == stem:
            return stem, augmented
        stem = original


def original_names(name: str) -> list[str]:
    """A file's name, and the names with ever more of what marks a copy taken off, until nothing does."""
    path, names = Path(name), [name]
    for pattern in (_COPY, _COPY_OF, _AUGMENTED, _ROBOFLOW):
        if (stem := pattern.sub("", path.stem)) and stem != path.stem:
            names += original_names(f"{stem}{path.suffix}")
    return list(dict.fromkeys(names))


def match_original(name: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The match of a file's name or, of a copy, of its original's name; None where neither is of that pattern."""
    matches = (pattern.fullmatch(each) for each in original_names(name))
    return next((match for match in matches if match is not None), None)


def join_copies(images: Sequence[PublishedImage], names_patient: bool) -> list[PublishedImage]:
    """The images, with ``copy_of`` where one is a copy by its name; without patients, it is of its original's case.

    A copy that no program calls augmented counts only where its original lies beside it: an image's own number may
    stand in brackets. The original of an augmented image lies beside it or, of the same class, in any other folder;
    where there is none, the first of the augmented images stands for it.
    """
    beside: dict[tuple[Path, str], PublishedImage] = {}
    anywhere: dict[tuple[str, str], set[Path]] = {}
    by_source = {image.source: image for image in images}
    for image in images:
        beside.setdefault((image.source.parent, image.source.stem), image)
        anywhere.setdefault((image.label, image.source.stem), set()).add(image.source)
    first: dict[tuple[str, str], PublishedImage] = {}

    def find(image: PublishedImage) -> PublishedImage | None:
        stem, augmented = original_stem(image.source.stem)
        if stem == image.source.stem:
            return None
        for name in original_names(image.source.name)[1:]:
            original = beside.get((image.source.parent, Path(name).stem))
            if original is not None:
                return original
        if not augmented:
            return None
        elsewhere = anywhere.get((image.label, stem), set())
        if len(elsewhere) == 1:
            return by_source[next(iter(elsewhere))]
        return first.setdefault((image.label, stem), image)

    joined = []
    for image in images:
        last, original = image, find(image)
        while original is not None and original is not last:  # a copy of a copy
            last, original = original, find(original)
        if last is image:
            joined.append(image)
        else:
            joined.append(
                replace(image, copy_of=last.source)
                if names_patient
                else replace(image, copy_of=last.source, case=last.case, folder=last.folder)
            )
    return joined


def list_copies(images: Iterable[PublishedImage]) -> list[dict[str, str]]:
    """The files that are copies by their names, each with its original, for reports."""
    return [
        {"file": image.source.as_posix(), "original": image.copy_of.as_posix()}
        for image in images
        if image.copy_of is not None
    ]
