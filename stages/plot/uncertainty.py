"""What `plots/` holds of the `uncertainty` stage."""

import pandas as pd
from matplotlib.figure import Figure

from stages.evaluate.multiclass.units import class_units
from stages.evaluate.predictions import TEST as PREDICTIONS
from stages.evaluate.results import read_results
from stages.plot.facts import Facts
from stages.uncertainty.figure import draw_uncertainty
from stages.uncertainty.summary import tabulate_risk
from stages.uncertainty.table import FOLDER, RESULTS, SETS, TEST, read_uncertainty, sets_of


def plot_uncertainty(predictions: pd.DataFrame, manifest: pd.DataFrame, facts: Facts) -> tuple[pd.DataFrame, Figure]:
    """Tabulate the risk-coverage curves and draw them with the prediction sets.

    Parameters
    ----------
    predictions, manifest, facts
        See `stages.plot.drawing.draw_two_classes`.

    Raises
    ------
    UserError
        If the stage's table or results are missing.
    """
    classes = facts.classes
    table, images = read_uncertainty(FOLDER / TEST), class_units(predictions, manifest, classes, PREDICTIONS)
    curve = tabulate_risk(table, classes, images.patient, None, facts.card["seed"])
    sets = {level: sets_of(table, level, classes) for level in SETS}
    return curve, draw_uncertainty(read_results(RESULTS, "uncertainty"), curve, sets, images, facts.card)
