"""The images of an external test set: brought to the form of the training images, and none that those have shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_data import DatasetParams
from bycase.datasets.layouts.listing import Listing, label_by_subtype
from bycase.datasets.layouts.registry import LAYOUTS
from bycase.datasets.restructure import check_bad_share, check_labels, convert_all

FOLDER = Path("data/external")
IMAGES, TABLE, ABOUT = FOLDER / "restructured", FOLDER / "manifest.csv", FOLDER / "about.json"

# Layouts whose file names say whose an image is; in the others each image stands as its own case.
ANONYMOUS = ("busi",)


def restructure_external(
    entry: DatasetParams,
    own: DatasetParams,
    raw: Path,
    folder: Path,
    classes: Mapping[str, str | None],
    magnifications: Sequence[int],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Convert the external data set's images as the classifier's own were converted.

    Parameters
    ----------
    entry, own : DatasetParams
        The external data set's entry, which says how its files are read, and the classifier's, which says of what size
        and classes images are.
    raw, folder : Path
        Where the files are, and an empty folder for the PNG files.
    classes, magnifications
        See `select_images`.

    Returns
    -------
    manifest : DataFrame
        See `bycase.tables.manifest`; labels are the classifier's classes.
    left_out : dict of str to int
        See `select_images`, and ``unusable``: files that could not be read.

    Raises
    ------
    UserError
        If a class is in neither list, too many files cannot be used, or no image is left.
    """
    listing = LAYOUTS[entry.layout].read_layout(raw)
    if entry.task == "subtype":
        listing = label_by_subtype(listing)
    check_labels(listing, entry.classes, raw)
    chosen, left_out = select_images(listing, classes, magnifications)
    if not chosen.images:
        raise UserError(
            f"evaluate.external: none of the {len(listing.images)} images of the data set is left; check its path and "
            "evaluate.external_magnifications"
        )
    result = convert_all(chosen, raw, folder, own.classes, own.image_size, own.resize)
    check_bad_share(result, entry.max_bad_share, ABOUT)
    return result.manifest, {**left_out, "unusable": len(result.rejected)}


def select_images(
    listing: Listing, classes: Mapping[str, str | None], magnifications: Sequence[int]
) -> tuple[Listing, dict[str, int]]:
    """Give images the classifier's classes, and leave out those that have none or are of another magnification.

    Parameters
    ----------
    listing : Listing
        The external data set's.
    classes : mapping
        From its classes to the classifier's; None leaves the class out, and classes that are not there keep their name.
    magnifications : sequence of int
        Those wanted; empty: all.

    Returns
    -------
    listing : Listing
        What is left, relabelled.
    left_out : dict of str to int
        Images by the reason: ``class``, ``magnification``.
    """
    meant = {image.label: classes.get(image.label, image.label) for image in listing.images}
    known = [replace(image, label=label) for image in listing.images if (label := meant[image.label]) is not None]
    kept = [image for image in known if not magnifications or image.magnification in magnifications]
    left_out = {"class": len(listing.images) - len(known), "magnification": len(known) - len(kept)}
    return replace(listing, images=kept), left_out


@dataclass(frozen=True)
class Overlap:
    """External images whose patients the classifier's data set has as well.

    Attributes
    ----------
    rows : Series of bool
        Of each external image, whether it is left out: all images of a patient are, if one is known.
    cases, files, pictures : int
        Patients of the same case, images with the same bytes, and images with the same perceptual hash.
    patients : int
        Patients left out.
    """

    rows: "pd.Series[bool]"
    cases: int
    files: int
    pictures: int
    patients: int

    def numbers(self) -> dict[str, int]:
        """For JSON."""
        return {
            "images": int(self.rows.sum()),
            "patients": self.patients,
            "same_case": self.cases,
            "same_file": self.files,
            "same_picture": self.pictures,
        }


def find_overlap(external: pd.DataFrame, internal: pd.DataFrame, layouts: tuple[str, str]) -> Overlap:
    """Find the patients of the external data set that stand in the classifier's own.

    Parameters
    ----------
    external, internal : DataFrame
        Manifests; `internal` of all images in the split, whichever its part: the change between the two data sets
        is one between different patients.
    layouts : tuple of str
        Of both data sets. Case ids are compared where they are the same, and name cases.

    Returns
    -------
    Overlap
    """
    comparable = layouts[0] == layouts[1] and layouts[0] not in ANONYMOUS
    same_case = external["case"].isin(set(internal["case"]) if comparable else set())
    same_file = external["sha256"].isin(set(internal["sha256"]))
    same_picture = external["phash"].isin(set(internal["phash"]))
    known = same_case | same_file | same_picture
    rows = external["group"].isin(set(external.loc[known, "group"]))
    return Overlap(
        rows=rows,
        cases=int(external.loc[same_case, "case"].nunique()),
        files=int(same_file.sum()),
        pictures=int(same_picture.sum()),
        patients=int(external.loc[rows, "group"].nunique()),
    )


def leave_out(external: pd.DataFrame, overlap: Overlap, classes: Sequence[str], name: str, own: str) -> pd.DataFrame:
    """The external images of other patients.

    Raises
    ------
    UserError
        If a class has none left: the data set then tests nothing.
    """
    kept = external[~overlap.rows.reindex(external.index, fill_value=False)]
    absent = [label for label in classes if not (kept["label"] == label).any()]
    if absent and overlap.patients:
        raise UserError(
            f"evaluate.external: {overlap.patients} of {external['group'].nunique()} patients of {name} are in the "
            f"split of {own} as well ({_describe(overlap)}), and without them no image of class {absent[0]} is left; "
            "give a data set of other patients"
        )
    if absent:
        raise UserError(f"evaluate.external: {name} has no image of class {absent[0]}; see evaluate.external_*")
    return kept


def describe_left_out(left_out: Mapping[str, Any]) -> str:
    """What was left out, in words; empty where nothing was."""
    words = {
        "class": "{} images of classes that the classifier does not know",
        "magnification": "{} images of other magnifications",
        "unusable": "{} files that cannot be read",
    }
    parts = [text.format(left_out[key]) for key, text in words.items() if left_out.get(key)]
    known = left_out.get("known", {})
    if known.get("patients"):
        parts.append(f"{known['images']} images of {known['patients']} patients whom the classifier's data set has too")
    return "; ".join(parts)


def _describe(overlap: Overlap) -> str:
    counts = {"the same case": overlap.cases, "the same file": overlap.files, "the same picture": overlap.pictures}
    return ", ".join(f"{words}: {count}" for words, count in counts.items() if count)
