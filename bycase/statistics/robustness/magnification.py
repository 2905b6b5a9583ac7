"""What it costs to meet a magnification that the network was not trained on."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.robustness.scores import METRICS, drop, level, resample

EVERYTHING, HELD_OUT = 0, 1
IMAGE = ["stratum", "image"]


def summarise_shift(
    everything: pd.DataFrame,
    held_out: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Hold a network trained without a magnification against one trained on all, on the same images.

    Parameters
    ----------
    everything, held_out : DataFrame
        Predictions of the network trained on all magnifications and of the one trained without; ``image``, ``label``,
        ``patient``, ``threshold``, ``stratum`` and one column a class, see `robustness_cells`. Of `everything`
        only the images in `held_out` count (``split.held_out_magnification`` leaves the parts as they are).
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``n``, ``n_patients``, ``resamples``; ``all``, ``held_out``: ``accuracy``, ``auc`` and their 95 % ``ci``;
        ``drop``: the same of all minus held out, positive where the magnification was missed.

    Raises
    ------
    UserError
        If an image of `held_out` is not in `everything`, or stands under another label or patient.
    """
    same = everything.merge(held_out[IMAGE], on=IMAGE, validate="one_to_one")
    if len(same) < len(held_out):
        lost = held_out.merge(everything[IMAGE], on=IMAGE, how="left", indicator=True)
        image = lost.loc[lost["_merge"] == "left_only", "image"].iloc[0]
        raise UserError(
            f"image {image} is tested with a magnification held out, but not in the same fold with all of them; "
            "give both runs the same seed, data and split"
        )
    resampled = resample([same, held_out], classes, positive, resamples, seed)
    drops = drop(resampled, EVERYTHING, [HELD_OUT])
    return {
        "n": len(resampled.units.truth),
        "n_patients": resampled.units.n_patients,
        "resamples": len(resampled.drawn["auc"]),
        "all": level(resampled, [EVERYTHING]),
        "held_out": level(resampled, [HELD_OUT]),
        "drop": {
            **{metric: drops[metric][0] for metric in METRICS},
            "ci": {metric: drops[metric][1] for metric in METRICS},
        },
    }
