"""`data/manifest.csv`: one row an image, the table that every later stage starts from."""

from pathlib import Path

import pandas as pd

from bycase.core.files import write_csv
from bycase.tables.results import check_images, read_table

RESTRUCTURED = Path("data/restructured")
PREPROCESSED = Path("data/preprocessed")
MANIFEST = Path("data/manifest.csv")
PATIENTS_UNKNOWN = "patients unknown: intervals and splits treat images as independent but for duplicates"

COLUMNS = (
    "image",  # path below data/restructured, with /
    "label",  # one of the data set's classes
    "subtype",  # finer class, such as DC; the label where there is none
    "magnification",  # 40, 100, 200 or 400; 0 where the data set has none
    "folder",  # slide folder
    "case",  # what stands for a patient
    "group",  # what must not straddle train, val and test by default
    "width",  # of the published image, in pixels
    "height",
    "sha256",  # of the published file's bytes
    "phash",  # 64-bit perceptual hash of the published image, hexadecimal
    "source",  # path below data/raw/<dataset>, with /
    "mask",  # the lesion's masks, paths below data/raw/<dataset> joined by |
    "age",  # of the patient, in years
    "sex",  # of the patient
    "site",  # where on the body
    "confirmed_by",  # what the diagnosis rests on
    "supplied_part",  # train, val or test, as the data set has it
    "supplied_fold",  # its number, likewise
)  # and after these whatever other columns the data set has, for the subgroup tables
OPTIONAL = (
    "mask",
    "age",
    "sex",
    "site",
    "confirmed_by",
    "supplied_part",
    "supplied_fold",
)  # empty where not known, or not published at all
NUMBERS = ("magnification", "width", "height")


def patients_note(known: bool) -> dict[str, str]:
    """What results carry as their ``note`` where nothing names a patient; empty where something does."""
    return {} if known else {"note": PATIENTS_UNKNOWN}


def write_manifest(path: Path, frame: pd.DataFrame) -> None:
    """Write the manifest, sorted by image.

    Parameters
    ----------
    path : Path
        Usually `MANIFEST`.
    frame : DataFrame with the columns `COLUMNS`, and any others
        One row an image. Of the `OPTIONAL` ones, those that it lacks are written empty.
    """
    _check(path, frame)
    write_csv(path, _complete(frame).sort_values("image"))


def read_manifest(path: Path = MANIFEST) -> pd.DataFrame:
    """Read and check the manifest; all columns are text but for the `NUMBERS`.

    Raises
    ------
    UserError
        If the file is missing, a column is missing, or an image stands twice.
    """
    frame = read_table(path, "restructure", dtype=str)
    _check(path, frame)
    return _complete(frame).astype(dict.fromkeys(NUMBERS, int))


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """All columns, in their order; the optional ones empty where they are not there."""
    complete = frame.assign(**{column: "" for column in OPTIONAL if column not in frame.columns})
    return complete[[*COLUMNS, *more_columns(frame)]]


def more_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that only this data set has, for the subgroup tables."""
    return [column for column in frame.columns if column not in COLUMNS]


def _check(path: Path, frame: pd.DataFrame) -> None:
    required = [column for column in COLUMNS if column not in OPTIONAL]
    check_images(frame, required, path, "run 'dvc repro -f restructure'")
