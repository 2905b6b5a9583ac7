"""`python -m stages.plot`: tables for `dvc plots`, figures and a report for people."""

import logging
from pathlib import Path

import pandas as pd

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import replace_file, write_csv
from bycase.figures.learning_curves import draw_learning_curves
from bycase.figures.multiclass.test_set import draw_classes
from bycase.figures.plots_explanations import plot_explanations
from bycase.figures.plots_robustness import plot_robustness
from bycase.figures.plots_uncertainty import plot_uncertainty
from bycase.figures.run_info import read_run_info
from bycase.figures.sanity_checks import check_training, write_sanity
from bycase.figures.style import save_figure
from bycase.figures.subgroups import draw_subgroups
from bycase.figures.test_set import draw_two_classes
from bycase.figures.training_sanity import draw_sanity
from bycase.tables.manifest import read_manifest
from bycase.tables.models import HISTORY
from bycase.tables.predictions import TEST, VALIDATION, read_predictions

PLOTS = Path("plots")


def main() -> None:
    """Write everything below ``plots/``."""
    run_info = read_run_info()
    history = _read_history()
    validation = read_predictions(VALIDATION, run_info.classes)
    predictions, manifest = read_predictions(TEST, run_info.classes), read_manifest()
    drawing = (draw_two_classes if len(run_info.classes) == 2 else draw_classes)(predictions, manifest, run_info)
    risk, sureness = plot_uncertainty(predictions, manifest, run_info)
    damage, damaged = plot_robustness(predictions, run_info)
    deletion, explained = plot_explanations(run_info)
    checks = check_training(history, run_info.model_info, validation["label"])

    tables = {
        **drawing.tables,
        "deletion": deletion,
        "learning_curves": history,
        "risk_coverage": risk,
        "robustness": damage,
    }
    figures = {
        **drawing.figures,
        **damaged,
        **explained,
        "learning_curves": draw_learning_curves(history, run_info),
        "sanity": draw_sanity(history, checks, validation["label"], run_info),
        "subgroups": draw_subgroups(run_info),
        "uncertainty": sureness,
    }
    texts = {"classification_report": drawing.report, "sanity": write_sanity(checks, run_info)}
    for name, table in tables.items():
        write_csv(PLOTS / f"{name}.csv", table)
    for name, figure in figures.items():
        save_figure(PLOTS / f"{name}.png", figure)
    for name, text in texts.items():
        with replace_file(PLOTS / f"{name}.txt") as partial:
            partial.write_text(text, encoding="utf-8")
    for check in checks:
        if not check.passed:
            logging.warning("WARNING: %s", check.words)
    logging.info("%d figures and %d tables in %s/", len(figures), len(tables), PLOTS)


def _read_history() -> pd.DataFrame:
    try:
        return pd.read_csv(HISTORY)
    except FileNotFoundError:
        raise UserError(f"{HISTORY} not found: run 'dvc repro train' first") from None


if __name__ == "__main__":
    run_stage("plot", main)
