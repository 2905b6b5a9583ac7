"""Patients and images that two data sets share: what an external test set must not have been trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.core.errors import UserError


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


def find_overlap(external: pd.DataFrame, internal: pd.DataFrame, patients_known: bool) -> Overlap:
    """Find the patients of the external data set that stand in the classifier's own.

    Parameters
    ----------
    external, internal : DataFrame
        Manifests; `internal` of all images in the split, whichever its part: the change between the two data sets
        is one between different patients.
    patients_known : bool
        Whether both data sets name their patients, so that these can be compared.

    Returns
    -------
    Overlap
    """
    same_case = external["group"].isin(set(internal["group"]) if patients_known else set())
    same_file = external["sha256"].isin(set(internal["sha256"]))
    same_picture = external["phash"].isin(set(internal["phash"]))
    known = same_case | same_file | same_picture
    rows = external["group"].isin(set(external.loc[known, "group"]))
    return Overlap(
        rows=rows,
        cases=int(external.loc[same_case, "group"].nunique()),
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
            "give a data set of other patients, or, if other people are meant there, cases with names of their own"
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
