"""The mean over classes of their curves, for `dvc plots` and for the figures.

`dvc plots` draws a file as one line, so that the tables hold the mean curve alone.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

MEAN = "macro average"


def mean_roc_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the sensitivities of all classes' curves at every false positive rate.

    The area under the result is the mean of the areas under the classes' curves.

    Parameters
    ----------
    tables : mapping of class to DataFrame
        Each class against the rest; see `bycase.figures.curve_tables.roc_table`.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``, ``class``
        Rates in [0, 1], rising; each false positive rate twice, before and after its step; the class is `MEAN`.
    """
    grid = np.unique(np.concatenate([table["fpr"] for table in tables.values()]))
    # np.interp takes the last of equal positions; mirrored, the first.
    before = np.mean([np.interp(-grid, -of["fpr"][::-1], of["tpr"][::-1]) for of in tables.values()], axis=0)
    after = np.mean([np.interp(grid, of["fpr"], of["tpr"]) for of in tables.values()], axis=0)
    steps = np.column_stack([before, after]).ravel()
    return pd.DataFrame({"fpr": np.repeat(grid, 2), "tpr": steps, "class": MEAN})


def mean_precision_recall_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the precisions of all classes' curves at every recall.

    The area under the steps is the mean of the classes' average precisions.

    Parameters
    ----------
    tables : mapping of class to DataFrame
        Each class against the rest; see `bycase.figures.curve_tables.precision_recall_table`.

    Returns
    -------
    DataFrame with the columns ``recall``, ``precision``, ``class``
        In [0, 1]; recall rises; the class is `MEAN`.
    """
    grid = np.unique(np.concatenate([table["recall"] for table in tables.values()]))
    # A precision holds back to the recall before its own.
    each = [of["precision"].to_numpy()[np.searchsorted(of["recall"], grid)] for of in tables.values()]
    return pd.DataFrame({"recall": grid, "precision": np.mean(each, axis=0), "class": MEAN})
