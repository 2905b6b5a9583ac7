"""What `plots/` holds of the test part, with two classes."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from bycase.figures.classification_report import write_report
from bycase.figures.confusion import confusion_counts, draw_confusion
from bycase.figures.curve_tables import confusion_table, precision_recall_table, roc_table
from bycase.figures.curves import draw_precision_recall, draw_roc
from bycase.figures.grid import choose_examples, draw_grid
from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.run_info import RunInfo
from bycase.images.pixels import read_pixels
from bycase.statistics.units import image_units, patient_units
from bycase.tables.predictions import TEST


@dataclass(frozen=True)
class Drawing:
    """Tables and figures by their file's name without suffix, and the classification report."""

    tables: dict[str, pd.DataFrame]
    figures: dict[str, Figure]
    report: str


def draw_two_classes(predictions: pd.DataFrame, manifest: pd.DataFrame, run_info: RunInfo) -> Drawing:
    """Draw everything of the test part.

    Parameters
    ----------
    predictions : DataFrame
        Of the test part; see `bycase.tables.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
    run_info : RunInfo
        What the figures say of themselves.
    """
    seed = run_info.model_info["seed"]
    images = image_units(predictions, manifest, run_info.classes, run_info.positive, TEST)
    units = {"image": images, "patient": patient_units(images)}
    truth = {level: of.truth for level, of in units.items()}
    predicted = {level: of.scores >= run_info.metrics[level]["threshold"] for level, of in units.items()}
    examples = choose_examples(images, predicted["image"], seed)
    pixels = read_pixels(predictions["image"].iloc[examples].tolist())
    roc = {level: roc_table(of) for level, of in units.items()}
    precision_recall = {level: precision_recall_table(of) for level, of in units.items()}
    reliability = reliability_tables(units, run_info, seed)
    counts = {level: confusion_counts(truth[level], predicted[level]) for level in units}
    return Drawing(
        tables={
            "roc": roc["image"],
            "precision_recall": precision_recall["image"],
            "confusion": confusion_table(predictions, predicted["image"], run_info.negative, run_info.positive),
            "calibration": reliability["image"]["before"],
        },
        figures={
            "roc": draw_roc(roc, run_info),
            "precision_recall": draw_precision_recall(precision_recall, run_info),
            "confusion": draw_confusion(counts, run_info),
            "calibration": draw_reliability(reliability, units, run_info),
            "predictions": draw_grid(pixels, images, predicted["image"], examples, run_info),
        },
        report=write_report(truth, predicted, run_info),
    )
