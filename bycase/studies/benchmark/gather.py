"""From the cells' folders to tables over all of them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from bycase.core.errors import UserError
from bycase.figures.run_info import RunInfo
from bycase.statistics.pooling import pooling_of
from bycase.studies.benchmark.cell import Cell
from bycase.tables.models import read_model_info
from bycase.tables.out_of_fold import ABOUT_VERSION, AGGREGATION, BENCHMARK, KEYS, RULES, RULES_SEPARATOR
from bycase.tables.predictions import read_predictions
from bycase.tables.results import read_results


def gather_predictions(
    cells: Iterable[Cell], patients: "pd.Series[str]", folds: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """Put the test predictions of all cells together, each with its thresholds and temperature from validation.

    Parameters
    ----------
    cells : iterable of Cell
        Finished.
    patients : Series of str, by image
        What intervals are over.
    folds : DataFrame
        See `bycase.datasets.splits.folds.make_folds`.
    classes : sequence of str
        The probability columns.

    Returns
    -------
    DataFrame
        See `bycase.tables.out_of_fold`.

    Raises
    ------
    UserError
        If a cell was tested on other images than its fold's.
    """
    tested = {key: set(rows["image"]) for key, rows in folds[folds["part"] == "test"].groupby(["repeat", "fold"])}
    tables = []
    for cell in cells:
        folder = BENCHMARK / cell.place
        predictions = read_predictions(folder / "test.csv", classes)
        _refuse_other_images(cell, set(predictions["image"]), tested[cell.repeat, cell.fold])
        metrics = read_results(folder / "metrics.json", "benchmark/dvc.yaml")
        # None where a test part has no patient with two images.
        rules = RULES_SEPARATOR.join(metrics.get("aggregation", {}).get("rules", {}).values()) or None
        tables.append(
            predictions.drop(columns="group").assign(
                model=cell.model,
                repeat=cell.repeat,
                fold=cell.fold,
                held_out=cell.held_out,
                patient=predictions["image"].map(patients),
                threshold=metrics["image"].get("threshold"),
                patient_threshold=metrics["patient"].get("threshold"),
                temperature=metrics["calibration"]["temperature"],
                **{AGGREGATION: str(pooling_of(metrics)), RULES: rules},
            )
        )
    return pd.concat(tables, ignore_index=True).sort_values([*KEYS, "image"], ignore_index=True)


def _refuse_other_images(cell: Cell, images: set[str], tested: set[str]) -> None:
    # Without a magnification only part of the fold is tested, but nothing else.
    wrong = images - tested if cell.held_out else images ^ tested
    if wrong:
        raise UserError(
            f"{BENCHMARK / cell.place}: {cell} and its fold differ by {len(wrong)} test images, {min(wrong)} among "
            "them; run 'dvc repro -f benchmark/dvc.yaml:cell'"
        )


def gather_costs(cells: Iterable[Cell]) -> pd.DataFrame:
    """A row a cell: what it cost; a key that a cell's machine could not measure is empty."""
    rows = []
    for cell in cells:
        cost = read_results(BENCHMARK / cell.place / "cost.json", "benchmark/dvc.yaml")
        rows.append(_keys(cell) | {key: value for key, value in cost.items() if not isinstance(value, str)})
    return pd.DataFrame(rows)


def gather_tables(cells: Iterable[Cell], name: str) -> pd.DataFrame:
    """Put a table that every cell has together, with the cell's keys in front.

    Raises
    ------
    UserError
        If a cell lacks it.
    """
    tables = []
    for cell in cells:
        path = BENCHMARK / cell.place / name
        try:
            table = pd.read_csv(path, float_precision="round_trip")
        except FileNotFoundError:
            raise UserError(f"{path} not found: run 'bycase benchmark run'") from None
        for place, (key, value) in enumerate(_keys(cell).items()):
            table.insert(place, key, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def describe(cells: Sequence[Cell], folds: pd.DataFrame, patients: "pd.Series[str]") -> dict[str, Any]:
    """Describe data, folds and networks: the content of ``data/benchmark/about.json``.

    Parameters
    ----------
    cells : sequence of Cell
        Finished; of one data set.
    folds : DataFrame
        See `bycase.datasets.splits.folds.make_folds`.
    patients : Series of str, by image
        What intervals are over.
    """
    by_model: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        by_model.setdefault(cell.model, []).append(read_model_info(BENCHMARK / cell.place / "model.json"))
    model_infos = {model: infos[-1] | join_settings(infos) for model, infos in by_model.items()}
    protocol = json.loads((BENCHMARK / cells[0].place / "splits.json").read_text(encoding="utf-8"))
    model_info, images = model_infos[cells[0].model], folds["image"].unique()
    return {
        "version": ABOUT_VERSION,
        "dataset": model_info["dataset"],
        "phantom": model_info["phantom"],
        "classes": model_info["classes"],
        "positive": model_info["positive"],
        "image_size": model_info["image_size"],
        "group": protocol["group"],
        "magnifications": protocol["magnifications"],
        "folds": int(folds["fold"].nunique()),
        "repeats": int(folds["repeat"].nunique()),
        "n_images": len(images),
        "n_patients": int(patients.loc[images].nunique()),
        "patients_known": protocol["patients_known"],
        "networks": {model: RunInfo(info, protocol, {}).network for model, info in model_infos.items()},
    }


def join_settings(model_infos: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What validation chose for the heads of one network's trainings, the most frequent first.

    Empty where heads are trained in epochs; else ``head_setting``, such as 'C = 0.01 in 4 of 5 trainings; C = 0.1 in
    1'.
    """
    chosen = Counter(info["head_setting"] for info in model_infos if "head_setting" in info)
    if not chosen:
        return {}
    (first, times), *others = chosen.most_common()
    if not others:
        return {"head_setting": first}
    words = [f"{first} in {times} of {chosen.total()} trainings", *(f"{setting} in {n}" for setting, n in others)]
    return {"head_setting": "; ".join(words)}


def _keys(cell: Cell) -> dict[str, Any]:
    return {"model": cell.model, "repeat": cell.repeat, "fold": cell.fold}
