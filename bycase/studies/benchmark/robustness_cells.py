"""The predictions of one model over the cells of a cross-validation, as `summarise_robustness` takes them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.core.errors import UserError

CELL = ["repeat", "fold"]


def join_cells(table: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Add what the benchmark's predictions know of every image: the patient, the fold's threshold and its number.

    Parameters
    ----------
    table : DataFrame with the columns ``repeat``, ``fold``, ``image``
        One model's rows, such as those of ``data/benchmark/robustness.csv``.
    predictions : DataFrame with the columns ``repeat``, ``fold``, ``image``, ``patient``, ``threshold``
        The same model's rows of ``data/benchmark/predictions.csv``.

    Returns
    -------
    DataFrame
        `table` with ``patient``, ``threshold`` (NaN with more than two classes) and ``fold``: those of all repeats
        numbered from 0.

    Raises
    ------
    UserError
        If an image is not predicted in the same repeat and fold.
    """
    known = predictions[[*CELL, "image", "patient", "threshold"]]
    joined = table.merge(known, on=[*CELL, "image"], how="left", validate="many_to_one")
    if joined["patient"].isna().any():
        lost = joined.loc[joined["patient"].isna(), "image"].iloc[0]
        raise UserError(f"image {lost} has no prediction in the same repeat and fold; run 'dvc repro' again")
    return joined.assign(fold=joined.groupby(CELL).ngroup())


def one_cell(table: pd.DataFrame, patient: Sequence[int] | np.ndarray, threshold: float | None) -> pd.DataFrame:
    """The same of a single network.

    Parameters
    ----------
    table : DataFrame
        One row an image, of one or several conditions.
    patient : sequence of shape (n_rows,)
        Whose the images are.
    threshold : float or None
        Chosen on validation; None with more than two classes.
    """
    return table.assign(patient=patient, threshold=np.nan if threshold is None else threshold, fold=0)
