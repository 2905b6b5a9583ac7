"""What `plots/` holds of the `explain` stage."""

import pandas as pd
from matplotlib.figure import Figure

from stages.evaluate.results import read_results
from stages.explain.drawing import draw_all
from stages.explain.material import FILE, read_material
from stages.explain.table import FOLDER, RESULTS, mean_curves
from stages.plot.facts import Facts


def plot_explanations(facts: Facts) -> tuple[pd.DataFrame, dict[str, Figure]]:
    """Tabulate the mean curves of deletion and insertion, and draw maps, sanity check and curves.

    Raises
    ------
    UserError
        If the stage's results or material are missing.
    """
    content, material = read_results(RESULTS, "explain"), read_material(FOLDER / FILE)
    subtitle = [f"{facts.network}; {facts.data}", facts.split]
    figures = draw_all(content, material, subtitle, facts.card["seed"])
    return mean_curves(material.orders, material.curves), figures
