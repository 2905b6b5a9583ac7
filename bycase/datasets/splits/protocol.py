"""From the manifest and the split's parameters to subsets, and how they were made."""

from pathlib import Path
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import Waived
from bycase.datasets.splits.external import complete_subsets, match_images, read_official_fold, read_split_file
from bycase.datasets.splits.folds import assign_folds, assign_groups, divide_rest, subsets_of_fold
from bycase.datasets.splits.groups import (
    add_split_groups,
    hold_out_magnification,
    join_within_subsets,
    pairs_across,
    refuse_pairs_across,
    select_magnifications,
)
from bycase.datasets.splits.leaks import find_leak
from bycase.datasets.splits.supplied import count_folds, read_supplied, refuse_leaks
from bycase.tables.splits import SUBSETS

SUPPLIED = ("supplied", "supplied_leaky")  # the data set's own parts or folds


def make_splits(
    manifest: pd.DataFrame,
    split: SplitParams,
    raw: Path,
    seed: int,
    duplicates: pd.DataFrame,
    waived: Waived = (),
) -> pd.DataFrame:
    """Divide the images into train, val and test as `split` says.

    Parameters
    ----------
    manifest : DataFrame
        See `bycase.tables.manifest`.
    split : SplitParams
        Protocol, group and shares.
    raw : Path
        Where an official fold's file is looked for, unless ``split.folds_file`` says.
    seed : int
        The pipeline's seed.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.
    waived : collection of (str, str)
        Duplicates that may stand on both sides; see `bycase.datasets.duplicates.parse_waivers`.

    Returns
    -------
    DataFrame
        The manifest's chosen rows with the columns ``group``, ``part`` and ``fold`` replaced or added.

    Raises
    ------
    UserError
        If the magnifications, or the one held out, leave no image, groups are too few, an official fold or a split
        file straddles groups, or a duplicate stands in test and in train or validation.
    """
    if split.protocol in SUPPLIED:
        frame = _supplied(select_magnifications(manifest, split.magnifications), split, seed, duplicates, waived)
        return hold_out_magnification(frame, split.held_out_magnification).assign(fold=_fold(split, frame))
    if split.protocol in ("official", "file"):
        chosen = select_magnifications(manifest, split.magnifications)
        chosen = chosen.assign(group=chosen[split.group])
        subset = _official(chosen, split, raw) if split.protocol == "official" else _from_file(chosen, manifest, split)
        frame = _keep_subsets(chosen.assign(part=subset), split, seed, duplicates)
        # What somebody else has laid down can't be mended by merging.
        way_out = "correct the split, set split.protocol to fractions or kfold"
    else:
        frame = add_split_groups(manifest, split, duplicates)
        frame = frame.assign(part=_own_subsets(frame, split, seed))
        way_out = "set split.merge_duplicates to true"
    frame = hold_out_magnification(frame, split.held_out_magnification)
    refuse_pairs_across(frame, duplicates, waived, way_out)
    return frame.assign(fold=_fold(split, frame))


def _supplied(
    chosen: pd.DataFrame, split: SplitParams, seed: int, duplicates: pd.DataFrame, waived: Waived
) -> pd.DataFrame:
    """The data set's own parts: as they are if nothing leaks, or whatever leaks where that is asked for."""
    chosen = chosen.assign(group=chosen["image" if split.protocol == "supplied_leaky" else split.group])
    frame = chosen.assign(part=read_supplied(chosen, split, seed))
    if split.protocol == "supplied":
        refuse_leaks(frame, duplicates, waived)
    return frame.assign(group=join_within_subsets(frame, duplicates)) if split.merge_duplicates else frame


def _own_subsets(frame: pd.DataFrame, split: SplitParams, seed: int) -> pd.Series:
    if split.protocol == "kfold":
        tested_in = assign_folds(frame, split, seed, split.folds, split.repeat)
        return subsets_of_fold(frame, tested_in, split.fold, split, seed, split.repeat)
    shares = dict(zip(SUBSETS, (1 - split.validation - split.test, split.validation, split.test), strict=True))
    return assign_groups(frame, shares, seed, "group", split.group)


def _fold(split: SplitParams, frame: pd.DataFrame) -> int:
    numbers = {"official": split.official_fold, "kfold": split.fold}
    if split.protocol in SUPPLIED and count_folds(frame) > 1:
        return split.fold
    return numbers.get(split.protocol, 0)


