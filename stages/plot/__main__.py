"""`python -m stages.plot`: tables for `dvc plots`, figures and a report for people."""

import logging
from pathlib import Path

import pandas as pd

from stages.common.command import run_stage
from stages.common.errors import UserError
from stages.common.figures import save_figure
from stages.common.files import replace_file, write_csv
from stages.common.manifest import read_manifest
from stages.evaluate.predictions import TEST, read_predictions
from stages.evaluate.units import image_units, patient_units
from stages.plot.confusion import confusion_counts, draw_confusion
from stages.plot.curves import draw_calibration, draw_precision_recall, draw_roc
from stages.plot.facts import read_facts
from stages.plot.grid import choose_examples, draw_grid
from stages.plot.learning import draw_learning_curves
from stages.plot.report import write_report
from stages.plot.tables import calibration_table, confusion_table, precision_recall_table, roc_table
from stages.restructure.pixels import read_pixels
from stages.train.record import HISTORY

PLOTS = Path("plots")


def main() -> None:
    """Write everything below ``plots/``."""
    facts = read_facts()
    classes, seed = facts.card["classes"], facts.card["seed"]
    predictions = read_predictions(TEST, classes)
    images = image_units(predictions, read_manifest(), classes, facts.positive, TEST)
    units = {"image": images, "patient": patient_units(images)}
    truth = {level: of.truth for level, of in units.items()}
    predicted = {level: of.scores >= facts.metrics[level]["threshold"] for level, of in units.items()}
    examples = choose_examples(images, predicted["image"], seed)
    pixels = read_pixels(predictions["image"].iloc[examples].tolist())

    roc = {level: roc_table(of) for level, of in units.items()}
    precision_recall = {level: precision_recall_table(of) for level, of in units.items()}
    calibration = calibration_table(images, seed)
    history = _read_history()
    counts = {level: confusion_counts(truth[level], predicted[level]) for level in units}

    tables = {
        "roc": roc["image"],
        "precision_recall": precision_recall["image"],
        "confusion": confusion_table(predictions, predicted["image"], facts.negative, facts.positive),
        "calibration": calibration,
        "learning_curves": history,
    }
    figures = {
        "roc": draw_roc(roc, facts),
        "precision_recall": draw_precision_recall(precision_recall, facts),
        "confusion": draw_confusion(counts, facts),
        "calibration": draw_calibration(calibration, images, facts),
        "learning_curves": draw_learning_curves(history, facts),
        "predictions": draw_grid(pixels, images, predicted["image"], examples, facts),
    }
    for name, table in tables.items():
        write_csv(PLOTS / f"{name}.csv", table)
    for name, figure in figures.items():
        save_figure(PLOTS / f"{name}.png", figure)
    with replace_file(PLOTS / "classification_report.txt") as partial:
        partial.write_text(write_report(truth, predicted, facts), encoding="utf-8")
    logging.info("%d figures and %d tables in %s/", len(figures), len(tables), PLOTS)


def _read_history() -> pd.DataFrame:
    try:
        return pd.read_csv(HISTORY)
    except FileNotFoundError:
        raise UserError(f"{HISTORY} not found: run 'dvc repro train' first") from None


if __name__ == "__main__":
    run_stage("plot", main)
