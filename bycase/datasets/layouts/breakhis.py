"""BreakHis: what its folders and file names say.

Spanhol, Oliveira, Petitjean, Heutte (2016), A dataset for breast cancer histopathological image
classification, IEEE Transactions on Biomedical Engineering 63(7).
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bycase.datasets.layouts.copies import match_original
from bycase.datasets.layouts.listing import About, Listing, PublishedImage, check_counts, list_files, list_images

ABOUT = About(
    title="BreakHis, breast cancer histopathological images",
    page="https://web.inf.ufpr.br/vri/databases/breast-cancer-histopathological-database-breakhis/",
    licence="CC BY 4.0 as commonly stated; confirm it on the publisher's page before passing images on",
    citation="Spanhol, Oliveira, Petitjean, Heutte (2016), A dataset for breast cancer histopathological image "
    "classification, IEEE Transactions on Biomedical Engineering 63(7), doi:10.1109/TBME.2015.2496264",
    group="case",
    group_note="A case is year and number of the slide's name without block letters; that it is one patient is an "
    "inference.",
    limits=(
        "One laboratory, one scanner, one stain; 82 slide folders of about 70 cases.",
        "Case 14-13412 has images under two subtypes, ductal and lobular carcinoma.",
        "The five published folds are disjoint by slide folder, not by case.",
    ),
)

CLASSES = {"B": "Benign", "M": "Malignant"}
SUBTYPES = {
    "A": "Benign",  # adenosis
    "F": "Benign",  # fibroadenoma
    "PT": "Benign",  # phyllodes tumour
    "TA": "Benign",  # tubular adenoma
    "DC": "Malignant",  # ductal carcinoma
    "LC": "Malignant",  # lobular carcinoma
    "MC": "Malignant",  # mucinous carcinoma
    "PC": "Malignant",  # papillary carcinoma
}
MAGNIFICATIONS = (40, 100, 200, 400)

# Images of the full data set by class and magnification, table 1 of the paper.
FULL_COUNTS = {
    ("Benign", 40): 625,
    ("Benign", 100): 644,
    ("Benign", 200): 623,
    ("Benign", 400): 588,
    ("Malignant", 40): 1370,
    ("Malignant", 100): 1437,
    ("Malignant", 200): 1390,
    ("Malignant", 400): 1232,
}
FULL_IMAGES = sum(FULL_COUNTS.values())

_NAME = re.compile(
    r"SOB_(?P<letter>[BM])_(?P<subtype>[A-Z]+)-(?P<year>\d\d)-(?P<number>\d+)(?P<block>[A-Z]*)"
    r"-(?P<magnification>\d+)-(?P<sequence>\d+)\.(?:png|jpe?g|tiff?|bmp|webp|gif)",
    re.IGNORECASE,
)


def parse_name(name: str) -> PublishedImage:
    """Read a BreakHis file name, such as ``SOB_M_DC-14-2980-40-001.png``.

    Parameters
    ----------
    name : str
        The file name without folders.

    Returns
    -------
    PublishedImage
        With ``source`` set to the name. ``folder`` is the slide folder, ``DC-14-22549AB``; ``case`` is
        the year and number without block letters, ``14-22549``, since blocks AB and CD are cut from
        one specimen. That a case is one patient is an inference.

    Raises
    ------
    ValueError
        If the name does not follow the pattern or contradicts itself.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError("name does not follow BreakHis' pattern")
    subtype = match["subtype"].upper()
    label = CLASSES[match["letter"].upper()]
    if subtype not in SUBTYPES:
        raise ValueError(f"unknown subtype {subtype}")
    if SUBTYPES[subtype] != label:
        raise ValueError(f"subtype {subtype} is not {label.lower()}")
    magnification = int(match["magnification"])
    if magnification not in MAGNIFICATIONS:
        raise ValueError(f"unknown magnification {magnification}")
    case = f"{match['year']}-{match['number']}"
    folder = f"{subtype}-{case}{match['block'].upper()}"
    return PublishedImage(Path(name), label, subtype, magnification, folder, case)


def read_layout(root: Path) -> Listing:
    """List a BreakHis folder, whatever the outer folders are.

    Parameters
    ----------
    root : Path
        The raw folder; ``BreaKHis_v1`` may be there once, twice or not at all.
    """
    return Listing(*list_images(list_files(root), _recognise))


def _recognise(source: Path) -> PublishedImage:
    match = match_original(source.name, _NAME)
    named = parse_name(match.string if match else source.name)
    _check_folders(named, source)
    return replace(named, source=source)


def _check_folders(named: PublishedImage, source: Path) -> None:
    """Refuse a file whose folders say another class or magnification than its name."""
    folders = {part.lower() for part in source.parts[:-1]}
    classes = {label for label in CLASSES.values() if label.lower() in folders}
    if classes and named.label not in classes:
        raise ValueError(f"name says {named.label}, folder says {classes.pop()}")
    magnifications = {m for m in MAGNIFICATIONS if f"{m}x" in folders}
    if magnifications and named.magnification not in magnifications:
        raise ValueError(f"name says {named.magnification}X, folder says {magnifications.pop()}X")


def check_full(manifest: pd.DataFrame) -> None:
    """Refuse a manifest that is not the full data set's, naming the first class and magnification that differ.

    Class and magnification follow from ``subtype`` and ``magnification``, whichever of class and subtype is the label.
    """
    classes = manifest["subtype"].map(SUBTYPES)
    counts = Counter(zip(classes, manifest["magnification"], strict=True))
    check_counts("BreakHis", _in_words(counts), _in_words(FULL_COUNTS))


def _in_words(counts: dict[tuple[str, int], int]) -> dict[str, int]:
    return {f"{label.lower()} images at {magnification}X": n for (label, magnification), n in counts.items()}
