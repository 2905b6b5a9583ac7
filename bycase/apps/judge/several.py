"""Several tables side by side: the images that they share, and what `bycase compare` says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bycase.apps.judge.assess import OF_PROBABILITIES, JudgeSettings, without
from bycase.apps.judge.table import UNKNOWN_PATIENTS, Table, check_judged
from bycase.core.errors import UserError
from bycase.core.wording import count, plural
from bycase.statistics.pooling import pooling_of
from bycase.studies.benchmark.params import CompareParams
from bycase.studies.compare.comparison import Comparison, compare
from bycase.studies.compare.inputs import Inputs
from bycase.tables.out_of_fold import KEYS

SHOWN = (("image", "auc"), ("patient", "auc"), ("image", "accuracy"), ("patient", "accuracy"), ("image", "brier"))

COLUMNS = (*KEYS, "image", "patient", "label", "predicted", "threshold", "patient_threshold", "temperature")


def name_apart(paths: Sequence[Path]) -> list[str]:
    """The shortest names that tell files apart: the stem, with as many folders as it takes.

    Raises
    ------
    UserError
        If a file is named twice.
    """
    whole = [path.resolve() for path in paths]
    twice = [path for path, other in zip(paths, whole, strict=True) if whole.count(other) > 1]
    if twice:
        raise UserError(f"{twice[0]} is given twice; name each file once")
    parts = [path.with_suffix("").parts for path in whole]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["-".join(part[-depth:]).replace("/", "") for part in parts]
        if len(set(names)) == len(names):
            return names
    return [path.name for path in whole]  # of one name in one folder: told apart by the suffix


def put_side_by_side(tables: Sequence[Table], shared: bool) -> tuple[list[Table], list[str]]:
    """The tables on the same images, classes and patients.

    Parameters
    ----------
    tables : sequence of Table
        Two or more.
    shared : bool
        Whether images that some lack are left out; otherwise they are refused.

    Returns
    -------
    tables : list of Table
        Each with the judged images that all have.
    said : list of str
        What was done to them.

    Raises
    ------
    UserError
        If they differ in classes, images, labels, patients or folds.
    """
    first, said = tables[0], []
    taken = sorted(set(first.classes) & set(COLUMNS))
    if taken:
        raise UserError(f"a class is called {taken[0]}, as a column of the comparison is; rename it")
    for table in tables[1:]:
        if set(table.classes) != set(first.classes) or table.positive != first.positive:
            raise UserError(
                f"{first.name} and {table.name} differ in classes: {_classes(first)} / {_classes(table)}; give them "
                "the same names with --classes, the same one looked for with --positive"
            )
    tables = [_in_order(table, first.classes) for table in tables]
    tables, line = _share_images(tables, shared)
    said += line
    tables, line = _share_patients(tables)
    said += line
    for table in tables[1:]:
        for column, words in (("label", "label"), ("fold", "fold")):
            one, other = tables[0].part("test"), table.part("test")
            differ = (one[column] != other[column]).to_numpy(bool)
            if differ.any():
                row = int(differ.argmax())
                values = f"{other[column].iloc[row] or 'none'} / {one[column].iloc[row] or 'none'}"
                raise UserError(
                    f"{int(differ.sum())} images have another {words} in {table.name} than in {first.name}, such as "
                    f"{one['image'].iloc[row]} ({values}); "
                    "predictions are compared on the same images with the same labels and folds"
                )
    return tables, said


def _classes(table: Table) -> str:
    return f"{', '.join(table.classes)}{f' (looked for: {table.positive})' if table.positive else ''}"


def _in_order(table: Table, classes: Sequence[str]) -> Table:
    places = [table.classes.index(label) for label in classes]
    return replace(table, classes=list(classes), scores=table.scores[:, places])


def _share_images(tables: list[Table], shared: bool) -> tuple[list[Table], list[str]]:
    sets = [set(table.part("test")["image"]) for table in tables]
    common, union = set.intersection(*sets), set.union(*sets)
    if common == union:
        return tables, []
    lacking = next(image for image in sorted(union) if image not in common)
    having = [table.name for table, images in zip(tables, sets, strict=True) if lacking in images]
    words = f"the files have {count(len(common))} of {plural(len(union), 'judged image')} in common"
    if not common or not shared:
        way = "--shared judges all on those" if common else "do they name the images alike?"
        raise UserError(f"{words}; {lacking} is in {', '.join(having)} only; {way}")
    kept = [
        table.select(((table.rows["part"] != "test") | table.rows["image"].isin(common)).to_numpy(bool))
        for table in tables
    ]
    for table in kept:
        check_judged(table)
    return kept, [f"{words}; all are judged on those"]


def _share_patients(tables: list[Table]) -> tuple[list[Table], list[str]]:
    """One grouping of the images by patient for all; that of a file which has one, for those that have none."""
    known = [table for table in tables if table.patients_known]
    if not known:
        return tables, []
    patient = known[0].part("test").set_index("image")["patient"]
    for table in known[1:]:
        both = pd.DataFrame({"one": patient, "other": table.part("test").set_index("image")["patient"]})
        pairs = both.drop_duplicates()
        if len(pairs) != both["one"].nunique() or len(pairs) != both["other"].nunique():
            raise UserError(
                f"{known[0].name} and {table.name} group the images by other patients; correct one, or say --patient "
                "none for both"
            )
    said = [f"{table.name}: patients as in {known[0].name}" for table in tables if not table.patients_known]
    return [_with_patients(table, patient) for table in tables], said


def _with_patients(table: Table, patient: "pd.Series[str]") -> Table:
    judged = table.rows["part"] == "test"
    names = table.rows["patient"].mask(judged, table.rows["image"].map(patient))
    warnings = [warning for warning in table.warnings if warning != UNKNOWN_PATIENTS]
    return replace(table, rows=table.rows.assign(patient=names), patients_known=True, warnings=warnings)


def compare_tables(
    tables: Sequence[Table],
    metrics: Mapping[str, Mapping[str, Any]],
    settings: JudgeSettings,
    comparing: CompareParams,
) -> Comparison:
    """Rank the tables, and compare each with every other on the same patients.

    Parameters
    ----------
    tables : sequence of Table
        See `put_side_by_side`.
    metrics : mapping
        By name of a table, see `bycase.apps.judge.assess.assess_table`.
    settings : JudgeSettings
        Threshold and seed.
    comparing : CompareParams
        What decides.
    """
    first = tables[0]
    empty = pd.DataFrame(columns=["model", "repeat", "fold"])
    size = plural(len(first.part("test")), "image")
    if first.patients_known:
        size = f"{size} of {plural(int(first.part('test')['patient'].nunique()), 'patient')}"
    inputs = Inputs(
        predictions=pd.concat([_rows_of(table, metrics[table.name], settings) for table in tables], ignore_index=True),
        cost=empty,
        histories=empty,
        classes=first.classes,
        positive=first.positive,
        networks={table.name: table.file for table in tables},
        **{
            key: {name: {level: each[level][kind] for level in ("image", "patient")} for name, each in metrics.items()}
            for key, kind in (("baselines", "baseline"), ("over_constant", "over_constant"))
        },
        seed=settings.seed,
        subtitle=[
            f"predictions of {len(tables)} files; {size}",
            *([] if first.patients_known else [UNKNOWN_PATIENTS]),
        ],
        note="" if first.patients_known else UNKNOWN_PATIENTS,
    )
    comparison = compare(inputs, comparing)
    board, verdicts = comparison.board, comparison.verdicts
    if not all(table.probabilities for table in tables):
        board, verdicts = (without(content, (*OF_PROBABILITIES, "calibration")) for content in (board, verdicts))
    return replace(comparison, board=board, verdicts=verdicts)


def _rows_of(table: Table, metrics: Mapping[str, Any], settings: JudgeSettings) -> pd.DataFrame:
    """The judged images in the benchmark's layout, as the only repeat."""
    judged = table.part("test")
    fold = np.unique(judged["fold"].to_numpy(str), return_inverse=True)[1]
    scores = pd.DataFrame(table.scores[(table.rows["part"] == "test").to_numpy(bool)], columns=table.classes)
    rows = judged[["image", "patient", "label"]].assign(
        model=table.name,
        repeat=0,
        fold=fold,
        predicted=judged["predicted"] if table.by_class else "",
        threshold=np.nan,
        patient_threshold=np.nan,
        temperature=metrics["calibration"].get("temperature", np.nan),
        aggregation=str(pooling_of(metrics)),
    )
    if table.positive is not None:
        rows["threshold"] = metrics["image"].get("threshold", settings.fixed)
        rows["patient_threshold"] = metrics["patient"].get("threshold", settings.fixed)
    return rows.join(scores)
