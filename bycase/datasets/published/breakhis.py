"""BreakHis: how many images its slide folders hold, and into which parts published works put them.

``breakhis.csv`` has a row a slide folder: its images at each magnification, counted from the 7,909 published file
names, and its part in three works, empty where a work leaves it out. These are facts; no image is needed.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from bycase.datasets.layouts.breakhis import MAGNIFICATIONS, parse_name

COLUMNS = ("image", "source", "label", "subtype", "magnification", "folder", "case", "group")
TABLE = Path(__file__).with_name("breakhis.csv")


@dataclass(frozen=True)
class Published:
    """One published split.

    Attributes
    ----------
    work, source : str
        Whose it is, and where it says so.
    claims : str
        What it calls its unit.
    column : str
        In the table; empty where the list is not here.
    magnifications : tuple of int
        Of its images.
    """

    work: str
    source: str
    claims: str
    column: str
    magnifications: tuple[int, ...] = MAGNIFICATIONS


WORKS = (
    Published(
        "kaiko-ai/eva",
        "src/eva/vision/data/datasets/classification/breakhis.py, validation ids",
        "patients",
        "eva",
        (40,),
    ),
    Published(
        "MICS-Lab/thunder",
        "src/thunder/datasets/dataset/break_his.py, test and validation ids",
        "patients",
        "thunder",
        (40,),
    ),
    Published(
        "Debcode2006/Breakhis-patient-level-audit",
        "splits/breakhis_splits.json, test patients",
        "patients",
        "debcode2006",
    ),
)


@cache
def _table() -> pd.DataFrame:
    return pd.read_csv(TABLE, dtype={work.column: str for work in WORKS}, keep_default_na=False)


def name_images() -> pd.DataFrame:
    """All 7,909 images, with what names tell; the images of a slide folder are counted, not named.

    Returns
    -------
    DataFrame with the columns `COLUMNS`
        ``image`` is the slide folder, the magnification and ``#`` with a number.
    """
    rows = []
    for row in _table().to_dict("records"):
        slide = row["slide"]
        for magnification in MAGNIFICATIONS:
            image = parse_name(f"{slide}-{magnification}-001.png")
            known = (image.label, image.subtype, magnification, image.folder, image.case, image.case)
            rows += [(name := f"{slide}-{magnification}-#{n}", name, *known) for n in range(row[str(magnification)])]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_split(work: Published) -> pd.DataFrame:
    """The slide folders of a work: a frame with the columns ``name`` and ``part``."""
    table = _table()[["slide", work.column]].set_axis(["name", "part"], axis=1)
    return table[table["part"] != ""].reset_index(drop=True)
