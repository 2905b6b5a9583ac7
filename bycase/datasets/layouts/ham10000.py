"""HAM10000, dermatoscopic images of pigmented skin lesions: what its table of metadata says.

Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, a large collection of multi-source
dermatoscopic images of common pigmented skin lesions, Scientific Data 5, 180161.

=====  ==================================================================
code   diagnosis
=====  ==================================================================
akiec  actinic keratoses and intraepithelial carcinoma (Bowen's disease)
bcc    basal cell carcinoma
bkl    benign keratosis-like lesions
df     dermatofibroma
mel    melanoma
nv     melanocytic nevi
vasc   vascular lesions
=====  ==================================================================

A lesion has one to six photographs; ``lesion_id`` is folder, case and group. No patient is named, so that
two lesions of one patient are two cases.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.layouts.copies import original_names
from bycase.datasets.layouts.listing import (
    About,
    Listing,
    PublishedImage,
    check_counts,
    is_image,
    is_mask,
    list_files,
    list_images,
    match_masks,
)
from bycase.tables.tabular import TABLE_SUFFIXES, list_names, read_any_table

ABOUT = About(
    title="HAM10000, dermatoscopic images of common pigmented skin lesions",
    page="https://doi.org/10.7910/DVN/DBW86T",
    licence="CC BY-NC 4.0: not for commercial use",
    citation="Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, a large collection of multi-source "
    "dermatoscopic images of common pigmented skin lesions, Scientific Data 5, 180161, doi:10.1038/sdata.2018.161",
    group="lesion",
    group_note="A lesion has one lesion_id. No patient is named: two lesions of one patient are two groups.",
    limits=(
        "Two centres, Vienna and Queensland; mostly light skin.",
        "Two thirds of the images are nevi (nv); only part of the diagnoses rests on histology (confirmed_by).",
        "Duplicates exist across lesion ids.",
    ),
)

METADATA = "HAM10000_metadata.csv"  # or without the suffix, or .tab, as Dataverse has it
CHALLENGE = ("_groundtruth", "_lesiongroupings")  # ends of names of ISIC 2018 task 3's tables
SUFFIXES = TABLE_SUFFIXES | {""}
COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")

# Images of the full data set by diagnosis, table 2 of the paper.
FULL_COUNTS = {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}
FULL_IMAGES = sum(FULL_COUNTS.values())
FULL_LESIONS = 7470


def read_layout(root: Path) -> Listing:
    """List a HAM10000 folder, whatever the outer folders are.

    Parameters
    ----------
    root : Path
        The raw folder: images named by their ``image_id``, in one or several folders, and
        `METADATA`.

    Returns
    -------
    Listing
        An image without a row is rejected, since nothing says what it shows; a row without an image
        stands in ``rows_without_image``. ``confirmed_by`` is ``dx_type``, ``site`` is ``localization``;
        of all, ``unknown`` becomes empty.

    Raises
    ------
    UserError
        If there is no table, there are several that differ, or one is damaged.
    """
    files = list_files(root)
    tables = [
        root / path
        for path in files
        if path.stem.lower() == Path(METADATA).stem.lower() and path.suffix.lower() in SUFFIXES
    ]
    rows = _read_metadata(tables) if tables else _read_challenge(root, files)
    masks = [path for path in files if is_image(path) and is_mask(path)]
    images, rejected, others = list_images(
        [path for path in files if path not in set(masks)], lambda source: _publish(source, _find_rows(source, rows))
    )
    matched, unmatched = match_masks(masks, [image.source for image in images])
    there = {stem for path in files if is_image(path) for stem in (path.stem, path.stem.upper())}
    return Listing(
        [replace(image, masks=tuple(matched.get(image.source, ()))) for image in images],
        rejected,
        sorted([*others, *unmatched]),
        sorted(set(rows) - there),
    )


def check_full(manifest: pd.DataFrame) -> None:
    """Refuse a manifest that is not the full data set's, naming the first diagnosis (``label``) that differs.

    Lesions (``case``) are counted too.
    """
    counts = {f"{label} images": int(n) for label, n in manifest["label"].value_counts().items()}
    published = {f"{label} images": n for label, n in FULL_COUNTS.items()}
    lesions = int(manifest["case"].nunique())
    check_counts("HAM10000", counts | {"lesions": lesions}, published | {"lesions": FULL_LESIONS})


def _read_metadata(tables: list[Path]) -> dict[str, list[dict[str, str]]]:
    """The different rows of each image_id; one where the table does not contradict itself."""
    if len({path.read_bytes() for path in tables}) > 1:
        raise UserError(f"{tables[0]} and {tables[1]} differ; leave only one of them in the source")
    try:
        table = read_any_table(tables[0])
    except UserError as error:
        raise UserError(f"{tables[0]} is no table ({error}); get it again") from None
    table = table.rename(columns=str.lower)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise UserError(
            f"{tables[0]}: column {', '.join(missing)} missing; found are {list_names(table.columns)}; rename them, or "
            "read it by layout table"
        )
    return _different_rows(table)


def _read_challenge(root: Path, files: list[Path]) -> dict[str, list[dict[str, str]]]:
    """The rows of ISIC 2018 task 3: the diagnosis by one-hot columns, the lesions in a table of their own."""
    truths, lesions = (
        [root / path for path in files if path.stem.lower().endswith(end) and path.suffix.lower() in SUFFIXES]
        for end in CHALLENGE
    )
    if not truths or not lesions:
        raise UserError(
            f"{root} holds neither {METADATA} nor the tables of ISIC 2018 task 3 (..._GroundTruth.csv and "
            "..._LesionGroupings.csv), without which no image has a diagnosis; check the source"
        )
    parts = []
    for path in truths:
        truth = read_any_table(path)
        codes = {column: column.lower() for column in truth.columns if column.lower() in FULL_COUNTS}
        if "image" not in truth or set(codes.values()) != set(FULL_COUNTS):
            raise UserError(f"{path}: it needs the columns image and {', '.join(FULL_COUNTS).upper()}; get it again")
        values = truth[list(codes)].apply(pd.to_numeric, errors="coerce").rename(columns=codes)
        parts.append(pd.DataFrame({"image_id": truth["image"], "dx": values.idxmax(axis=1)}))
        if not (values.eq(1).sum(axis=1) == 1).all():
            raise UserError(f"{path}: an image has no diagnosis, or several; get it again")
    groups = pd.concat([read_any_table(path) for path in lesions])
    groups = groups.rename(columns={"image": "image_id", "diagnosis_confirm_type": "dx_type"})
    if not {"image_id", "lesion_id"} <= set(groups.columns):
        raise UserError(f"{lesions[0]}: column image or lesion_id missing; get it again")
    table = pd.concat(parts).merge(groups.drop_duplicates(), on="image_id", how="left")
    return _different_rows(table.reindex(columns=list(COLUMNS)).fillna(""))


def _different_rows(table: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    different = table.loc[:, list(COLUMNS)].drop_duplicates()
    rows: dict[str, list[dict[str, str]]] = {}
    for row in different.to_dict("records"):
        rows.setdefault(row["image_id"], []).append({str(key): str(value).strip() for key, value in row.items()})
    return rows


def _find_rows(source: Path, rows: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """The rows of an image, or of that of which it is a copy by its name."""
    stems = (Path(name).stem for name in original_names(source.name))
    return next((rows[stem] for each in stems for stem in (each, each.upper()) if stem in rows), [])


def _publish(source: Path, rows: list[dict[str, str]]) -> PublishedImage:
    if len(rows) != 1:
        raise ValueError(f"{METADATA} has {len(rows)} different rows of it" if rows else f"no row in {METADATA}")
    row = rows[0]
    label, lesion = row["dx"].lower(), row["lesion_id"]
    if label not in FULL_COUNTS:
        raise ValueError(f"unknown diagnosis '{label}'")
    if not lesion:
        raise ValueError("no lesion_id")
    return PublishedImage(
        source,
        label,
        label,
        0,
        lesion,
        lesion,
        age=_known(row["age"]).removesuffix(".0"),
        sex=_known(row["sex"]),
        site=_known(row["localization"]),
        confirmed_by=_known(row["dx_type"]),
    )


def _known(value: str) -> str:
    return "" if value.lower() in ("unknown", "nan") else value
