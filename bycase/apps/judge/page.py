"""The report of judged predictions: the page that this project's own networks get, without what a table cannot tell."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from bycase.apps.judge.assess import JudgedInfo, constant_words
from bycase.apps.judge.several import SHOWN
from bycase.apps.judge.table import UNKNOWN_PATIENTS, Table
from bycase.core.versions import installed_versions
from bycase.core.wording import capitalise, count, metric_with_interval, share
from bycase.report.aggregation import aggregation_blocks
from bycase.report.blocks import Block, Listing, Page, Section, Text
from bycase.report.blocks import Table as Cells
from bycase.report.decisions import decision_tables, interaction_tables
from bycase.report.failures import patient_table
from bycase.report.page import embed_figure
from bycase.report.resolution import resolution_section
from bycase.report.sections import (
    calibration_table,
    class_table,
    constant_table,
    intervals_words,
    main_numbers,
    operating_table,
    results_table,
    subgroup_tables,
)
from bycase.report.verdicts import verdict_section
from bycase.report.words import accuracy_verdict, auc_verdict, describe_metric
from bycase.statistics.metric_names import metric_words
from bycase.statistics.units import Units
from bycase.studies.compare.comparison import Comparison

PACKAGES = ("bycase", "numpy", "pandas", "scikit-learn", "scipy", "statsmodels")
ERRORS = 12
# Figures by name: the text for those who do not see it, which is the caption too.
FIGURES = {
    "roc": "ROC curves",
    "precision_recall": "Precision-recall curves",
    "confusion": "Confusion matrices: counts and shares",
    "calibration": "Reliability: observed share against predicted probability",
    "decisions": "Decision curve: net benefit by the probability from which one acts",
    "subgroups": "The same metrics by subgroup",
    "critical_difference": "Files by rank; a line joins those not shown to differ",
}
Levels = Mapping[str, Mapping[str, Any]]


def judged_page(info: JudgedInfo, units: Mapping[str, Units], plots: Path, command: str) -> Page:
    """The page of one table.

    Parameters
    ----------
    info : JudgedInfo
        The table and its metrics, tidied.
    units : mapping of level to Units
        The judged images and patients.
    plots : Path
        The folder of the figures.
    command : str
        What made it, file names without folders.
    """
    table, levels = info.table, levels_of(info.metrics)
    return Page(
        kicker="Predictions judged",
        title=f"{table.file}: {info.size}",
        warning=" ".join(f"{capitalise(warning)}." for warning in table.warnings) or None,
        headline=_headline(info, levels),
        numbers=main_numbers(levels),
        sections=[
            Section("read", "What was read", [Listing([*table.said, f"judged: {info.split}; {info.size}"])]),
            _results(info, levels, plots),
            *_calibration(info, plots),
            *_decisions(info, plots),
            *_subgroups(info, plots),
            _errors(table, units["image"]),
            production([table], command),
        ],
        clusters=table.clusters,
    )


def board_page(tables: Sequence[Table], comparison: Comparison, said: Sequence[str], plots: Path, command: str) -> Page:
    """The page of several tables: leaderboard and verdicts; each has a page of its own beside it."""
    board, clusters = comparison.board, comparison.inputs.clusters
    settings = comparison.verdicts["settings"]
    warnings = [f"{table.name}: {warning}." for table in tables for warning in table.warnings if "LEAK" in warning]
    warnings += [] if clusters == "patients" else [f"{capitalise(UNKNOWN_PATIENTS)}."]
    shown = [(level, metric) for level, metric in SHOWN if metric in board[next(iter(board))].get(level, {})]
    header = ("file", *(f"{metric_words(metric)} by {level}" for level, metric in shown))
    rows = [
        (f"{row['rank']}. {name}", *(metric_with_interval(row[level], metric) for level, metric in shown))
        for name, row in board.items()
    ]
    first = board[next(iter(board))]
    rows.append(("constant prediction", *(share(first[level]["baseline"][metric]) for level, metric in shown)))
    caption = (
        f"Best first, by {metric_words(settings['metric'])} of {settings['level']}s. {intervals_words(clusters)} "
        "Overlapping intervals do not mean that two files are equal: see the pairwise verdicts. "
        f"{constant_words(next(table for table in tables if table.name == next(iter(board))))}"
    )
    best = Section(
        "results", "Leaderboard", [Cells(caption, header, rows), *_figures(plots, "critical_difference", "roc")]
    )
    read = [f"{table.name}: {line}" for table in tables for line in (f"the file {table.file}", *table.said)]
    pages = Text("A page on each file is in the folder of its name beside this one.")
    return Page(
        kicker="Predictions judged",
        title=f"{len(tables)} files of predictions compared",
        warning=" ".join(warnings) or None,
        headline=[f"{capitalise('; '.join(comparison.inputs.subtitle))}.", *[f"{capitalise(line)}." for line in said]],
        numbers=[],
        sections=[
            best,
            verdict_section(comparison.verdicts, clusters),
            resolution_section(comparison.verdicts["resolution"], patients_known=clusters == "patients"),
            *([Section("calibration", "Calibration", found)] if (found := _figures(plots, "calibration")) else []),
            Section("read", "What was read", [Listing(read), pages]),
            production(tables, command),
        ],
        clusters=clusters,
    )


def levels_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The levels that there are."""
    return {level: metrics[level] for level in ("image", "patient") if level in metrics}


