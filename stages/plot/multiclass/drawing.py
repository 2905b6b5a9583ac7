"""What `plots/` holds of the test part, with more than two classes."""

import numpy as np
import pandas as pd

from stages.evaluate.multiclass.units import class_units, patient_class_units
from stages.evaluate.predictions import TEST
from stages.plot.drawing import Drawing
from stages.plot.facts import Facts
from stages.plot.multiclass.confusion import class_confusion, draw_class_confusion
from stages.plot.multiclass.curves import draw_class_precision_recall, draw_class_roc
from stages.plot.multiclass.grid import choose_class_examples, draw_class_grid
from stages.plot.multiclass.report import write_class_report
from stages.plot.multiclass.tables import mean_precision_recall_table, mean_roc_table
from stages.plot.reliability import draw_reliability, reliability_tables
from stages.plot.tables import precision_recall_table, roc_table
from stages.restructure.pixels import read_pixels


def draw_classes(predictions: pd.DataFrame, manifest: pd.DataFrame, facts: Facts) -> Drawing:
    """Draw everything of the test part.

    Parameters
    ----------
    predictions : DataFrame
        Of the test part; see `stages.evaluate.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
    facts : Facts
        What the figures say of themselves.
    """
    seed, classes = facts.card["seed"], facts.classes
    images = class_units(predictions, manifest, classes, TEST)
    units = {"image": images, "patient": patient_class_units(images)}
    examples = choose_class_examples(images, seed)
    pixels = read_pixels(predictions["image"].iloc[np.concatenate(examples)].tolist())
    rest = {label: images.against_rest(number) for number, label in enumerate(classes)}
    roc = {label: roc_table(of) for label, of in rest.items()}
    precision_recall = {label: precision_recall_table(of) for label, of in rest.items()}
    mean_roc, mean_precision_recall = mean_roc_table(roc), mean_precision_recall_table(precision_recall)
    reliability = reliability_tables(units, facts, seed)
    confusion = pd.DataFrame({"actual": predictions["label"], "predicted": np.array(classes)[images.predicted]})
    return Drawing(
        tables={
            "roc": mean_roc,
            "precision_recall": mean_precision_recall,
            "confusion": confusion,
            "calibration": reliability["image"]["before"],
        },
        figures={
            "roc": draw_class_roc(roc, mean_roc, facts),
            "precision_recall": draw_class_precision_recall(precision_recall, mean_precision_recall, facts),
            "confusion": draw_class_confusion({level: class_confusion(of) for level, of in units.items()}, facts),
            "calibration": draw_reliability(reliability, units, facts),
            "predictions": draw_class_grid(pixels, images, examples, facts),
        },
        report=write_class_report(units, facts),
    )
