"""What a split leaks: groups and duplicates that stand on both sides of its test subset."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from bycase.datasets.duplicates import Waived
from bycase.datasets.splits.groups import pairs_across

# From the widest to the narrowest; keeping one apart keeps those after it apart as well.
LEVELS = ("case", "group", "folder")


@dataclass(frozen=True)
class Leak:
    """What one kind of group leaks.

    Attributes
    ----------
    level : str
        A column of the manifest: one of `LEVELS`.
    groups : list of str
        Those with images in more than one subset, sorted.
    seen : Series of bool, index ``image``
        Of each held-out image, whether its group has images in a subset that a network learns from: of a test image, in
        train or val; of a validation image where there is no test subset, in train.
    labels : Series of str, index ``image``
        The held-out images' classes.
    """

    level: str
    groups: list[str]
    seen: pd.Series
    labels: pd.Series

    @property
    def share(self) -> float:
        """Share of the held-out images that are seen, 0 to 1."""
        return float(self.seen.mean()) if len(self.seen) else 0.0

    def summary(self) -> dict[str, Any]:
        """Counts, shares and names, for JSON."""
        by_class = self.seen.groupby(self.labels).agg(["sum", "size"])
        return {
            "straddling": len(self.groups),
            "names": self.groups,
            "held_out_images": len(self.seen),
            "seen_images": int(self.seen.sum()),
            "seen_share": self.share,
            "by_class": {
                str(label): {"images": int(row["size"]), "seen": int(row["sum"])} for label, row in by_class.iterrows()
            },
        }


def find_leak(frame: pd.DataFrame, level: str) -> Leak:
    """Find the groups that straddle subsets.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``label``, ``part`` and `level`
        One row an image.
    level : str
        The column of groups.
    """
    held_out = "test" if (frame["part"] == "test").any() else "val"
    subsets = frame.groupby(level)["part"].nunique()
    learned = set(frame.loc[frame["part"] != held_out, level])
    rows = frame[frame["part"] == held_out].set_index("image")
    return Leak(level, sorted(subsets.index[subsets > 1]), rows[level].isin(learned), rows["label"])


def find_leaks(frame: pd.DataFrame) -> list[Leak]:
    """Find what every kind of group leaks; a level whose groups are those of a wider one is left out.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``label``, ``part`` and `LEVELS`
        One row an image.

    Returns
    -------
    list of Leak
        In the order of `LEVELS`.
    """
    levels: list[str] = []
    for level in LEVELS:
        codes = pd.factorize(frame[level])[0]
        if not any((codes == pd.factorize(frame[wider])[0]).all() for wider in levels):
            levels.append(level)
    return [find_leak(frame, level) for level in levels]


def find_shared_images(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived) -> dict[str, Any]:
    """Find duplicates on both sides of the test subset.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``part``
        One row an image. Without a test subset, validation stands for it.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.
    waived : collection of (str, str)
        Pairs that may straddle.

    Returns
    -------
    dict
        ``exact`` and ``near``: numbers of pairs; ``pairs``: their images; ``waived``: number of pairs left out.
    """
    if not (frame["part"] == "test").any():
        frame = frame.assign(part=frame["part"].replace("val", "test"))
    everything = pairs_across(frame, duplicates)
    pairs = pairs_across(frame, duplicates, waived)
    return {
        "exact": int((pairs["kind"] == "exact").sum()),
        "near": int((pairs["kind"] == "near").sum()),
        "pairs": [list(pair) for pair in zip(pairs["image_a"], pairs["image_b"], strict=True)],
        "waived": len(everything) - len(pairs),
    }
