"""What the audit found, in numbers, and its reason to stop."""

from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.duplicates import KINDS, SAME_PICTURE, Waived, list_members, without_waived, write_waiver


def make_report(duplicates: pd.DataFrame, images: int, thresholds: dict[str, float], waived: Waived) -> dict[str, Any]:
    """The content of ``metrics/audit.json``.

    Parameters
    ----------
    duplicates : DataFrame
        See `bycase.datasets.duplicates.read_duplicates`.
    images : int
        Number of images audited.
    thresholds : dict of str to float
        What the pairs were found with.
    waived : collection of (str, str)
        Pairs that may stand under two labels.
    """
    same = duplicates[duplicates["kind"].isin(SAME_PICTURE)]
    members = list_members(same)
    sizes = members.groupby("cluster").size()
    cross = same[~same["same_label"].to_numpy(bool)]
    left = without_waived(cross, waived)
    return {
        "images": images,
        "thresholds": thresholds,
        "pairs": {kind: _count(duplicates[duplicates["kind"] == kind]) for kind in KINDS},
        "clusters": {
            "number": len(sizes),
            "images": int(sizes.sum()),
            "largest": int(sizes.max()) if len(sizes) else 0,
        },
        "cross_label": {
            "pairs": len(cross),
            "waived": len(cross) - len(left),
            "names": [write_waiver(a, b) for a, b in zip(cross["image_a"], cross["image_b"], strict=True)],
        },
    }


def _count(pairs: pd.DataFrame) -> dict[str, int]:
    group, label = pairs["same_group"].to_numpy(bool), pairs["same_label"].to_numpy(bool)
    return {
        "total": len(pairs),
        "within_groups": int(np.sum(group)),
        "across_groups": int(np.sum(~group)),
        "within_labels": int(np.sum(label)),
        "across_labels": int(np.sum(~label)),
    }


def check_labels(duplicates: pd.DataFrame, waived: Waived, report: str, key: str = "audit.waive") -> None:
    """Refuse one picture under two labels, unless that pair is waived.

    Raises
    ------
    UserError
        Naming the first pair, how many there are, and the ways out.
    """
    left = without_waived(duplicates, waived)
    left = left[~left["same_label"].to_numpy(bool)]
    if len(left):
        first = left.iloc[0]
        raise UserError(
            f"{len(left)} pairs of duplicates stand under two labels; the first ({first['kind']}): "
            f"{write_waiver(first['image_a'], first['image_b'])}; all: {report}; "
            f"add each pair, written so, to {key} in params.yaml, or remove one of its images from the data set"
        )
