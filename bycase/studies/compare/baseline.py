"""What a constant prediction scores out of fold: the class shares of the images that the fold is not of."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bycase.statistics.comparison.paired import paired_benchmark, patient_level
from bycase.statistics.comparison.resampling import point_values
from bycase.statistics.metrics import recognition_rate
from bycase.tables.out_of_fold import PREDICTIONS

FOLD = ["repeat", "fold"]
GRID = 2**20


def score_constant(
    predictions: pd.DataFrame, classes: Sequence[str], positive: str | None
) -> dict[str, dict[str, float]]:
    """The metrics of predicting the other folds' class shares for every image, and for every patient.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.out_of_fold`; of any number of networks, all tested on the same images.
    classes : sequence of str
        The probability columns.
    positive : str or None
        Of two classes, the one that is looked for.

    Returns
    -------
    dict of str to dict of str to float
        ``image`` and ``patient``; the latter also has ``recognition_rate``.
    """
    tested = predictions[predictions["model"] == predictions["model"].iloc[0]]
    patients = tested.drop_duplicates([*FOLD, "patient", "label"])
    images, of_patients = (
        paired_benchmark(predict_shares(tested, counted, classes), classes, positive, PREDICTIONS)
        for counted in (tested, patients)
    )
    found = {
        level: {name: float(values[0]) for name, values in point_values(paired).items()}
        for level, paired in (("image", images), ("patient", patient_level(of_patients)))
    }
    found["patient"]["recognition_rate"] = recognition_rate(images.right[0], images.patient)
    return found


def predict_shares(tested: pd.DataFrame, counted: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Replace every row's probabilities by the class shares among rows of the other folds of its repeat.

    Parameters
    ----------
    tested : DataFrame with the columns ``repeat``, ``fold``, ``label``
        One row an image and repeat.
    counted : DataFrame with the same columns
        What the shares are of: images, or patients.
    classes : sequence of str
        The probability columns.
    """
    shares = pd.DataFrame(index=tested.index, columns=list(classes), dtype=np.float64)
    for _, rows in tested.groupby(FOLD):
        repeat, fold = rows[FOLD].iloc[0]
        others = counted[(counted["repeat"] == repeat) & (counted["fold"] != fold)]
        # Multiples of a power of two: their mean over a patient's images is exact, so that a constant stays tied.
        shares.loc[rows.index] = [round(GRID * (others["label"] == name).mean()) / GRID for name in classes]
    thresholds = {"threshold": 0.5, "patient_threshold": 0.5} if len(classes) == 2 else {}
    return tested.assign(**{name: shares[name] for name in classes}, **thresholds)
