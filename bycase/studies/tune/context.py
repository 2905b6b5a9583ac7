"""What the trials of one search are trained on: its inner folds, and the outer fold that the best of each predicts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.params import Params
from bycase.core.rows import RowFile
from bycase.studies.tune.folds import OUTER_PART, folds_of, inner_part, read_tuning_folds, take_pool
from bycase.studies.tune.place import features_folder
from bycase.tables.features import Features, read_features
from bycase.tables.manifest import read_manifest
from bycase.tables.models import order_classes
from bycase.tables.splits import read_splits
from bycase.training.phases import END_TO_END
from bycase.training.subsets import Subset, take_subset

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Inner:
    """One inner fold: what is trained on, and what is scored on."""

    train: Subset
    val: Subset


@dataclass(frozen=True)
class SearchData:
    """The images of one search.

    Attributes
    ----------
    pool : DataFrame
        See `bycase.studies.tune.folds.take_pool`.
    folds : DataFrame
        This search's rows.
    inner : list of Inner
        In order.
    outer_images : Series of str
        To be predicted; empty in the search 'final'.
    """

    pool: pd.DataFrame
    folds: pd.DataFrame
    inner: list[Inner]
    outer_images: "pd.Series[str]"


class SelectedRows(RowFile):
    """Some rows of a file, `rows`, in an order of their own."""

    def __init__(self, path: Path, rows: Rows) -> None:
        super().__init__(path)
        self._rows = rows
        self.shape = (len(rows), *self.shape[1:])

    def read(self, rows: Rows) -> NDArray[np.generic]:
        """The rows at the positions `rows` of the selection."""
        return super().read(self._rows[rows])


def read_search_data(params: Params, outer: str) -> SearchData:
    """Read the pool and one search's folds; the test part's rows are dropped at once."""
    splits = read_splits()
    pool = take_pool(splits, read_manifest())
    folds = folds_of(outer, read_tuning_folds(), splits)
    return SearchData(pool, folds, inner_folds(params, pool, folds), folds.loc[folds["part"] == OUTER_PART, "image"])


def inner_folds(params: Params, pool: pd.DataFrame, folds: pd.DataFrame) -> list[Inner]:
    """The subsets of every inner fold of one search's rows: scored on its images, trained on those of the others."""
    classes = order_classes(params.data.classes, params.data.positive)
    searched = folds[folds["part"] != OUTER_PART]
    inner = []
    for fold in range(searched["part"].nunique()):
        held_out = searched["part"] == inner_part(fold)
        parts = searched.assign(part=np.where(held_out, "val", "train"))
        train, val = (
            take_subset(part, parts, pool, classes, params.train.class_weight, params.train.sampling)
            for part in ("train", "val")
        )
        inner.append(Inner(train, val))
    return inner


def read_strength(params: Params, strength: float) -> Features | None:
    """The features of one augmentation strength; None for a network trained end to end."""
    return None if params.network.mode == END_TO_END else read_features(features_folder(strength))
