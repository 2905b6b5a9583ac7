"""The test images that are explained: what is predicted of each, which are scored and which are shown.

Both are drawn at random, never by their maps.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.core.seeding import generator
from bycase.statistics.units import Floats, Integers

OUTCOMES = (("true positive", 1, 1), ("false negative", 1, 0), ("false positive", 0, 1), ("true negative", 0, 0))
LARGEST_DIFFERENCE = 1e-3  # of a probability, between two machines


def predict_classes(
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
        Of two classes, chosen on validation: from it up, the positive one is predicted.

    Returns
    -------
    DataFrame with the further columns ``patient``, ``truth``, ``predicted``, ``explained``, ``probability``
        ``truth`` and ``predicted`` are numbers of classes, ``explained`` is the predicted class's name and
        ``probability`` its probability.
    """
    scores = predictions[list(classes)].to_numpy(np.float64)
    predicted = scores.argmax(axis=1) if threshold is None else (scores[:, 1] >= threshold).astype(np.int64)
    return predictions.assign(
        patient=patient,
        truth=pd.Index(classes).get_indexer(pd.Index(predictions["label"])).astype(np.int64),
        predicted=predicted,
        explained=np.asarray(classes)[predicted],
        probability=scores[np.arange(len(scores)), predicted],
    )


def check_untouched(curves: Floats, part: pd.DataFrame) -> None:
    """Refuse a network that does not predict the untouched images as evaluate predicted them.

    Raises
    ------
    UserError
        If the first points of the curves of `bycase.explain.deletion.score_orders` and ``probability`` of the scored
        images differ by more than two machines would.
    """
    if np.abs(curves[0, :, 0, 0] - part["probability"].to_numpy()).max() > LARGEST_DIFFERENCE:
        raise UserError(
            "the untouched test images are not predicted as in data/predictions/test.csv, so that the network or the "
            "images have changed since; run 'dvc repro -f evaluate'"
        )


def in_random_order(patient: Integers, seed: int, purpose: str) -> Integers:
    """Positions of all images in random order, each patient's first before any patient's second.

    `patient` (n_images,), int64, says whose each image is; two purposes do not draw the same.
    """
    order = generator(seed, "explain", purpose).permutation(len(patient))
    turn = pd.Series(patient[order]).groupby(patient[order]).cumcount()
    return order[np.argsort(turn.to_numpy(), kind="stable")]


def choose_scored(patient: Integers, images: int, seed: int) -> Integers:
    """Positions of `images` test images, or of all if there are fewer, from as many patients as possible; ascending."""
    return np.sort(in_random_order(patient, seed, "scored")[:images])


def choose_shown(
    test: pd.DataFrame, classes: Sequence[str], positive: str | None, each: int, seed: int
) -> dict[str, Integers]:
    """Positions of the images of each row of the figure, from as many patients as possible.

    Parameters
    ----------
    test : DataFrame with the columns ``truth``, ``predicted``, ``patient``
        See `predict_classes`.
    classes : sequence of str
        Of two, the positive one last.
    positive : str or None
        Of two classes, the one that is looked for: rows are then the four outcomes, else the classes.
    each : int
        Images of each row; of a class up to a third of them wrong ones, as far as there are enough right ones.

    Returns
    -------
    dict of str to ndarray of int64
        By the row's heading, which says how many images it was drawn from.
    """
    truth, predicted, patient = (test[column].to_numpy(np.int64) for column in ("truth", "predicted", "patient"))
    rows = {}
    if positive is not None:
        for name, true_class, predicted_class in OUTCOMES:
            positions = np.flatnonzero((truth == true_class) & (predicted == predicted_class))
            drawn = positions[in_random_order(patient[positions], seed, name)[:each]]
            rows[f"{name}: {len(drawn)} of {len(positions)} images"] = drawn
        return rows
    for number, name in enumerate(classes):
        positions = np.flatnonzero(truth == number)
        positions = positions[in_random_order(patient[positions], seed, name)]
        is_right = predicted[positions] == number
        right, wrong = positions[is_right], positions[~is_right]
        n_wrong = min(len(wrong), max(-(-each // 3), each - len(right)))
        heading = f"true {name.replace('_', ' ')}: {len(right)} of {len(positions)} images right"
        rows[heading] = np.concatenate([right[: each - n_wrong], wrong[:n_wrong]])
    return rows
