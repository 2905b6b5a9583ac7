"""What `plots/` holds of the `explain` stage."""

import pandas as pd
from matplotlib.figure import Figure

from bycase.explain.artifacts import FILE, FOLDER, RESULTS, mean_curves, read_artifacts
from bycase.figures.explain import draw_all
from bycase.figures.run_info import RunInfo
from bycase.tables.results import read_results


def plot_explanations(run_info: RunInfo) -> tuple[pd.DataFrame, dict[str, Figure]]:
    """Tabulate the mean curves of deletion and insertion, and draw maps, sanity check and curves.

    Raises
    ------
    UserError
        If the stage's results or artifacts are missing.
    """
    content, artifacts = read_results(RESULTS, "explain"), read_artifacts(FOLDER / FILE)
    subtitle = [f"{run_info.network}; {run_info.data}", run_info.split]
    figures = draw_all(content, artifacts, subtitle, run_info.model_info["seed"])
    return mean_curves(artifacts.orders, artifacts.curves), figures
