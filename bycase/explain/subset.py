"""The test part as it is explained: what each image is, whose, and what the network calls it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.units import Floats, Integers

LARGEST_DIFFERENCE = 1e-3  # of a probability, between two machines


def call_classes(
    predictions: pd.DataFrame, patient: Integers, classes: Sequence[str], threshold: float | None
) -> pd.DataFrame:
    """Add to predictions what the network calls each image; the call is what maps are of.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.predictions`.
    patient : ndarray of shape (n_images,), int64
        Whose each image is.
    classes : sequence of str
        The probability columns' names; of two, the positive one last.
    threshold : float or None
        Of two classes, chosen on validation: from it up, an image is called positive.

    Returns
    -------
    DataFrame with the further columns ``patient``, ``truth``, ``called``, ``explained``, ``probability``
        ``truth`` and ``called`` are numbers of classes, ``explained`` is the called class's name and ``probability``
        its probability.
    """
    scores = predictions[list(classes)].to_numpy(np.float64)
    called = scores.argmax(axis=1) if threshold is None else (scores[:, 1] >= threshold).astype(np.int64)
    return predictions.assign(
        patient=patient,
        truth=pd.Index(classes).get_indexer(pd.Index(predictions["label"])).astype(np.int64),
        called=called,
        explained=np.asarray(classes)[called],
        probability=scores[np.arange(len(scores)), called],
    )


def check_untouched(curves: Floats, part: pd.DataFrame) -> None:
    """Refuse a network that does not predict the untouched images as evaluate predicted them.

    Parameters
    ----------
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        Of `bycase.explain.deletion.score_orders`.
    part : DataFrame with the column ``probability``
        The scored images.

    Raises
    ------
    UserError
        If a probability differs by more than two machines would.
    """
    if np.abs(curves[0, :, 0, 0] - part["probability"].to_numpy()).max() > LARGEST_DIFFERENCE:
        raise UserError(
            "the untouched test images are not predicted as in data/predictions/test.csv, so that the network or the "
            "images have changed since; run 'dvc repro -f evaluate'"
        )
