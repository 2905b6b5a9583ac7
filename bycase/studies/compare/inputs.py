"""What is compared: several networks' predictions of the same images, what they cost and how they were trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.core.errors import UserError
from bycase.figures.style import data_words
from bycase.statistics.comparison.paired import run_rows
from bycase.studies.compare.baseline import score_constant
from bycase.studies.compare.revisions import Revision
from bycase.tables.out_of_fold import COST, HISTORIES, read_about, read_out_of_fold
from bycase.tables.predictions import TEST

FIRST = "run 'dvc repro benchmark/dvc.yaml' first"


@dataclass(frozen=True)
class Inputs:
    """Networks side by side, from the benchmark or from revisions of the project.

    Attributes
    ----------
    predictions : DataFrame
        One row a network, repeat and image; see `bycase.tables.out_of_fold`.
    cost : DataFrame with the columns ``model``, ``repeat``, ``fold``
        One row a training; a column a cost.
    histories : DataFrame with the columns ``model``, ``repeat``, ``fold``
        One row an epoch of a training, as in ``models/history.csv``.
    classes : list of str
        Of the data set; the probability columns.
    positive : str or None
        Of two classes, the one that is looked for.
    networks : dict of str to str
        Each network's name in the tables, and what it is in words.
    baselines : dict
        By network and level, the metrics of a constant prediction.
    seed : int
        The pipeline's.
    subtitle : list of str
        What the figures say of the data.
    """

    predictions: pd.DataFrame
    cost: pd.DataFrame
    histories: pd.DataFrame
    classes: list[str]
    positive: str | None
    networks: dict[str, str]
    baselines: dict[str, dict[str, dict[str, float]]]
    seed: int
    subtitle: list[str]


def read_benchmark(seed: int) -> Inputs:
    """Read what the benchmark gathered over its cells.

    Parameters
    ----------
    seed : int
        The pipeline's.

    Raises
    ------
    UserError
        If a file is missing or not what the benchmark writes.
    """
    about = read_about()
    predictions = read_out_of_fold(about["classes"])
    constant = score_constant(predictions, about["classes"], about["positive"])
    return Inputs(
        predictions=predictions,
        cost=_read_csv(COST),
        histories=_read_csv(HISTORIES),
        classes=about["classes"],
        positive=about["positive"],
        networks=about["networks"],
        baselines=dict.fromkeys(about["networks"], constant),
        seed=seed,
        subtitle=describe_benchmark(about),
    )


def describe_benchmark(about: dict[str, Any]) -> list[str]:
    """The data, and how it was divided, in two lines.

    Parameters
    ----------
    about : dict
        ``data/benchmark/about.json``.
    """
    repeats = f", {about['repeats']} draws of them" if about["repeats"] > 1 else ""
    data = data_words(about["dataset"], about["phantom"])
    if about.get("magnifications"):
        data = f"{data} at {', '.join(f'{number}X' for number in about['magnifications'])}"
    return [
        f"{data}; {about['n_images']} images of {about['n_patients']} patients",
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
        See `bycase.studies.compare.same_test.read_revisions`.
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
        seed=first.model_info["seed"],
        subtitle=[first.data, f"{first.split}; {first.size}"],
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
    )
    # Runs of before calibration was assessed have no temperature.
    return rows.assign(temperature=metrics.get("calibration", {}).get("temperature", np.nan))
