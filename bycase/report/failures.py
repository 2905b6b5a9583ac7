"""The most confident mistakes, and the patients with most of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

MISTAKES = 12
PATIENTS = 8


def find_mistakes(
    predictions: pd.DataFrame, manifest: pd.DataFrame, classes: Sequence[str], positive: str | None
) -> pd.DataFrame:
    """Every image with the class that it is called, and how sure the network is of that.

    Parameters
    ----------
    predictions : DataFrame with the columns ``image``, ``label``, ``patient``, ``threshold`` and one a class
        One row an image; ``threshold`` is of the positive class' probability.
    manifest : DataFrame with the columns ``image``, ``subtype``, ``magnification``
        What else is known.
    classes : sequence of str
        The probability columns.
    positive : str or None
        Of two classes, the one that is looked for; None: the most probable class is called.

    Returns
    -------
    DataFrame with the columns ``image``, ``label``, ``called``, ``probability``, ``patient``, ``subtype``, \
``magnification``, ``wrong``
        The wrong ones first, and of these the surest; ``probability`` is that of the called class, in [0, 1].
    """
    scores = predictions[list(classes)].to_numpy(float)
    if positive is None:
        called = scores.argmax(axis=1)
    else:
        column = list(classes).index(positive)
        called = np.where(scores[:, column] >= predictions["threshold"].to_numpy(float), column, 1 - column)
    named = np.asarray(classes, dtype=object)[called]
    frame = predictions[["image", "label", "patient"]].assign(
        called=named,
        probability=scores[np.arange(len(scores)), called],
        wrong=named != predictions["label"].to_numpy(object),
    )
    frame = frame.merge(manifest[["image", "subtype", "magnification"]], on="image", how="left")
    return frame.sort_values(["wrong", "probability", "image"], ascending=[False, False, True], ignore_index=True)


def count_by_patient(called: pd.DataFrame, most: int = PATIENTS) -> pd.DataFrame:
    """The patients with most wrong images.

    Parameters
    ----------
    called : DataFrame
        See `find_mistakes`.
    most : int
        Patients to return.

    Returns
    -------
    DataFrame with the columns ``patient``, ``label``, ``wrong``, ``images``
        Patients with a wrong image, most first; ``label`` names their classes.
    """
    grouped = called.groupby("patient")
    counts = pd.DataFrame(
        {
            "label": grouped["label"].agg(lambda labels: ", ".join(sorted(set(labels)))),
            "wrong": grouped["wrong"].sum(),
            "images": grouped.size(),
        }
    ).reset_index()
    counts = counts[counts["wrong"] > 0].sort_values(["wrong", "images", "patient"], ascending=[False, True, True])
    return counts.head(most).reset_index(drop=True)
