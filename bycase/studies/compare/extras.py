"""The benchmark's optional analyses: corrupted images, a magnification left out of training, uncertainty."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bycase.figures.comparison.uncertainty import draw_uncertainty
from bycase.figures.magnification import draw_magnification_shift
from bycase.figures.robustness import draw_robustness
from bycase.statistics.robustness.summary import summarise_robustness, summarise_shift
from bycase.statistics.uncertainty.summary import summarise, tabulate_risk
from bycase.studies.benchmark.robustness_cells import join_cells
from bycase.studies.compare.inputs import Inputs
from bycase.tables.out_of_fold import ROBUSTNESS, SHIFTED, UNCERTAINTY

READ: Any = {
    "dtype": dict.fromkeys(("model", "image", "group", "label", "patient"), str),
    "keep_default_na": False,
    "na_values": {"threshold": "", "patient_threshold": ""},
    "float_precision": "round_trip",
}


@dataclass(frozen=True)
class Extras:
    """Summaries by network; empty where the benchmark was not asked for them.

    Attributes
    ----------
    robustness : dict
        See `bycase.statistics.robustness.summary.summarise_robustness`.
    shift : dict
        By network and magnification; see `bycase.statistics.robustness.summary.summarise_shift`.
    uncertainty : dict
        See `bycase.statistics.uncertainty.summary.summarise`.
    risk : dict of str to DataFrame
        See `bycase.statistics.uncertainty.summary.tabulate_risk`.
    """

    robustness: dict[str, Any] = field(default_factory=dict)
    shift: dict[str, Any] = field(default_factory=dict)
    uncertainty: dict[str, Any] = field(default_factory=dict)
    risk: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, Any]:
        """The content of ``extras.json``."""
        return {"robustness": self.robustness, "shift": self.shift, "uncertainty": self.uncertainty}


def read_extras(inputs: Inputs, models: Sequence[str], coverage: float, resamples: int) -> Extras:
    """Read and summarise the cells' optional tables, as far as they exist.

    Parameters
    ----------
    inputs : Inputs
        The benchmark's.
    models : sequence of str
        The order of the summaries.
    coverage : float, in (0, 1)
        The target coverage of the prediction sets.
    resamples : int
        Of the bootstrap over patients.

    Raises
    ------
    UserError
        If an image in a table has no prediction of the same network and fold.
    """
    note = {"note": inputs.note} if inputs.note else {}
    common: Any = {"classes": inputs.classes, "positive": inputs.positive}
    drawn: Any = {"resamples": resamples, "seed": inputs.seed}
    robustness = {
        model: summarise_robustness(table, **common) | note
        for model, table in _tables(ROBUSTNESS, inputs.predictions, models)
    }
    uncertainty, risk = {}, {}
    for model, table in _tables(UNCERTAINTY, inputs.predictions, models):
        units: Any = {
            "patient": np.unique(table["patient"], return_inverse=True)[1].astype(np.int64),
            "fold": table["fold"].to_numpy(np.int64),
        }
        uncertainty[model] = summarise(table, coverage=coverage, **units, **common, **drawn) | note
        risk[model] = tabulate_risk(table, inputs.classes, seed=inputs.seed, **units)
    return Extras(robustness, summarise_shifts(inputs, models), uncertainty, risk)


def summarise_shifts(inputs: Inputs, models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By network and magnification, the cost of leaving it out of training; see `summarise_shift`."""
    if not SHIFTED.is_file():
        return {}
    shifted = pd.read_csv(SHIFTED, **READ)
    summaries: dict[str, dict[str, Any]] = {}
    for model in (model for model in models if model in set(shifted["model"])):
        everything = _number_folds(inputs.predictions[inputs.predictions["model"] == model])
        summaries[model] = {
            str(magnification): summarise_shift(everything, _number_folds(rows), inputs.classes, inputs.positive)
            for magnification, rows in shifted[shifted["model"] == model].groupby("held_out")
        }
    return summaries


def draw_extras(extras: Extras, subtitle: Sequence[str]) -> dict[str, Figure]:
    """Draw the analyses that exist, by their file's name without suffix."""
    figures = {}
    if extras.robustness:
        figures["robustness"] = draw_robustness(extras.robustness, subtitle, metrics=("auc",))
    if extras.shift:
        by_number = {
            model: {int(magnification): summary for magnification, summary in summaries.items()}
            for model, summaries in extras.shift.items()
        }
        figures["magnification_shift"] = draw_magnification_shift(by_number, subtitle)
    if extras.uncertainty:
        figures["uncertainty"] = draw_uncertainty(extras.uncertainty, extras.risk, subtitle)
    return figures


def _tables(path: Path, predictions: pd.DataFrame, models: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each network's rows with patient, threshold and fold; none where the benchmark has not written the file."""
    if not path.is_file():
        return
    table = pd.read_csv(path, **READ)
    for model in models:
        yield model, join_cells(table[table["model"] == model], predictions[predictions["model"] == model])


def _number_folds(predictions: pd.DataFrame) -> pd.DataFrame:
    """One number a repeat and fold, the same in every table."""
    return predictions.assign(fold=predictions["repeat"] * (predictions["fold"].max() + 1) + predictions["fold"])
