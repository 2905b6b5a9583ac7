"""From the manifest and the split's parameters to parts, and how they were made."""

from pathlib import Path
from typing import Any

import pandas as pd

from stages.common.errors import UserError
from stages.common.params import SplitParams
from stages.split.assign import assign_groups
from stages.split.official import read_official_fold
from stages.split.table import PARTS


def make_splits(manifest: pd.DataFrame, split: SplitParams, raw: Path, seed: int) -> pd.DataFrame:
    """Divide the images as `split` says.

    Parameters
    ----------
    manifest : DataFrame
        See `stages.common.manifest`.
    split : SplitParams
        Protocol, group and shares.
    raw : Path
        Where an official fold's file is looked for, unless ``split.folds_file`` says.
    seed : int
        The pipeline's seed.

    Returns
    -------
    DataFrame
        The manifest's chosen rows with the columns ``group``, ``part`` and ``fold`` replaced or added.

    Raises
    ------
    UserError
        If the magnifications leave no image, groups are too few, or an official fold straddles groups.
    """
    chosen = select_magnifications(manifest, split.magnifications)
    chosen = chosen.assign(group=chosen[split.group])
    if split.protocol == "official":
        place = Path(split.folds_file) if split.folds_file else raw
        return _official(chosen, read_official_fold(place, split.official_fold), split, seed)
    shares = dict(zip(PARTS, (1 - split.validation - split.test, split.validation, split.test), strict=True))
    return chosen.assign(part=assign_groups(chosen, shares, seed, split.group), fold=0)


def select_magnifications(manifest: pd.DataFrame, magnifications: list[int] | list[Any]) -> pd.DataFrame:
    """The rows of the wanted magnifications; all of them where the list is empty."""
    if not magnifications:
        return manifest
    chosen = manifest[manifest["magnification"].isin(magnifications)]
    if chosen.empty:
        there = ", ".join(map(str, sorted(set(manifest["magnification"]))))
        raise UserError(f"split.magnifications: no image at {', '.join(map(str, magnifications))}; there are {there}")
    lost = sorted(set(manifest["label"]) - set(chosen["label"]))
    if lost:
        raise UserError(
            f"split.magnifications: no {lost[0]} image at {', '.join(map(str, magnifications))}; add others"
        )
    return chosen


def _official(frame: pd.DataFrame, fold: pd.DataFrame, split: SplitParams, seed: int) -> pd.DataFrame:
    """Train and test as published; validation is taken from train, since the publisher has none."""
    names = frame["source"].str.rsplit("/", n=1).str[-1]
    part = names.map(dict(zip(fold["name"], fold["part"], strict=True)))
    if part.isna().any():
        raise UserError(
            f"official fold {split.official_fold} does not list {names[part.isna()].iloc[0]}; wrong folds file?"
        )
    straddling = part.groupby(frame["group"]).nunique().loc[lambda parts: parts > 1]
    if len(straddling):
        raise UserError(
            f"official fold {split.official_fold} has {len(straddling)} {split.group}s on both sides, "
            f"{straddling.index[0]} among them: it is disjoint by slide folder only; "
            "set split.group to folder, or split.protocol to fractions"
        )
    train = frame[part == "train"]
    if split.validation * len(frame) >= len(train):
        raise UserError(f"split.validation {split.validation:g} leaves nothing of the official fold's train part")
    share = split.validation * len(frame) / len(train)
    inner = assign_groups(train, {"train": 1 - share, "val": share}, seed, split.group)
    return frame.assign(part=inner.reindex(frame.index).fillna("test"), fold=split.official_fold)


def describe(frame: pd.DataFrame, split: SplitParams, dataset: str, seed: int) -> dict[str, Any]:
    """How the split was made and what it holds: the content of ``data/splits.json``."""
    return {
        "dataset": dataset,
        "protocol": split.protocol,
        "group": split.group,
        "seed": seed,
        "fold": split.official_fold if split.protocol == "official" else 0,
        "magnifications": list(split.magnifications),
        "patient_disjoint": bool(frame.groupby("case")["part"].nunique().max() == 1),
        "cases_on_both_sides": _straddling_cases(frame),
        "counts": {
            part: {
                "images": len(rows),
                "groups": int(rows["group"].nunique()),
                "cases": int(rows["case"].nunique()),
                "by_class": {str(k): int(v) for k, v in rows["label"].value_counts().sort_index().items()},
                "by_subtype": {str(k): int(v) for k, v in rows["subtype"].value_counts().sort_index().items()},
            }
            for part, rows in ((part, frame[frame["part"] == part]) for part in PARTS)
        },
    }


def _straddling_cases(frame: pd.DataFrame) -> int:
    """Cases with images both in test and in train or validation."""
    in_test = set(frame.loc[frame["part"] == "test", "case"])
    return len(in_test & set(frame.loc[frame["part"] != "test", "case"]))
