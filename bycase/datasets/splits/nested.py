"""Nested sets of training groups: each smaller one lies in every larger one, and all look like the whole."""

import numpy as np
import pandas as pd

from bycase.core.errors import UserError


def group_labels(splits: pd.DataFrame, labels: "pd.Series[str]") -> "pd.Series[str]":
    """The most frequent class of each training group, of equals the first by name.

    Parameters
    ----------
    splits : DataFrame with the columns ``image``, ``part``, ``group``
        See `bycase.tables.splits`.
    labels : Series of str, by image
        Classes.

    Returns
    -------
    Series of str, by group
    """
    train = splits[splits["part"] == "train"]
    return pd.crosstab(train["group"], train["image"].map(labels)).idxmax(axis=1).astype(str)


def nested_order(labels: "pd.Series[str]", random: np.random.Generator) -> list[str]:
    """An order of groups of which every beginning holds the classes in about their shares, and soon one of each.

    Parameters
    ----------
    labels : Series of str, by group
        Of `group_labels`.
    random : Generator
        Decides which groups of a class come first.

    Returns
    -------
    list of str
        All groups. The first so many as there are classes are of one class each; from then on each is of the class that
        is missed most.
    """
    counts = labels.groupby(labels).size().sort_values(ascending=False, kind="stable")
    waiting = {label: list(random.permutation(sorted(labels.index[labels == label]))) for label in counts.index}
    order = [groups.pop() for groups in waiting.values()]
    taken = dict.fromkeys(counts.index, 1)
    while len(order) < len(labels):
        missed = {
            label: counts[label] * (len(order) + 1) / len(labels) - taken[label]
            for label, groups in waiting.items()
            if groups
        }
        label = max(missed, key=lambda name: missed[name])
        order.append(waiting[label].pop())
        taken[label] += 1
    return [str(group) for group in order]


def keep_training_groups(splits: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
    """A split without the images of all other training groups; validation and test stay as they are."""
    return splits[(splits["part"] != "train") | splits["group"].isin(kept)].reset_index(drop=True)


def check_counts(counts: list[int], folds: pd.DataFrame, labels: "pd.Series[str]", noun: str) -> None:
    """Refuse numbers of training groups that a fold does not have, or that cannot hold every class.

    Parameters
    ----------
    counts : list of int
        Ascending.
    folds : DataFrame with the columns ``fold``, ``image``, ``part``, ``group``
        Of one repeat; see `bycase.datasets.splits.folds.make_folds`.
    labels : Series of str, by image
        Classes.
    noun : str
        What messages call groups, such as ``patients``.

    Raises
    ------
    UserError
        With the numbers that there are.
    """
    classes = labels.nunique()
    if counts[0] < classes:
        raise UserError(
            f"--patients {counts[0]}: there are {classes} classes, and each needs one of the {noun}; give at least "
            f"{classes}"
        )
    train = folds[folds["part"] == "train"].groupby("fold")["group"].nunique()
    if counts[-1] > train.min():
        raise UserError(
            f"--patients {counts[-1]}: fold {train.idxmin()} has {train.min()} training {noun}, since others are "
            f"validation and test; give at most {train.min()}"
        )
