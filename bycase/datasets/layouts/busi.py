"""BUSI, breast ultrasound images: what its folders and file names say.

Al-Dhabyani, Gomaa, Khaled, Fahmy (2020), Dataset of breast ultrasound images, Data in Brief 28, 104863.

Classes: Benign, Malignant, Normal. No patient is named anywhere: each image stands as its own case until
near-duplicates are merged.
"""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from bycase.datasets.layouts.copies import match_original
from bycase.datasets.layouts.listing import (
    About,
    Listing,
    PublishedImage,
    Rejected,
    check_counts,
    is_mask,
    list_files,
    list_images,
)

ABOUT = About(
    title="BUSI, breast ultrasound images",
    page="https://scholar.cu.edu.eg/?q=afahmy/pages/dataset",
    licence="none named on the publisher's page as far as is known here; ask before passing images on",
    citation="Al-Dhabyani, Gomaa, Khaled, Fahmy (2020), Dataset of breast ultrasound images, Data in Brief 28, 104863, "
    "doi:10.1016/j.dib.2019.104863",
    group="image",
    group_note="No patient is named, and 780 images come from 600 women: one woman's images may stand in several "
    "groups. Merging near-duplicates finds some of them.",
    limits=(
        "One hospital. Hundreds of near-duplicates; benign (433) and malignant (145) are the same pixels.",
        "Some images carry callipers, text or Doppler colours, from which a class can be guessed.",
        "Masks are drawn by hand; those of normal images are empty.",
    ),
)

CLASSES = {"benign": "Benign", "malignant": "Malignant", "normal": "Normal"}

# Images of the full data set by class, table 1 of the paper; masks are not counted.
FULL_COUNTS = {"Benign": 437, "Malignant": 210, "Normal": 133}
FULL_IMAGES = sum(FULL_COUNTS.values())

_NAME = re.compile(
    r"(?P<label>benign|malignant|normal)[ _-]*\(?(?P<number>\d+)\)?(?P<mask>[ _-]*mask(?:[ _-]?\d+)?)?"
    r"\.(?:png|jpe?g|tiff?|bmp|webp|gif)",
    re.IGNORECASE,
)


def read_layout(root: Path) -> Listing:
    """List a BUSI folder, whatever the outer folders are.

    Parameters
    ----------
    root : Path
        The raw folder. In each class' folder lie images, ``benign (1).png``, and their masks,
        ``benign (1)_mask.png`` and, where there are several lesions, ``benign (1)_mask_1.png``.

    Returns
    -------
    Listing
        Masks are no images of it: each stands in the ``masks`` of its image.
    """
    recognised, rejected, others = list_images(list_files(root), _recognise)
    images = {source: (label, stem) for source, stem, label, masked in recognised if not masked}
    masks: dict[Path, list[Path]] = {}
    for source, stem, _, masked in recognised:
        if masked:
            masks.setdefault(stem, []).append(source)
    # Images and masks find each other whatever the suffix' case is, and masks in a folder of their own too.
    stems = {stem for _, stem in images.values()}
    named = {stem.name: stem for stem in stems}
    for stem, orphans in list(masks.items()):
        if stem not in stems and stem.name in named and all(is_mask(mask.parent / "x.png") for mask in orphans):
            masks.setdefault(named[stem.name], []).extend(orphans)
        elif stem not in stems:
            rejected += [Rejected(mask, f"mask of {stem.name}, which is not there") for mask in orphans]
    published = [
        PublishedImage(source, label, label, 0, source.stem, source.stem, tuple(masks.get(stem, ())))
        for source, (label, stem) in images.items()
    ]
    return Listing(published, sorted(rejected, key=lambda each: each.source), others)


def check_full(manifest: pd.DataFrame) -> None:
    """Refuse a manifest that is not the full data set's, naming the first class (``label``) whose count differs."""
    check_counts("BUSI", _in_words(Counter(manifest["label"])), _in_words(FULL_COUNTS))


def _in_words(counts: dict[str, int]) -> dict[str, int]:
    return {f"{label.lower()} images": n for label, n in counts.items()}


def _recognise(source: Path) -> tuple[Path, Path, str, bool]:
    """A file, the image that it is or belongs to, as BUSI would name it, its class, and whether it is a mask."""
    match = match_original(source.name, _NAME)
    if match is None:
        raise ValueError("name does not follow BUSI's pattern")
    label = CLASSES[match["label"].lower()]
    folders = [CLASSES[part.lower()] for part in source.parts[:-1] if part.lower() in CLASSES]
    if folders and folders[-1] != label:
        raise ValueError(f"name says {label}, folder says {folders[-1]}")
    image = f"{match['label'].lower()} ({match['number']})"
    return source, source.with_name(image), label, match["mask"] is not None or is_mask(source, CLASSES)
