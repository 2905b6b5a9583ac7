"""`data/splits.csv` and its protocol: written and read with the same check that no group straddles parts."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.files import write_csv, write_json

SPLITS = Path("data/splits.csv")
PROTOCOL = Path("data/splits.json")

PARTS = ("train", "val", "test")
COLUMNS = ("image", "part", "fold", "group")


def write_splits(frame: pd.DataFrame, protocol: dict[str, Any], path: Path = SPLITS, beside: Path = PROTOCOL) -> None:
    """Check a split and write it with its protocol.

    Parameters
    ----------
    frame : DataFrame with the columns `COLUMNS`
        One row an image; ``part`` is one of `PARTS`, ``group`` what may not straddle parts, ``fold``
        the official fold's number or that of the k-fold's test part; else 0.
    protocol : dict
        How the split was made; what figures and reports say of it.
    path, beside : Path
        Where the two files go.

    Raises
    ------
    UserError
        If an image stands twice, a part is empty or unknown, or a group straddles parts.
    """
    check_splits(frame, path)
    write_csv(path, frame.loc[:, list(COLUMNS)].sort_values("image"))
    write_json(beside, protocol)


def read_splits(path: Path = SPLITS) -> pd.DataFrame:
    """Read a split and check it again; columns as in `write_splits`."""
    try:
        frame = pd.read_csv(path, dtype={"image": str, "part": str, "group": str}, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro split' first") from None
    check_splits(frame, path)
    return frame


def read_protocol(path: Path = PROTOCOL) -> dict[str, Any]:
    """Read how the split was made."""
    try:
        protocol: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run 'dvc repro split' first") from None
    return protocol


def check_splits(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a split in which anything straddles parts.

    Raises
    ------
    UserError
        Naming the column, image, part or group at fault.
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise UserError(f"{path}: column {', '.join(missing)} missing; run 'dvc repro -f split'")
    twice = frame["image"][frame["image"].duplicated()]
    if len(twice):
        raise UserError(f"{path}: image {twice.iloc[0]} stands twice; run 'dvc repro -f split'")
    unknown = set(frame["part"]) - set(PARTS)
    if unknown:
        raise UserError(f"{path}: part '{min(unknown)}' is none of {', '.join(PARTS)}")
    for part in PARTS:
        if not (frame["part"] == part).any():
            raise UserError(f"{path}: part {part} is empty; change split.validation or split.test")
    parts = frame.groupby("group")["part"].nunique()
    straddling = parts.index[parts > 1]
    if len(straddling):
        raise UserError(
            f"{path}: group {straddling[0]} stands in {parts[straddling[0]]} parts; run 'dvc repro -f split'"
        )
