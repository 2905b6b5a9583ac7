"""What `plots/` holds of the `uncertainty` stage."""

import pandas as pd
from matplotlib.figure import Figure

from bycase.figures.run_info import RunInfo
from bycase.figures.uncertainty import draw_uncertainty
from bycase.statistics.multiclass.units import class_units
from bycase.statistics.uncertainty.summary import tabulate_risk
from bycase.statistics.uncertainty.table import FOLDER, RESULTS, SETS, TEST, read_uncertainty, sets_of
from bycase.tables.predictions import TEST as PREDICTIONS
from bycase.tables.results import read_results


def plot_uncertainty(
    predictions: pd.DataFrame, manifest: pd.DataFrame, run_info: RunInfo
) -> tuple[pd.DataFrame, Figure]:
    """Tabulate the risk-coverage curves and draw them with the prediction sets.

    Parameters
    ----------
    predictions, manifest, run_info
        See `bycase.figures.test_set.draw_two_classes`.

    Raises
    ------
    UserError
        If the stage's table or results are missing.
    """
    classes = run_info.classes
    table, images = read_uncertainty(FOLDER / TEST), class_units(predictions, manifest, classes, PREDICTIONS)
    curve = tabulate_risk(table, classes, images.patient, None, run_info.model_info["seed"])
    sets = {level: sets_of(table, level, classes) for level in SETS}
    return curve, draw_uncertainty(read_results(RESULTS, "uncertainty"), curve, sets, images, run_info.model_info)
