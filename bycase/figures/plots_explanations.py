"""What `plots/` holds of the `explain` stage."""

import pandas as pd
from matplotlib.figure import Figure

from bycase.explain.artifacts import FILE, read_material
from bycase.explain.table import FOLDER, RESULTS, mean_curves
from bycase.figures.explain import draw_all
from bycase.figures.run_info import Facts
from bycase.tables.results import read_results


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
