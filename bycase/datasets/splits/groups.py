"""What may not straddle subsets: the chosen images' split groups, and duplicates of one image in several of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.params_data import SplitParams
from bycase.datasets.duplicates import Waived, list_members, number_components, without_waived, write_waiver


def select_magnifications(manifest: pd.DataFrame, magnifications: Sequence[int]) -> pd.DataFrame:
    """The rows of the wanted magnifications; all of them where there is none.

    Raises
    ------
    UserError
        If no image, or none of a class, is left.
    """
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


def add_split_groups(manifest: pd.DataFrame, split: SplitParams, duplicates: pd.DataFrame) -> pd.DataFrame:
    """The images at the wanted magnifications with ``group`` set to the split group, which may not straddle subsets."""
    chosen = select_magnifications(manifest, split.magnifications)
    chosen = chosen.assign(group=chosen[split.group])
    return chosen.assign(group=join_duplicates(chosen, duplicates)) if split.merge_duplicates else chosen


def hold_out_magnification(frame: pd.DataFrame, magnification: int | None) -> pd.DataFrame:
    """Leave one magnification to the test subset, and the others to train and validation.

    The subsets are laid down before: a patient is tested with and without a magnification held out, so that two
    networks, trained on all magnifications and on the others, can be compared on the same images.

    Parameters
    ----------
    frame : DataFrame with the columns ``label``, ``magnification`` and ``part``
        One row an image.
    magnification : int or None
        None: nothing is held out, and all rows stay.

    Raises
    ------
    UserError
        If there is no image at that magnification, or a subset is left without a class.
    """
    if magnification is None:
        return frame
    there = sorted(set(frame["magnification"]) - {0})
    if not there:
        raise UserError("split.held_out_magnification: this data set has no magnifications; set it to null")
    if magnification not in there:
        raise UserError(
            f"split.held_out_magnification: no image at {magnification}; there are {', '.join(map(str, there))}"
        )
    left = frame[(frame["part"] == "test") == (frame["magnification"] == magnification)]
    for subset, rows in frame.groupby("part"):
        lost = sorted(set(rows["label"]) - set(left.loc[left["part"] == subset, "label"]))
        if lost:
            raise UserError(
                f"split.held_out_magnification: {magnification} leaves no {lost[0]} image in {subset}; hold out "
                "another, or change split.magnifications or seed"
            )
    return left


def join_duplicates(frame: pd.DataFrame, duplicates: pd.DataFrame) -> pd.Series:
    """Join groups that share an image, be it the same pixels or nearly so.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``group``
        One row an image.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`; images without a group still join those that they are like.

    Returns
    -------
    Series of str, with the index of `frame`
        Groups joined into one bear the smallest of their names, which no other group can have.
    """
    groups = frame.set_index("image")["group"]
    members = list_members(duplicates)
    members = members[members["image"].isin(groups.index)]
    if members.empty:
        return frame["group"].copy()
    names, positions = np.unique(groups.to_numpy(str), return_inverse=True)
    member = pd.Series(positions, index=groups.index).loc[members["image"]].to_numpy(np.intp)
    cluster = len(names) + pd.factorize(members["cluster"])[0]
    component = number_components(member, cluster, int(cluster.max()) + 1)[: len(names)]
    # Names are sorted, so a component's first group is its smallest.
    smallest = pd.Series(names).groupby(component).transform("first").to_numpy(object)
    return pd.Series(smallest[positions], index=frame.index, name="group")


def join_within_subsets(frame: pd.DataFrame, duplicates: pd.DataFrame) -> pd.Series:
    """Join groups as `join_duplicates` does, but none across the subsets (``part``) that somebody else has made."""
    joined = [join_duplicates(rows, duplicates) for _, rows in frame.groupby("part")]
    return pd.concat(joined).reindex(frame.index)


def pairs_across(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived = ()) -> pd.DataFrame:
    """Exact and near pairs of which one image is in test and the other in train or validation.

    Parameters
    ----------
    frame : DataFrame with the columns ``image`` and ``part``
        Pairs with an image outside it are left out.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.
    waived : collection of (str, str)
        Pairs that may straddle; see `bycase.datasets.duplicates.parse_waivers`.

    Returns
    -------
    DataFrame
        Those rows of `duplicates`, with the columns ``part_a`` and ``part_b``.
    """
    subsets = frame.set_index("image")["part"]
    pairs = without_waived(duplicates, waived)
    pairs = pairs.assign(part_a=pairs["image_a"].map(subsets), part_b=pairs["image_b"].map(subsets))
    known = pairs["part_a"].notna() & pairs["part_b"].notna()
    in_test = (pairs["part_a"] == "test") | (pairs["part_b"] == "test")
    return pairs[known & in_test & (pairs["part_a"] != pairs["part_b"])]


def refuse_pairs_across(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived, way_out: str) -> None:
    """Refuse a split with a duplicate on both sides of the test subset, naming the first pair.

    `way_out` is what the user can do but waive the pair; the rest is as in `pairs_across`.
    """
    across = pairs_across(frame, duplicates, waived)
    if len(across):
        first = across.iloc[0]
        raise UserError(
            f"{len(across)} pairs of duplicates stand in test and in training or validation, the first "
            f"({first['kind']}): {write_waiver(first['image_a'], first['image_b'])}; {way_out}, or add each pair, "
            "written so, to audit.waive in params.yaml"
        )
