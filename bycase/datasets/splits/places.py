"""Which images the names of somebody else's split mean: images, slide folders or patients."""

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from bycase.datasets.layouts.breakhis import parse_name
from bycase.datasets.published.breakhis import COLUMNS, name_images
from bycase.datasets.splits.external import Supplied, match_images
from bycase.images.formats import IMAGE_SUFFIXES

UNITS = ("folder", "case", "group")  # from the narrowest
# A slide folder as in file names, on disk or in the manifest, or its number alone.
_SLIDE = re.compile(
    r"(?:SOB[_-])?(?:[BM][_-])?(?:(?P<subtype>A|F|PT|TA|DC|LC|MC|PC)[_-])?"
    r"(?:(?P<year>\d\d)-)?(?P<number>\d+)(?P<block>[A-Z]*)",
    re.IGNORECASE,
)

Images = Mapping[str, list[str]]


def match_names(table: pd.DataFrame, manifest: pd.DataFrame) -> Supplied:
    """Find the images that names mean, each name read as what is most exact: image, slide folder, patient.

    Parameters
    ----------
    table : DataFrame with the columns ``name``, ``part``
        See `bycase.datasets.splits.claims.Claim`.
    manifest : DataFrame with the columns ``image``, ``source``, ``folder``, ``case``, ``group``
        One row an image.

    Returns
    -------
    Supplied
        A name of a slide folder or a patient stands for all its images. Where the table tells one part only, and that
        is not train, all other images are in train.
    """
    supplied = match_images(table.rename(columns={"name": "image"}), manifest)
    rest = table[table["name"].isin(supplied.unknown)]
    images = {unit: _images_by(manifest, unit) for unit in UNITS}
    slides = _slides(images["folder"])
    unknown: set[str] = set()
    units: dict[str, set[str]] = {"image": set(table["name"]) - set(rest["name"]) - set(supplied.ambiguous)}
    # Which two parts those were that several names of one image tell is of no account.
    rows = [(image, part) for image in supplied.in_several for part in ("train", "test")]
    rows += list(zip(supplied.subsets.index, supplied.subsets, strict=True))
    for name, part in zip(rest["name"], rest["part"], strict=True):
        unit, meant = _find(name, images, slides)
        (units.setdefault(unit, set()) if meant else unknown).add(name)
        rows += [(image, part) for image in meant]
    parts = pd.DataFrame(rows, columns=["image", "part"]).groupby("image")["part"].agg(["first", "nunique"])
    subsets = parts.loc[parts["nunique"] == 1, "first"].rename("part")
    named, told = set(parts.index), set(table["part"])
    missing = [image for image in manifest["image"] if image not in named]
    complement = len(told) == 1 and "train" not in told
    if complement:
        others = pd.Series("train", index=pd.Index(missing, name="image"), name="part", dtype=object)
        subsets, missing = pd.concat([subsets, others]), []
    return Supplied(
        subsets=subsets,
        unknown=sorted(unknown),
        ambiguous=supplied.ambiguous,
        missing=missing,
        in_several=sorted(parts.index[parts["nunique"] > 1]),
        units={unit: len(names) for unit, names in units.items() if names},
        complement=complement,
    )


def _images_by(manifest: pd.DataFrame, unit: str) -> dict[str, list[str]]:
    return {str(name): list(images) for name, images in manifest.groupby(unit)["image"]}


def _slides(folders: Images) -> dict[str, list[str]]:
    """The images of every slide folder of BreakHis' form, by subtype and number, and by number alone."""
    meant: dict[str, list[str]] = {}
    for folder, images in folders.items():
        match = _SLIDE.fullmatch(folder)
        if match and match["subtype"] and match["year"]:
            number = match["number"] + match["block"].upper()
            for key in (f"{match['subtype'].upper()}-{match['year']}-{number}", f"{match['year']}-{number}", number):
                meant.setdefault(key, []).extend(images)
    return meant


def _find(name: str, images: Mapping[str, Images], slides: Images) -> tuple[str, list[str]]:
    """What kind of unit a name is of, and that unit's images; none where it is of no unit."""
    for unit, by_name in images.items():
        if name in by_name:
            return unit, by_name[name]
    match = _SLIDE.fullmatch(name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])
    if not match:
        return "", []
    year, number, block = match["year"], match["number"], match["block"].upper()
    if not block and not match["subtype"]:
        # Without block letters a number is the patient's, of whom there may be several slide folders.
        wanted = re.compile(rf"{year or '.*'}-{number}")
        cases = [case for case in images["case"] if wanted.fullmatch(case)]
        if len(cases) == 1:
            return "case", images["case"][cases[0]]
    key = f"{year}-{number}{block}" if year else f"{number}{block}"
    return "folder", slides.get(f"{match['subtype'].upper()}-{key}" if match["subtype"] else key, [])


def manifest_by_names(names: Iterable[str], magnifications: Iterable[int] = ()) -> pd.DataFrame:
    """A manifest of BreakHis made of names alone, for splits that are checked without images.

    Parameters
    ----------
    names : iterable of str
        Whatever a split names. Images among them are as named; where there is any other name, the published images of
        all other slide folders are there as well, numbered rather than named.
    magnifications : iterable of int
        Those to keep; all where empty.

    Returns
    -------
    DataFrame with the columns `bycase.datasets.published.breakhis.COLUMNS`
        One row an image.
    """
    everything = name_images()
    slides = set(everything["folder"])
    rows, others = [], False
    for name in dict.fromkeys(names):
        file = name.replace("\\", "/").rsplit("/", 1)[-1]
        try:
            stem = file.rsplit(".", 1)[0] if file.lower().endswith(tuple(IMAGE_SUFFIXES)) else file
            image = parse_name(f"{stem}.png")
        except ValueError:
            others = True
            continue
        if image.folder in slides:
            known = (image.label, image.subtype, image.magnification, image.folder, image.case, image.case)
            rows.append((file, name, *known))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates("image")
    if others:
        frame = pd.concat([frame, everything[~everything["folder"].isin(set(frame["folder"]))]], ignore_index=True)
    wanted = list(magnifications)
    return frame[frame["magnification"].isin(wanted)].reset_index(drop=True) if wanted else frame
