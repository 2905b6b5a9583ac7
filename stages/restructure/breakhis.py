"""BreakHis: what its folders and file names say.

Spanhol, Oliveira, Petitjean, Heutte (2016), A dataset for breast cancer histopathological image
classification, IEEE Transactions on Biomedical Engineering 63(7).
"""

import re
from pathlib import Path

from stages.common.errors import UserError
from stages.restructure.layout import IMAGE_SUFFIXES, Listing, PublishedImage, Rejected, list_files

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

_NAME = re.compile(
    r"SOB_(?P<letter>[BM])_(?P<subtype>[A-Z]+)-(?P<year>\d\d)-(?P<number>\d+)(?P<block>[A-Z]*)"
    r"-(?P<magnification>\d+)-(?P<sequence>\d+)\.png",
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
    images, rejected, others = [], [], []
    for source in list_files(root):
        if source.suffix.lower() not in IMAGE_SUFFIXES:
            others.append(source)
            continue
        try:
            named = parse_name(source.name)
            _check_folders(named, source)
        except ValueError as error:
            rejected.append(Rejected(source, str(error)))
        else:
            images.append(
                PublishedImage(source, named.label, named.subtype, named.magnification, named.folder, named.case)
            )
    return Listing(images, rejected, others)


def _check_folders(named: PublishedImage, source: Path) -> None:
    """Refuse a file whose folders say another class or magnification than its name."""
    folders = {part.lower() for part in source.parts[:-1]}
    classes = {label for label in CLASSES.values() if label.lower() in folders}
    if classes and named.label not in classes:
        raise ValueError(f"name says {named.label}, folder says {classes.pop()}")
    magnifications = {m for m in MAGNIFICATIONS if f"{m}x" in folders}
    if magnifications and named.magnification not in magnifications:
        raise ValueError(f"name says {named.magnification}X, folder says {magnifications.pop()}X")


def check_full(counts: dict[tuple[str, int], int]) -> None:
    """Refuse counts that are not those of the full data set.

    Parameters
    ----------
    counts : dict
        Images by class and magnification.

    Raises
    ------
    UserError
        Naming the first difference.
    """
    for key, expected in FULL_COUNTS.items():
        if counts.get(key, 0) != expected:
            raise UserError(
                f"BreakHis from Kaggle has {counts.get(key, 0)} {key[0].lower()} images at {key[1]}X where {expected} "
                "are published: another or a damaged archive; set datasets.<name>.source to local to use it as it is"
            )
