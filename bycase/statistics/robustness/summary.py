"""The content of `metrics/robustness.json`, and the table of `plots/model/robustness.csv`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.statistics.robustness.scores import METRICS, Resampled, drop, level, resample
from bycase.statistics.robustness.table import NONE, split_conditions


def summarise_robustness(
    table: pd.DataFrame, classes: Sequence[str], positive: str | None, resamples: int, seed: int
) -> dict[str, Any]:
    """Score one model's predictions of damaged images, of one network or of all cells of a cross-validation.

    Parameters
    ----------
    table : DataFrame
        ``corruption``, ``severity``, ``image``, ``label``, ``patient``, ``threshold``, ``stratum`` and one column a
        class; see `bycase.studies.benchmark.robustness_cells`. Corruption ``none`` is the untouched image.
    classes : sequence of str
        The probability columns' names.
    positive : str or None
        Of two classes, the one that is looked for; else AUC is the mean of each class against the rest, and the most
        probable class is called.
    resamples : int
        Of the bootstrap over patients.
    seed : int
        The pipeline's seed.

    Returns
    -------
    dict
        ``n`` (images), ``n_patients``, ``resamples`` (used); ``clean``: ``accuracy``, ``auc`` and their ``ci``;
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
    resampled = resample([parts[key] for key in (clean, *damaged)], classes, positive, resamples, seed)
    place = {key: number for number, key in enumerate(damaged, start=1)}
    corruptions = list(dict.fromkeys(name for name, _ in damaged))
    severities = sorted({severity for _, severity in damaged})
    return {
        "n": len(resampled.units.truth),
        "n_patients": resampled.units.n_patients,
        "resamples": len(resampled.drawn["auc"]),
        "clean": level(resampled, [0]),
        "mean": _cell(resampled, list(place.values())),
        "by_severity": {
            str(at): _cell(resampled, [number for (_, severity), number in place.items() if severity == at])
            for at in severities
        },
        "corruptions": {
            of: {str(severity): _cell(resampled, [number]) for (name, severity), number in place.items() if name == of}
            for of in corruptions
        },
    }


def _cell(resampled: Resampled, conditions: Sequence[int]) -> dict[str, Any]:
    """Levels and drops of a condition, or of the mean over several."""
    levels: dict[str, Any] = level(resampled, conditions)
    drops = drop(resampled, 0, conditions)
    return {
        **{metric: levels[metric] for metric in METRICS},
        **{f"{metric}_drop": drops[metric][0] for metric in METRICS},
        "ci": {**levels["ci"], **{f"{metric}_drop": drops[metric][1] for metric in METRICS}},
    }


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
    curves = {"": summary["by_severity"], **{f"_{name}": of for name, of in summary["corruptions"].items()}}
    severities = ["0", *summary["by_severity"]]
    columns = {
        f"{metric}{name}": [(summary["clean"] if at == "0" else cells[at])[metric] for at in severities]
        for name, cells in curves.items()
        for metric in METRICS
    }
    return pd.DataFrame({"severity": [int(at) for at in severities], **columns})
