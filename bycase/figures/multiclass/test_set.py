"""What `plots/` holds of the test part, with more than two classes."""

import numpy as np
import pandas as pd

from bycase.figures.curve_tables import precision_recall_table, roc_table
from bycase.figures.multiclass.classification_report import write_class_report
from bycase.figures.multiclass.confusion import class_confusion, draw_class_confusion
from bycase.figures.multiclass.curve_tables import mean_precision_recall_table, mean_roc_table
from bycase.figures.multiclass.curves import draw_class_precision_recall, draw_class_roc
from bycase.figures.multiclass.grid import choose_class_examples, draw_class_grid
from bycase.figures.reliability import draw_reliability, reliability_tables
from bycase.figures.run_info import RunInfo
from bycase.figures.test_set import Drawing
from bycase.images.pixels import read_pixels
from bycase.statistics.multiclass.units import class_units, patient_class_units
from bycase.tables.predictions import TEST


def draw_classes(predictions: pd.DataFrame, manifest: pd.DataFrame, run_info: RunInfo) -> Drawing:
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
    seed, classes = run_info.model_info["seed"], run_info.classes
    images = class_units(predictions, manifest, classes, TEST)
    units = {"image": images, "patient": patient_class_units(images)}
    examples = choose_class_examples(images, seed)
    pixels = read_pixels(predictions["image"].iloc[np.concatenate(examples)].tolist())
    rest = {label: images.against_rest(number) for number, label in enumerate(classes)}
    roc = {label: roc_table(of) for label, of in rest.items()}
    precision_recall = {label: precision_recall_table(of) for label, of in rest.items()}
    mean_roc, mean_precision_recall = mean_roc_table(roc), mean_precision_recall_table(precision_recall)
    reliability = reliability_tables(units, run_info, seed)
    confusion = pd.DataFrame({"actual": predictions["label"], "predicted": np.array(classes)[images.predicted]})
    return Drawing(
        tables={
            "roc": mean_roc,
            "precision_recall": mean_precision_recall,
            "confusion": confusion,
            "calibration": reliability["image"]["before"],
        },
        figures={
            "roc": draw_class_roc(roc, mean_roc, run_info),
            "precision_recall": draw_class_precision_recall(precision_recall, mean_precision_recall, run_info),
            "confusion": draw_class_confusion({level: class_confusion(of) for level, of in units.items()}, run_info),
            "calibration": draw_reliability(reliability, units, run_info),
            "predictions": draw_class_grid(pixels, images, examples, run_info),
        },
        report=write_class_report(units, run_info),
    )
