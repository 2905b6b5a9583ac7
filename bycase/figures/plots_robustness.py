"""What `plots/` holds of the `robustness` stage."""

import pandas as pd
from matplotlib.figure import Figure

from bycase.figures.corruptions import choose_pictures, draw_corruptions
from bycase.figures.robustness import draw_robustness
from bycase.figures.run_info import RunInfo
from bycase.images.pixels import read_pixels
from bycase.statistics.robustness.summary import curves_table
from bycase.statistics.robustness.table import RESULTS
from bycase.tables.results import read_results


def plot_robustness(predictions: pd.DataFrame, run_info: RunInfo) -> tuple[pd.DataFrame, dict[str, Figure]]:
    """Tabulate and draw the scores by corruption and severity, and draw what each corruption looks like.

    Parameters
    ----------
    predictions, run_info
        See `bycase.figures.test_set.draw_two_classes`.

    Raises
    ------
    UserError
        If the stage's results or an image are missing.
    """
    summary, classes, seed = read_results(RESULTS, "robustness"), run_info.classes, run_info.model_info["seed"]
    corruptions = list(summary["corruptions"])
    severities = [int(severity) for severity in summary["by_severity"]]
    names, labels = choose_pictures(predictions, classes, seed), [classes[0], classes[-1]]
    strip = draw_corruptions(read_pixels(names), names, labels, corruptions, severities, seed, [run_info.data])
    curves = draw_robustness({run_info.model_info["model"]: summary}, run_info.subtitle)
    return curves_table(summary), {"robustness": curves, "corruptions": strip}
