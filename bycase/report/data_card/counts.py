"""Counts of a manifest: classes, groups, sizes, and what is not known."""

import pandas as pd

from bycase.tables.manifest import OPTIONAL


def count_groups(manifest: pd.DataFrame, by: str) -> pd.DataFrame:
    """Images and groups by the values of one column.

    Parameters
    ----------
    manifest : DataFrame with the columns ``group`` and `by`
        One row an image.
    by : str
        Such as ``label``.

    Returns
    -------
    DataFrame with the columns `by`, ``images``, ``share``, ``groups``, ``min``, ``median``, ``max``
        Sorted by `by`. The share is of all images, in [0, 1]; the last three are images a group, of
        those that have this value.
    """
    rows = []
    for value, part in manifest.groupby(by, sort=True):
        sizes = part["group"].value_counts()
        rows.append(
            {
                by: value,
                "images": len(part),
                "share": len(part) / len(manifest),
                "groups": len(sizes),
                "min": int(sizes.min()),
                "median": float(sizes.median()),
                "max": int(sizes.max()),
            }
        )
    return pd.DataFrame(rows)


def count_mixed_groups(manifest: pd.DataFrame, column: str = "label") -> int:
    """Groups with images of more than one class (or other `column`)."""
    pairs = manifest.drop_duplicates(["group", column])
    return int(pairs.loc[pairs["group"].duplicated(), "group"].nunique())


def count_sizes(manifest: pd.DataFrame, most: int = 5) -> list[tuple[str, int]]:
    """Published sizes, such as ``700x460``, most frequent first; beyond `most` they are counted together."""
    sizes = manifest["width"].astype(str) + "x" + manifest["height"].astype(str)
    counts = sorted(sizes.value_counts().items(), key=lambda pair: (-pair[1], str(pair[0])))
    shown = [(str(size), int(n)) for size, n in counts[:most]]
    rest = counts[most:]
    return [*shown, (f"{len(rest)} others", int(sum(n for _, n in rest)))] if rest else shown


def count_unknown(manifest: pd.DataFrame) -> dict[str, int]:
    """Images without a value, for each optional column that has one for some image but not for all."""
    empty = {column: int((manifest[column] == "").sum()) for column in OPTIONAL}
    return {column: n for column, n in empty.items() if 0 < n < len(manifest)}


def count_masks(manifest: pd.DataFrame) -> tuple[int, int]:
    """Images with at least one mask, and with several."""
    masks = manifest["mask"]
    return int((masks != "").sum()), int(masks.str.contains("|", regex=False).sum())
