"""What `bycase judge` leaves in its folder: metrics, figures and pages; whole or not at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bycase.apps.judge.assess import JudgedInfo, JudgeSettings, judged_units
from bycase.apps.judge.page import board_page, judged_page
from bycase.apps.judge.table import Table
from bycase.core.errors import UserError
from bycase.core.files import replace_folder, write_csv, write_json
from bycase.figures.comparison.roc import fold_mean_roc
from bycase.figures.confusion import confusion_table, draw_confusion, write_report
from bycase.figures.curves import PRECISION_RECALL, ROC, draw_curves
from bycase.figures.plots import Plots, plot_decisions
from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.style import save_figure
from bycase.figures.subgroups import draw_subgroups
from bycase.report.page import write_page
from bycase.statistics.units import Units
from bycase.studies.compare.comparison import Comparison, draw_figures, write_tables

MARK = "judge.json"  # by which a folder is known as one of this command's
VERSION = 1


def check_folder(folder: Path) -> None:
    """Refuse a folder that this command did not write, before any work is done.

    Raises
    ------
    UserError
        If it is a file, or holds something but not what this command leaves.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        try:
            ours = json.loads((folder / MARK).read_text(encoding="utf-8"))["command"] == "bycase judge"
        except (OSError, ValueError, KeyError, TypeError):
            ours = False
        if not ours:
            raise UserError(f"--out {folder} holds something that bycase judge did not write; name another folder")


def write_all(
    folder: Path,
    infos: Sequence[JudgedInfo],
    comparison: Comparison | None,
    said: Sequence[str],
    settings: JudgeSettings,
    command: str,
) -> None:
    """Write one table's results into `folder`, or those of several below it, with their comparison.

    Parameters
    ----------
    folder : Path
        Replaced as a whole.
    infos : sequence of JudgedInfo
        The tables and their metrics, tidied.
    comparison : Comparison or None
        Of several tables.
    said : sequence of str
        What was done to put them side by side.
    settings : JudgeSettings
        Threshold, resamples and seed.
    command : str
        For the pages; file names without folders.
    """
    check_folder(folder)
    with replace_folder(folder) as partial:
        tables = [info.table for info in infos]
        for info in infos:
            write_one(partial if comparison is None else partial / info.table.name, info, settings, command)
        if comparison is not None:
            write_tables(partial, comparison)
            (partial / "extras.json").unlink()  # of the benchmark only
            _save(partial / "plots", Plots(figures=draw_figures(comparison)))
            _write(
                partial / "report.html", write_page(board_page(tables, comparison, said, partial / "plots", command))
            )
        write_json(partial / MARK, describe(tables, said, settings, command))


def write_one(folder: Path, info: JudgedInfo, settings: JudgeSettings, command: str) -> None:
    """Write ``metrics.json``, ``plots/`` and ``report.html`` of one table."""
    units = judged_units(info.table, info.metrics, settings)
    plots = draw(info, units)
    write_json(folder / "metrics.json", info.metrics)
    _save(folder / "plots", plots)
    _write(folder / "report.html", write_page(judged_page(info, units, folder / "plots", command)))


def describe(tables: Sequence[Table], said: Sequence[str], settings: JudgeSettings, command: str) -> dict[str, Any]:
    """The content of ``judge.json``: what was read, and how; no path of this machine."""
    return {
        "version": VERSION,
        "command": "bycase judge",
        "line": command,
        "settings": {"threshold": settings.threshold, "resamples": settings.resamples, "seed": settings.seed},
        "said": list(said),
        "files": {
            table.name: {
                "file": table.file,
                "sha256": table.digest,
                "classes": table.classes,
                "positive": table.positive,
                "said": table.said,
                "warnings": table.warnings,
            }
            for table in tables
        },
    }


def draw(info: JudgedInfo, units: Mapping[str, Units]) -> Plots:
    """The figures that a table has the numbers for; out of folds, the curve is the mean over them."""
    images, table = units["image"], info.table
    plots = Plots(
        {"confusion": confusion_table(images)},
        {"confusion": draw_confusion(units, info)},
        {"classification_report": write_report(units, info)},
    )
    if info.metrics["subgroups"]:
        plots |= Plots(figures={"subgroups": draw_subgroups(info)})
    if not table.probabilities:
        return plots
    plots |= plot_decisions(units, info)
    reliability = reliability_tables(units, info)
    figures = {"calibration": draw_reliability(reliability, units, info)}
    tables = {"calibration": reliability["image"]["before"]}
    curves = {"roc": ROC, "precision_recall": PRECISION_RECALL}
    if table.folds > 1:
        # The area under it is the AUC by ranks within folds; precision and recall have no such mean.
        curves = {"roc": replace(ROC, tabulate=fold_mean_roc)}
    for name, curve in curves.items():
        figures[name] = draw_curves(curve, units, info)
        tables[name] = curve.table(images)
    return plots | Plots(tables, figures)


def _save(folder: Path, plots: Plots) -> None:
    for name, table in plots.tables.items():
        write_csv(folder / f"{name}.csv", table)
    for name, figure in plots.figures.items():
        save_figure(folder / f"{name}.png", figure)
    for name, text in plots.texts.items():
        _write(folder / f"{name}.txt", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
