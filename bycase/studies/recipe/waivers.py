"""Pairs of duplicates that a published protocol does not mind: named in `audit.waive`, so that they are counted."""

from pathlib import Path

import pandas as pd

from bycase.core.params import Params
from bycase.datasets.duplicates import without_waived
from bycase.datasets.splits.groups import pairs_across
from bycase.datasets.splits.protocol import make_splits

Pair = tuple[str, str]


def pairs_under_two_labels(duplicates: pd.DataFrame) -> list[Pair]:
    """Pairs that show one picture under two labels, at which `audit` would stop."""
    same = without_waived(duplicates, [])
    return _pairs(same[~same["same_label"].to_numpy(bool)])


def pairs_on_both_sides(params: Params, manifest: pd.DataFrame, duplicates: pd.DataFrame) -> list[Pair]:
    """Pairs on both sides of the test part, at which `split` would stop; none where it merges duplicates.

    Parameters
    ----------
    params : Params
        With the split to be made.
    manifest : DataFrame
        See `bycase.tables.manifest`.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.
    """
    raw = Path("data/raw") / params.dataset
    every = _pairs(without_waived(duplicates, []))
    frame = make_splits(manifest, params.split, raw, params.seed, duplicates, every)
    return _pairs(pairs_across(frame, duplicates))


def _pairs(rows: pd.DataFrame) -> list[Pair]:
    return list(zip(rows["image_a"], rows["image_b"], strict=True))
