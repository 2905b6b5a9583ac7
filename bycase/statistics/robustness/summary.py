"""What damaged images cost (`metrics/robustness.json`), and a magnification that a network was not trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.robustness.scores import METRICS, Scored, drop, level, score_conditions
from bycase.statistics.robustness.table import NONE, split_conditions

EVERYTHING, HELD_OUT = 0, 1
UNIT = ["fold", "image"]


def summarise_robustness(table: pd.DataFrame, classes: Sequence[str], positive: str | None) -> dict[str, Any]:
    """Score one model's predictions of damaged images, of one network or of all cells of a cross-validation.

    Parameters
    ----------
    table : DataFrame
        ``corruption``, ``severity``, ``image``, ``label``, ``patient``, ``threshold``, ``fold`` and one column a
        class; see `bycase.studies.benchmark.robustness_cells`. Corruption ``none`` is the untouched image.
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for; else AUC is the mean of each class against the rest, and the most
        probable class is predicted.

    Returns
    -------
    dict
        ``n`` (images), ``n_patients``; ``clean``: ``accuracy``, ``auc`` and their ``ci``;
        ``mean`` over all corruptions and severities, ``by_severity`` over corruptions and ``corruptions`` by severity:
        the same with ``accuracy_drop`` and ``auc_drop``, clean minus damaged on the same images. All leaves are
        numbers, intervals 95 %.

    Raises
    ------
    UserError
        If a condition is not of the same images as the untouched one, or there is none.
    """
    parts = split_conditions(table)
    clean = (NONE, 0)
    damaged = [key for key in parts if key != clean]
    if clean not in parts or not damaged:
        raise UserError("robustness: no untouched or no damaged images; run 'dvc repro -f robustness'")
    scored = score_conditions([parts[key] for key in (clean, *damaged)], classes, positive)
    place = {key: number for number, key in enumerate(damaged, start=1)}
    corruptions = list(dict.fromkeys(name for name, _ in damaged))
    severities = sorted({severity for _, severity in damaged})
    return {
        "n": len(scored.units[0].truth),
        "n_patients": scored.units[0].n_patients,
        "clean": level(scored, [0]),
        "mean": _cell(scored, list(place.values())),
        "by_severity": {
            str(strength): _cell(scored, [number for (_, severity), number in place.items() if severity == strength])
            for strength in severities
        },
        "corruptions": {
            corruption: {
                str(severity): _cell(scored, [number])
                for (name, severity), number in place.items()
                if name == corruption
            }
            for corruption in corruptions
        },
    }


def _cell(scored: Scored, conditions: Sequence[int]) -> dict[str, Any]:
    """Levels and drops of a condition, or of the mean over several."""
    levels, drops = level(scored, conditions), drop(scored, 0, conditions)
    limits = levels["ci"] | {f"{metric}_drop": ends for metric, ends in drops.pop("ci").items()}
    return levels | {f"{metric}_drop": point for metric, point in drops.items()} | {"ci": limits}


def curves_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Accuracy and AUC against severity: the means over corruptions, then of each.

    Parameters
    ----------
    summary : mapping
        Of `summarise_robustness`.

    Returns
    -------
    DataFrame
        ``severity`` (0: clean), ``accuracy``, ``auc``, then ``accuracy_<corruption>`` and ``auc_<corruption>``.
    """
    curves = {"": summary["by_severity"], **{f"_{name}": cells for name, cells in summary["corruptions"].items()}}
    severities = ["0", *summary["by_severity"]]
    columns = {
        f"{metric}{name}": [(summary["clean"] if key == "0" else cells[key])[metric] for key in severities]
        for name, cells in curves.items()
        for metric in METRICS
    }
    return pd.DataFrame({"severity": [int(key) for key in severities], **columns})


def summarise_shift(
    everything: pd.DataFrame,
    held_out: pd.DataFrame,
    classes: Sequence[str],
    positive: str | None,
) -> dict[str, Any]:
    """Hold a network trained without a magnification against one trained on all, on the same images.

    Parameters
    ----------
    everything, held_out : DataFrame
        Predictions of the network trained on all magnifications and of the one trained without; ``image``, ``label``,
        ``patient``, ``threshold``, ``fold`` and one column a class, see `bycase.studies.benchmark.robustness_cells`.
        Of `everything` only the images in `held_out` count (``split.held_out_magnification`` leaves the parts as they
        are).
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for.

    Returns
    -------
    dict
        ``n``, ``n_patients``; ``all``, ``held_out``: ``accuracy``, ``auc`` and their 95 % ``ci``;
        ``drop``: the same of all minus held out, positive where the magnification was missed.

    Raises
    ------
    UserError
        If an image of `held_out` is not in `everything`, or stands under another label or patient.
    """
    same = everything.merge(held_out[UNIT], on=UNIT, validate="one_to_one")
    if len(same) < len(held_out):
        lost = held_out.merge(everything[UNIT], on=UNIT, how="left", indicator=True)
        image = lost.loc[lost["_merge"] == "left_only", "image"].iloc[0]
        raise UserError(
            f"image {image} is tested with a magnification held out, but not in the same fold with all of them; "
            "give both runs the same seed, data and split"
        )
    scored = score_conditions([same, held_out], classes, positive)
    return {
        "n": len(scored.units[0].truth),
        "n_patients": scored.units[0].n_patients,
        "all": level(scored, [EVERYTHING]),
        "held_out": level(scored, [HELD_OUT]),
        "drop": drop(scored, EVERYTHING, [HELD_OUT]),
    }