def _official(frame: pd.DataFrame, split: SplitParams, raw: Path) -> pd.Series:
    """Train and test as published."""
    fold = read_official_fold(Path(split.folds_file) if split.folds_file else raw, split.official_fold)
    names = frame["source"].str.rsplit("/", n=1).str[-1]
    subset = names.map(dict(zip(fold["name"], fold["part"], strict=True)))
    if subset.isna().any():
        raise UserError(
            f"official fold {split.official_fold} does not list {names[subset.isna()].iloc[0]}; wrong folds file?"
        )
    straddling = subset.groupby(frame["group"]).nunique().loc[lambda subsets: subsets > 1]
    if len(straddling):
        raise UserError(
            f"official fold {split.official_fold} has {len(straddling)} {split.group}s on both sides, "
            f"{straddling.index[0]} among them: it is disjoint by slide folder only; "
            "set split.group to folder, or split.protocol to fractions"
        )
    if split.validation * len(frame) >= (subset == "train").sum():
        raise UserError(f"split.validation {split.validation:g} leaves nothing of the official fold's train part")
    return subset


def _from_file(frame: pd.DataFrame, manifest: pd.DataFrame, split: SplitParams) -> pd.Series:
    """The subsets of ``split.file``, unless they straddle what ``split.group`` keeps together."""
    place = Path(split.file or "")
    supplied = match_images(read_split_file(place), manifest)
    subset = pd.Series(complete_subsets(supplied, frame["image"].tolist(), place).to_numpy(), index=frame.index)
    leak = find_leak(frame.assign(part=subset), "group")
    if leak.groups:
        raise UserError(
            f"split file {place} leaks: {len(leak.groups)} {split.group}s in more than one part, {leak.groups[0]} "
            f"among them, and {leak.share:.0%} of its test images have theirs in train or val "
            f"('bycase check-split {place}' names all); correct it, or take it as it is, with a warning, "
            "by a finer split.group"
        )
    if not (subset == "val").any() and split.validation * len(frame) >= (subset == "train").sum():
        raise UserError(f"split.validation {split.validation:g} leaves nothing of the train part of {place}")
    return subset


def _keep_subsets(frame: pd.DataFrame, split: SplitParams, seed: int, duplicates: pd.DataFrame) -> pd.DataFrame:
    """Subsets that somebody else has made; validation is taken from train by group where they have none."""
    if split.merge_duplicates:
        frame = frame.assign(group=join_within_subsets(frame, duplicates))
    if (frame["part"] == "val").any():
        return frame
    return frame.assign(part=divide_rest(frame, frame["part"] == "test", split, seed))


def describe(
    frame: pd.DataFrame,
    split: SplitParams,
    dataset: str,
    seed: int,
    duplicates: pd.DataFrame,
    patients_known: bool = True,
) -> dict[str, Any]:
    """How the split was made and what it holds: the content of ``data/splits.json``.

    `frame` is what `make_splits` gives, the rest what it was made from. The keys are the same for every protocol;
    ``folds`` is 1 where there are no folds, ``file`` and ``held_out_magnification`` null where there is none,
    ``merged_groups`` counts the groups that duplicates joined with another, ``duplicates_on_both_sides`` the
    pairs between test and the other subsets that are waived, or that the data set's own parts have. `patients_known`:
    whether anything names a patient.
    """
    kept = "image" if split.protocol == "supplied_leaky" else split.group
    joined = frame.groupby("group")[kept].nunique()
    return {
        "dataset": dataset,
        "protocol": split.protocol,
        "group": kept,
        "seed": seed,
        "fold": _fold(split, frame),
        "folds": {"official": 5, "kfold": split.folds}.get(
            split.protocol, count_folds(frame) if split.protocol in SUPPLIED else 1
        ),
        "repeat": split.repeat if split.protocol == "kfold" else 0,
        "file": split.file if split.protocol == "file" else None,
        "magnifications": list(split.magnifications),
        "held_out_magnification": split.held_out_magnification,
        "merge_duplicates": split.merge_duplicates,
        "merged_groups": int(joined[joined > 1].sum()),
        "duplicates_on_both_sides": len(pairs_across(frame, duplicates)),
        "patients_known": patients_known,
        "patient_disjoint": bool(frame.groupby("case")["part"].nunique().max() == 1),
        "cases_on_both_sides": _straddling_cases(frame),
        "counts": {subset: count_subset(frame[frame["part"] == subset]) for subset in SUBSETS},
    }


def count_subset(rows: pd.DataFrame) -> dict[str, Any]:
    """What a subset holds, of its images' ``group``, ``case``, ``label`` and ``subtype``."""
    return {
        "images": len(rows),
        "groups": int(rows["group"].nunique()),
        "cases": int(rows["case"].nunique()),
        "by_class": {str(k): int(v) for k, v in rows["label"].value_counts().sort_index().items()},
        "by_subtype": {str(k): int(v) for k, v in rows["subtype"].value_counts().sort_index().items()},
    }


def _straddling_cases(frame: pd.DataFrame) -> int:
    """Cases with images both in test and in train or validation."""
    in_test = set(frame.loc[frame["part"] == "test", "case"])
    return len(in_test & set(frame.loc[frame["part"] != "test", "case"]))
