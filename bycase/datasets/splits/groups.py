"""What may not straddle parts: the chosen images' groups, and duplicates of one image in several groups."""

from collections.abc import Sequence

import pandas as pd

from bycase.core.errors import UserError
from bycase.datasets.duplicates import Waived, merge_clusters, straddling_pairs, write_waiver


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


def hold_out_magnification(frame: pd.DataFrame, magnification: int | None) -> pd.DataFrame:
    """Leave one magnification to the test part, and the others to train and validation.

    The parts are laid down before: a patient is tested with and without a magnification held out, so that two
    networks, trained on all magnifications and on the others, can be compared on the same images.

    Parameters
    ----------
    frame : DataFrame with the columns ``label``, ``magnification`` and ``part``
        One row an image.
    magnification : int or None
        None: nothing is held out.

    Returns
    -------
    DataFrame
        The rows that are left.

    Raises
    ------
    UserError
        If there is no image at that magnification, or a part is left without a class.
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
    for part, rows in frame.groupby("part"):
        lost = sorted(set(rows["label"]) - set(left.loc[left["part"] == part, "label"]))
        if lost:
            raise UserError(
                f"split.held_out_magnification: {magnification} leaves no {lost[0]} image in {part}; hold out another, "
                "or change split.magnifications or seed"
            )
    return left


def join_duplicates(frame: pd.DataFrame, duplicates: pd.DataFrame) -> pd.Series:
    """Join groups that share an image, be it the same pixels or nearly so.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``group``
        One row an image.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.

    Returns
    -------
    Series of str, with the index of `frame`
        Groups joined into one bear the smallest of their names.
    """
    joined = merge_clusters(frame.set_index("image")["group"], duplicates)
    return pd.Series(joined.to_numpy(), index=frame.index)


def join_within_parts(frame: pd.DataFrame, duplicates: pd.DataFrame) -> pd.Series:
    """Join groups as `join_duplicates` does, but none across the parts that somebody else has laid down.

    Parameters
    ----------
    frame : DataFrame with the columns ``image``, ``group`` and ``part``
        Each group in one part only.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.

    Returns
    -------
    Series of str, with the index of `frame`
        Groups.
    """
    joined = [join_duplicates(rows, duplicates) for _, rows in frame.groupby("part")]
    return pd.concat(joined).reindex(frame.index)


def pairs_across(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived = ()) -> pd.DataFrame:
    """Exact and near pairs of which one image is in test and the other in train or validation.

    Parameters
    ----------
    frame : DataFrame with the columns ``image`` and ``part``
        Images outside it are in no part.
    duplicates : DataFrame
        See `bycase.datasets.duplicates`.
    waived : collection of (str, str)
        Pairs that may straddle; see `bycase.datasets.duplicates.parse_waivers`.

    Returns
    -------
    DataFrame
        Those rows of `duplicates`.
    """
    return straddling_pairs(duplicates, frame.set_index("image")["part"], waived)


def refuse_pairs_across(frame: pd.DataFrame, duplicates: pd.DataFrame, waived: Waived, way_out: str) -> None:
    """Refuse a split with a duplicate on both sides of the test part.

    Parameters
    ----------
    frame, duplicates, waived
        See `pairs_across`.
    way_out : str
        What the user can do but waive the pair.

    Raises
    ------
    UserError
        Naming the first pair.
    """
    across = pairs_across(frame, duplicates, waived)
    if len(across):
        first = across.iloc[0]
        raise UserError(
            f"{len(across)} pairs of duplicates stand in test and in training or validation, the first "
            f"({first['kind']}): {write_waiver(first['image_a'], first['image_b'])}; {way_out}, or add each pair, "
            "written so, to audit.waive in params.yaml"
        )
