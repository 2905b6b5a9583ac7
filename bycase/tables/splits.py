"""`data/splits.csv` and its protocol: written and read with the same check that no split group straddles subsets."""

from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json
from bycase.tables.results import check_images, read_results, read_table

SPLITS = Path("data/splits.csv")
PROTOCOL = Path("data/splits.json")

SUBSETS = ("train", "val", "test")
COLUMNS = ("image", "part", "fold", "group")
DTYPES = {"image": str, "part": str, "group": str}


def write_splits(frame: pd.DataFrame, protocol: dict[str, Any], path: Path = SPLITS, beside: Path = PROTOCOL) -> None:
    """Check a split and write it with its protocol.

    Parameters
    ----------
    frame : DataFrame with the columns `COLUMNS`
        One row an image; ``part`` is one of `SUBSETS`, ``group`` the split group, which may not straddle them,
        ``fold`` the official fold's number or that of the k-fold's test subset; else 0.
    protocol : dict
        How the split was made; what figures and reports say of it.
    path, beside : Path
        Where the two files go.

    Raises
    ------
    UserError
        If an image stands twice, a subset is empty or unknown, or a split group straddles subsets.
    """
    check_splits(frame, path)
    write_csv(path, frame.loc[:, list(COLUMNS)].sort_values("image"))
    write_json(beside, protocol)


def read_splits(path: Path = SPLITS) -> pd.DataFrame:
    """Read a split and check it again; columns as in `write_splits`."""
    frame = read_table(path, "split", dtype=DTYPES)
    check_splits(frame, path)
    return frame


def read_protocol(path: Path = PROTOCOL) -> dict[str, Any]:
    """Read how the split was made."""
    return read_results(path, "split")


def check_splits(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a split in which anything straddles subsets.

    Raises
    ------
    UserError
        Naming the column, image, subset or split group at fault.
    """
    check_images(frame, COLUMNS, path, "run 'dvc repro -f split'")
    unknown = set(frame["part"]) - set(SUBSETS)
    if unknown:
        raise UserError(f"{path}: part '{min(unknown)}' is none of {', '.join(SUBSETS)}")
    for subset in SUBSETS:
        if not (frame["part"] == subset).any():
            raise UserError(f"{path}: part {subset} is empty; change split.validation or split.test")
    subsets = frame.groupby("group")["part"].nunique()
    straddling = subsets.index[subsets > 1]
    if len(straddling):
        raise UserError(
            f"{path}: group {straddling[0]} stands in {subsets[straddling[0]]} parts; run 'dvc repro -f split'"
        )
