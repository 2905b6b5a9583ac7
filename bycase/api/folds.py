"""`bycase.CaseKFold`: this project's folds as a splitter of scikit-learn."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.multiclass import type_of_target

from bycase.api.inputs import read_column
from bycase.core.errors import UserError
from bycase.datasets.splits.folds import assign_groups
from bycase.statistics.units import Integers


class CaseKFold(BaseCrossValidator):
    """K folds that keep each patient on one side and look alike: in images and in patients of every class.

    Each image is tested once. Every fold has images of every class. The folds depend on `y`, `groups` and
    `random_state` alone: a second call of `split` gives the same ones. How they are made, and how they compare with
    those of scikit-learn's `StratifiedGroupKFold`: `bycase.datasets.splits.folds`.

    Parameters
    ----------
    n_splits : int, from 2 up
        Number of folds; each class needs as many patients.
    random_state : int
        Decides among the many divisions that are about as balanced.

    Examples
    --------
    >>> import numpy as np
    >>> from bycase import CaseKFold
    >>> patient = np.repeat(np.arange(12), 4)
    >>> y = patient % 2
    >>> folds = CaseKFold(n_splits=3)
    >>> folds
    CaseKFold(n_splits=3, random_state=7)
    >>> for train, test in folds.split(np.zeros((48, 2)), y, groups=patient):
    ...     print(len(train), len(test), y[test].mean(), sorted(set(patient[test].tolist())))
    32 16 0.5 [1, 2, 5, 6]
    32 16 0.5 [4, 7, 9, 10]
    32 16 0.5 [0, 3, 8, 11]

    In scikit-learn's own functions the patients are `groups`:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> X = np.random.default_rng(0).normal(size=(48, 2)) + y[:, None]
    >>> scores = cross_val_score(LogisticRegression(), X, y, groups=patient, cv=folds, scoring="roc_auc")
    >>> scores.round(2).tolist()
    [0.73, 0.7, 0.8]
    """

    # With metadata routing enabled, `groups` is asked for without being requested; see scikit-learn's user guide.
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, n_splits: int = 5, *, random_state: int = 7) -> None:
        for name, value, least in (("n_splits", n_splits, 2), ("random_state", random_state, 0)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name}: {value!r} is no whole number from {least} up")
        self.n_splits = n_splits
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002, N803
        """Number of folds; the arguments are not looked at."""
        return int(self.n_splits)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Integers, Integers]]:  # noqa: N803
        """Yield the rows of training and test of each fold.

        Parameters
        ----------
        X : array_like of shape (n_images, ...)
            Only its length counts.
        y : array_like of shape (n_images,)
            Classes.
        groups : array_like of shape (n_images,)
            Patients.

        Yields
        ------
        train, test : ndarray of int64

        Raises
        ------
        ValueError
            If classes or patients are missing or do not fit, or a class has fewer patients than there are folds.
        """
        return super().split(X, y, groups)

    def _iter_test_indices(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[Integers]:  # noqa: ARG002, N803
        fold = self._assign(y, groups)
        for number in range(self.n_splits):
            yield np.flatnonzero(fold == number)

    def _assign(self, y: Any, groups: Any) -> Integers:
        """The fold that tests each image."""
        for name, values in (("y", y), ("groups", groups)):
            if values is None:
                raise ValueError(f"{name}: CaseKFold needs the images' {'classes' if name == 'y' else 'patients'}")
        if (kind := type_of_target(y, input_name="y")) not in ("binary", "multiclass"):
            raise ValueError(f"y: CaseKFold needs classes, but this is {kind}")
        columns = {"label": read_column(y, "y"), "subtype": "", "patient": read_column(groups, "groups")}
        frame = pd.DataFrame(columns)
        for label, patients in frame.groupby("label")["patient"].nunique().items():
            if patients < self.n_splits:
                raise ValueError(
                    f"class {label} has {patients} patients, fewer than the {self.n_splits} folds; lower n_splits"
                )
        names = [str(number) for number in range(self.n_splits)]
        try:
            assigned = assign_groups(frame, dict.fromkeys(names, 1 / self.n_splits), self.random_state, "patient")
        except UserError:
            raise ValueError(
                f"no division by patient gives each of the {self.n_splits} folds every class; lower n_splits"
            ) from None
        return assigned.to_numpy(np.int64)
