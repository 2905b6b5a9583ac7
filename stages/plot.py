"""`python -m stages.plot`: tables for `dvc plots`, figures and a report for people."""

import logging
from pathlib import Path

import pandas as pd

from bycase.core.command import run_stage
from bycase.core.errors import UserError
from bycase.core.files import replace_file, write_csv
from bycase.figures.learning_curves import draw_learning_curves
from bycase.figures.plots import Plots, plot_explanations, plot_external, plot_robustness, plot_test, plot_uncertainty
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.figures.style import save_figure
from bycase.figures.training_sanity import check_training, draw_sanity, write_sanity
from bycase.statistics.units import image_units
from bycase.tables.manifest import read_manifest
from bycase.tables.models import HISTORY
from bycase.tables.predictions import TEST, VALIDATION, read_predictions

PLOTS = Path("plots/model")


def main() -> None:
    """Write everything below ``plots/model``."""
    run_info = read_run_info()
    training = plot_training(run_info)
    predictions, manifest = read_predictions(TEST, run_info.classes), read_manifest()
    threshold = run_info.threshold("image")
    images = image_units(predictions, manifest, run_info.classes, run_info.positive, TEST, threshold)
    write_plots(
        training
        | plot_test(images, predictions["image"].tolist(), run_info)
        | plot_uncertainty(images, run_info)
        | plot_robustness(predictions, run_info)
        | plot_explanations(run_info)
        | plot_external(run_info)
    )


def plot_training(run_info: RunInfo) -> Plots:
    """The `train` stage: learning curves and sanity checks, of which failed ones are logged.

    Raises
    ------
    UserError
        If the history or the validation predictions are missing.
    """
    try:
        history = pd.read_csv(HISTORY)
    except FileNotFoundError:
        raise UserError(f"{HISTORY} not found: run 'dvc repro train' first") from None
    truth = read_predictions(VALIDATION, run_info.classes)["label"]
    checks = check_training(history, run_info.model_info, truth)
    for check in checks:
        if not check.passed:
            logging.warning("WARNING: %s", check.words)
    curves, sanity = draw_learning_curves(history, run_info), draw_sanity(history, checks, truth, run_info)
    figures = {"learning_curves": curves, "sanity": sanity}
    return Plots({"learning_curves": history}, figures, {"sanity": write_sanity(checks, run_info)})


def write_plots(plots: Plots) -> None:
    """Write each into its file in `PLOTS`."""
    for name, table in plots.tables.items():
        write_csv(PLOTS / f"{name}.csv", table)
    for name, figure in plots.figures.items():
        save_figure(PLOTS / f"{name}.png", figure)
    for name, text in plots.texts.items():
        with replace_file(PLOTS / f"{name}.txt") as partial:
            partial.write_text(text, encoding="utf-8")
    logging.info("%d figures and %d tables in %s/", len(plots.figures), len(plots.tables), PLOTS)


if __name__ == "__main__":
    run_stage("plot", main)
