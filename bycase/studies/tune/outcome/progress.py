"""How a search went: the best score so far by epochs spent."""

import numpy as np
import pandas as pd

from bycase.statistics.units import Floats, Integers


def best_so_far(epochs: pd.DataFrame) -> pd.DataFrame:
    """The best score of any trial until then, where it rises, and at the end.

    Parameters
    ----------
    epochs : DataFrame with the columns ``spent``, ``score``
        Of one search. An epoch without a score, as of a trial that diverges, counts as spent only; one outside the
        budget has no ``spent`` and does not count.

    Returns
    -------
    DataFrame with the columns ``spent``, ``score``
        In the order of ``spent``; empty if there is no score at all.
    """
    ordered = epochs[["spent", "score"]].dropna(subset="spent").sort_values("spent", kind="stable")
    best = ordered.assign(score=ordered["score"].fillna(-np.inf).cummax())
    best = best[np.isfinite(best["score"])]
    risen = best["score"].diff().ne(0)
    if len(risen):
        risen.iloc[-1] = True
    return best[risen].reset_index(drop=True)


def at_spent(best: pd.DataFrame, spent: Integers) -> Floats:
    """The best score after so many epochs; NaN before the first score.

    Parameters
    ----------
    best : DataFrame
        Of `best_so_far`.
    spent : ndarray of shape (n,), int64
        Epochs; beyond the last one of the search its best score stays.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    place = np.searchsorted(best["spent"].to_numpy(), spent, side="right") - 1
    padded = np.append(best["score"].to_numpy(np.float64), np.nan)
    return padded[place]


def last_epochs(epochs: pd.DataFrame) -> "pd.Series[float]":
    """The epochs that the search had spent when a trial ended, by trial."""
    return epochs.groupby("trial")["spent"].max()
