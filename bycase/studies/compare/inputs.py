"""Several networks' predictions of the same images, with their cost, training histories and a constant prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.figures.style import data_words
from bycase.statistics.assessment import OVER_CONSTANT
from bycase.statistics.comparison.differences import differences_from
from bycase.statistics.comparison.paired import Paired, paired_benchmark, patient_level, run_rows
from bycase.statistics.comparison.resampling import point_values
from bycase.statistics.metrics import recognition_rate
from bycase.studies.compare.revisions import Revision
from bycase.tables.manifest import PATIENTS_UNKNOWN
from bycase.tables.out_of_fold import ABOUT, AGGREGATION, COST, HISTORIES, PREDICTIONS, read_about, read_out_of_fold
from bycase.tables.predictions import TEST

FOLD = ["repeat", "fold"]
GRID = 2**20
FIRST = "run 'bycase benchmark run' first"


@dataclass(frozen=True)
class Inputs:
    """Networks side by side, from the benchmark, from runs of it, or from revisions of the project.

    Attributes
    ----------
    predictions : DataFrame
        One row a network, repeat and image; see `bycase.tables.out_of_fold`.
    cost : DataFrame with the columns ``model``, ``repeat``, ``fold``
        One row a training; a column a cost. Empty where nothing is known of it.
    histories : DataFrame with the columns ``model``, ``repeat``, ``fold``
        One row an epoch of a training, as in ``models/history.csv``. Empty likewise.
    classes : list of str
        Of the data set; the probability columns.
    positive : str or None
        Of two classes, the one that is looked for.
    networks : dict of str to str
        Each network's name in the tables, and its description.
    baselines : dict
        By network and level, the metrics of a constant prediction.
    over_constant : dict
        Likewise the differences from it, see `bycase.statistics.assessment.assess`; empty where a run has none.
    seed : int
        The pipeline's.
    subtitle : list of str
        Lines on the data, for figures and tables.
    note : str
        That patients are unknown, where they are; else empty.
    external : dict
        By revision, the results of its external test set, empty where it has none; the benchmark has none at all.
    """

    predictions: pd.DataFrame
    cost: pd.DataFrame
    histories: pd.DataFrame
    classes: list[str]
    positive: str | None
    networks: dict[str, str]
    baselines: dict[str, dict[str, dict[str, float]]]
    over_constant: dict[str, dict[str, dict[str, Any]]]
    seed: int
    subtitle: list[str]
    note: str = ""
    external: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def clusters(self) -> str:
        """What intervals are over: images, but for duplicates, where patients are unknown."""
        return "images" if self.note else "patients"


@dataclass(frozen=True)
class Tables:
    """What the benchmark gathered over its cells, as it is in the files; see `bycase.tables.out_of_fold`."""

    about: dict[str, Any]
    predictions: pd.DataFrame
    cost: pd.DataFrame
    histories: pd.DataFrame


def read_tables(
    about: Path = ABOUT, predictions: Path = PREDICTIONS, cost: Path = COST, histories: Path = HISTORIES
) -> Tables:
    """Read the benchmark's tables, by default those of its last run.

    Raises
    ------
    UserError
        If a file is missing or not what the benchmark writes.
    """
    content = read_about(about)
    return Tables(content, read_out_of_fold(content["classes"], predictions), _read_csv(cost), _read_csv(histories))


def make_inputs(tables: Tables, seed: int) -> Inputs:
    """Put a benchmark's networks side by side.

    Parameters
    ----------
    tables : Tables
        See `read_tables`.
    seed : int
        Of the bootstrap; the pipeline's.
    """
    about, predictions = tables.about, tables.predictions
    constant = predict_constant(predictions, about["classes"], about["positive"])
    return Inputs(
        predictions=predictions,
        cost=tables.cost,
        histories=tables.histories,
        classes=about["classes"],
        positive=about["positive"],
        networks=about["networks"],
        baselines=dict.fromkeys(about["networks"], score_constant(constant)),
        over_constant=compare_with_constant(predictions, about["classes"], about["positive"], constant),
        seed=seed,
        subtitle=describe_benchmark(about),
        note="" if about.get("patients_known", True) else PATIENTS_UNKNOWN,
    )


def describe_benchmark(about: dict[str, Any]) -> list[str]:
    """Two lines on the data and the folds.

    Parameters
    ----------
    about : dict
        ``data/benchmark/about.json``.
    """
    repeats = f", {about['repeats']} draws of them" if about["repeats"] > 1 else ""
    data = data_words(about["dataset"], about["phantom"])
    if about.get("magnifications"):
        data = f"{data} at {', '.join(f'{number}X' for number in about['magnifications'])}"
    known = about.get("patients_known", True)
    patients = f" of {about['n_patients']} patients" if known else "; patients unknown"
    return [
        f"{data}; {about['n_images']} images{patients}",
        f"each image predicted by a network trained on other {about['group']}s: {about['folds']} folds{repeats}",
    ]


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype={"model": str, "phase": str})
    except FileNotFoundError:
        raise UserError(f"{path} not found: {FIRST}") from None


def join_revisions(revisions: Sequence[Revision]) -> Inputs:
    """Put runs side by side that were tested on the same images; each is named by its revision.

    Parameters
    ----------
    revisions : sequence of Revision
        See `bycase.studies.compare.revisions.read_revisions`.
    """
    first = revisions[0].run_info
    one = {"repeat": 0, "fold": 0}
    return Inputs(
        predictions=pd.concat([_predictions_of(revision) for revision in revisions], ignore_index=True),
        cost=pd.DataFrame([{"model": revision.name, **one, **revision.cost} for revision in revisions]),
        histories=pd.concat(
            [revision.history.assign(model=revision.name, **one) for revision in revisions], ignore_index=True
        ),
        classes=first.classes,
        positive=first.model_info["positive"],
        networks={revision.name: revision.run_info.network for revision in revisions},
        baselines={
            revision.name: {level: revision.run_info.metrics[level]["baseline"] for level in ("image", "patient")}
            for revision in revisions
        },
        over_constant={
            revision.name: {
                level: revision.run_info.metrics[level].get("over_constant", {}) for level in ("image", "patient")
            }
            for revision in revisions
        },
        seed=first.model_info["seed"],
        subtitle=[first.data, f"{first.split}; {first.size}"],
        note="" if first.patients_known else PATIENTS_UNKNOWN,
        external={revision.name: revision.external for revision in revisions},
    )


def _predictions_of(revision: Revision) -> pd.DataFrame:
    metrics = revision.run_info.metrics
    rows = run_rows(
        revision.name,
        revision.predictions,
        revision.manifest,
        metrics["image"].get("threshold"),
        metrics["patient"].get("threshold"),
        Path(f"{revision.name}:{TEST}"),
        revision.run_info.pooling,
    )
    # Runs of before calibration was assessed have no temperature.
    return rows.assign(temperature=metrics.get("calibration", {}).get("temperature", np.nan))


def predict_constant(predictions: pd.DataFrame, classes: Sequence[str], positive: str | None) -> dict[str, Paired]:
    """A constant prediction out of fold: the class shares of the other folds, among images and among patients.

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
    dict of str to Paired
        ``image`` and ``patient``, each of a single network.
    """
    tested = predictions[predictions["model"] == predictions["model"].iloc[0]]
    patients = tested.drop_duplicates([*FOLD, "patient", "label"])
    images, of_patients = (
        paired_benchmark(predict_shares(tested, counted, classes), classes, positive, PREDICTIONS)
        for counted in (tested, patients)
    )
    return {"image": images, "patient": patient_level(of_patients)}


def score_constant(constant: Mapping[str, Paired]) -> dict[str, dict[str, float]]:
    """The metrics of `predict_constant`, by level; of patients also ``recognition_rate``."""
    metrics = {
        level: {name: float(values[0]) for name, values in point_values(paired).items()}
        for level, paired in constant.items()
    }
    images = constant["image"]
    metrics["patient"]["recognition_rate"] = recognition_rate(images.right[0], images.patient)
    return metrics


def compare_with_constant(
    predictions: pd.DataFrame, classes: Sequence[str], positive: str | None, constant: Mapping[str, Paired]
) -> dict[str, dict[str, dict[str, Any]]]:
    """By network and level, the differences from `predict_constant` on the same images.

    See `bycase.statistics.comparison.differences.differences_from`; the other arguments as of `predict_constant`.
    """
    images = paired_benchmark(predictions, classes, positive, PREDICTIONS)
    return {
        name: {
            level: differences_from(paired.units(number), constant[level].units(0), OVER_CONSTANT)
            for level, paired in (("image", images), ("patient", patient_level(images)))
        }
        for number, name in enumerate(images.models)
    }


def predict_shares(tested: pd.DataFrame, counted: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Replace every row's probabilities by the class shares among rows of the other folds of its repeat.

    Parameters
    ----------
    tested : DataFrame with the columns ``repeat``, ``fold``, ``label``
        One row an image and repeat.
    counted : DataFrame with the same columns
        One row an image, or a patient, whose classes are counted.
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
    # The mean, whatever the networks' patients are made by: of equal images all rules are, but for rounding.
    plain = tested.drop(columns=[AGGREGATION], errors="ignore")
    return plain.assign(**{name: shares[name] for name in classes}, **thresholds)