def production(tables: Sequence[Table], command: str) -> Section:
    """The command, the files' hashes and the versions."""
    hashes = [(table.file, table.digest) for table in tables]
    blocks: list[Block] = [
        Cells("Command, file names without folders.", ("item", "value"), [("command", command)], numbers=False),
        Cells("Files.", ("file", "SHA-256"), hashes, numbers=False),
        Cells("Versions.", ("package", "version"), list(installed_versions(PACKAGES).items()), numbers=False),
    ]
    return Section("production", "Reproducibility", blocks)


def _headline(info: JudgedInfo, levels: Levels) -> list[str]:
    metrics = [metric for metric in ("auc", "accuracy") if metric in levels["image"]]
    image = levels["image"]
    said = "; ".join(
        f"by {level}: {', '.join(describe_metric(numbers, metric) for metric in metrics)}"
        for level, numbers in levels.items()
    )
    constant = f"A constant prediction has an accuracy of {share(image['baseline']['accuracy'])} by image."
    sentences = [f"{capitalise(said)}. {constant}"]
    verdicts = accuracy_verdict(image)
    if "auc" in image and info.table.patients_known:
        verdicts = f"{auc_verdict(levels)} {verdicts}"
    sentences.append(verdicts)
    decided = "; ".join(f"{level}s: {info.decision(level)}" for level in levels)
    return [*sentences, f"{capitalise(decided)}."]


def _results(info: JudgedInfo, levels: Levels, plots: Path) -> Section:
    clusters = info.clusters
    blocks: list[Block] = [
        results_table(levels, clusters, constant_words(info.table)),
        constant_table(levels, clusters),
        *aggregation_blocks(info.metrics, info.table.patients_known),
        *class_table(levels["image"], clusters),
        *operating_table(levels, clusters),
        *_figures(plots, "roc", "precision_recall", "confusion"),
    ]
    if info.positive is not None and info.table.probabilities and not info.table.has_validation:
        text = "No rows of a part val: no operating points, since thresholds chosen on judged images flatter."
        blocks.insert(1, Text(text, "note"))
    return Section("results", "Results", blocks)


def _calibration(info: JudgedInfo, plots: Path) -> list[Section]:
    calibration = info.metrics.get("calibration")
    if not calibration:
        return []
    levels = {f"by {level}": calibration[level] for level in ("image", "patient") if level in calibration}
    blocks: list[Block] = [calibration_table(levels, info.clusters), *_figures(plots, "calibration")]
    return [Section("calibration", "Calibration", blocks)]


def _decisions(info: JudgedInfo, plots: Path) -> list[Section]:
    tables = decision_tables(info.metrics.get("decisions", {}), info.clusters)
    found = [*tables, *_figures(plots, "decisions")]
    return [Section("decisions", "What decisions are worth", found)] if tables else []


def _subgroups(info: JudgedInfo, plots: Path) -> list[Section]:
    tables = subgroup_tables(info.metrics["subgroups"], info.clusters)
    tables += interaction_tables(info.metrics.get("interactions", {})) if tables else []
    return [Section("subgroups", "Subgroups", [*tables, *_figures(plots, "subgroups")])] if tables else []


def _figures(plots: Path, *names: str) -> list[Block]:
    return [
        embed_figure(plots / f"{name}.png", FIGURES[name], f"{FIGURES[name]}.")
        for name in names
        if (plots / f"{name}.png").exists()
    ]


def _errors(table: Table, images: Units) -> Section:
    """The most confident errors, and the patients with the most."""
    names, rows = np.asarray(table.classes, dtype=object), table.part("test")
    predicted = pd.DataFrame(
        {
            "image": [PurePosixPath(name).name for name in rows["image"]],
            "patient": rows["patient"],
            "label": rows["label"],
            "predicted": names[images.predicted],
            "probability": images.scores[np.arange(len(rows)), images.predicted],
            "wrong": ~images.right,
        }
    )
    wrong = predicted[predicted["wrong"]].sort_values(["probability", "image"], ascending=[False, True])
    if wrong.empty:
        return Section("errors", "Errors", [Text("Every judged image is predicted rightly.")])
    columns = {"image": "image", "label": "true", "predicted": "predicted"}
    columns |= {"patient": "patient"} if table.patients_known else {}
    shown = [
        (*(row[column] for column in columns), *([share(row["probability"])] if table.probabilities else []))
        for row in wrong.head(ERRORS).to_dict("records")
    ]
    header = (*columns.values(), *(["probability of the predicted class"] if table.probabilities else []))
    first = "the most confident" if table.probabilities else "the first by name"
    caption = f"{count(len(wrong))} of {count(len(predicted))} images are misclassified; shown: {first} {len(shown)}."
    blocks: list[Block] = [Cells(caption, header, shown, numbers=False)]
    return Section("errors", "Errors", [*blocks, *([patient_table(predicted)] if table.patients_known else [])])
