"""All networks' learning curves side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend, shorten
from bycase.figures.parts import epoch_axis
from bycase.figures.style import new_figure, styled
from bycase.training.phases import FINE_TUNE

CELL = ["repeat", "fold"]
PANELS = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}
WIDE, HEIGHT = 9.6, 3.5  # inches: of the figure, of its panels
HIGHEST_LOSS = 4.0  # times the networks' median: one that diverges leaves the panel


def mean_curve(history: pd.DataFrame, column: str) -> pd.Series:
    """The mean over a network's trainings, by epoch, as far as at least half of them went.

    Parameters
    ----------
    history : DataFrame with the columns ``repeat``, ``fold``, ``epoch`` and `column`
        Of one network.
    column : str
        What is averaged.

    Returns
    -------
    Series of float64, indexed by epoch
    """
    by_epoch = history.groupby("epoch")[column]
    trainings = len(history[CELL].drop_duplicates())
    return by_epoch.mean()[by_epoch.size() * 2 >= trainings]


def draw_learning_curves(histories: pd.DataFrame, models: Sequence[str], subtitle: Sequence[str]) -> Figure:
    """Draw validation accuracy and loss against the epoch, every network in its colour.

    Parameters
    ----------
    histories : DataFrame
        ``data/benchmark/histories.csv``: one row an epoch of a training.
    models : sequence of str
        In the order of the legend and the colours.
    subtitle : sequence of str
        Lines that name the data.
    """
    accuracy = {model: mean_curve(histories[histories["model"] == model], "val_accuracy") for model in models}
    best = max(models, key=lambda model: accuracy[model].max())
    title = f"Learning curves: best validation accuracy {accuracy[best].max():.3f}, {shorten(best)}"
    labels = {model: f"{model}: {curve.max():.3f} in epoch {curve.idxmax()}" for model, curve in accuracy.items()}
    trainings = histories.groupby("model")[CELL].apply(lambda cells: len(cells.drop_duplicates())).max()
    note = (
        "Legend: highest validation accuracy and its epoch. Triangles: fine-tuning begins. Losses far above the "
        "others' are cut off."
    )
    if trainings > 1:
        note = f"Bold: mean over a network's {trainings} trainings, while half of them last; thin: each of them. {note}"
    colours = colour_models(models)
    figure = new_figure(HEIGHT + 1.1 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        panels = panels_over_legend(figure, len(PANELS), HEIGHT, labels, colours)
        for axes, (column, words) in zip(panels, PANELS.items(), strict=True):
            _draw_panel(axes, histories, column, colours)
            axes.set(xlabel="epoch", ylabel=words)
    return figure


def _draw_panel(axes: Axes, histories: pd.DataFrame, column: str, colours: Mapping[str, str]) -> None:
    highest = []
    for model, colour in colours.items():
        own = histories[histories["model"] == model]
        cells = own.groupby(CELL)
        for _, cell in cells:
            if len(cells) > 1:
                axes.plot(cell["epoch"], cell[column], color=colour, linewidth=0.6, alpha=0.35)
            tuned = cell[cell["phase"].str.startswith(FINE_TUNE)].head(1)
            axes.plot(tuned["epoch"], tuned[column], "^", color=colour, markersize=5, markeredgecolor="white", zorder=4)
        mean = mean_curve(own, column)
        axes.plot(mean.index, mean, color=colour, linewidth=2, marker="o" if len(mean) == 1 else None)
        highest.append(mean.max())
    if column == "val_loss":
        axes.set_ylim(
            bottom=max(axes.get_ylim()[0], 0), top=min(axes.get_ylim()[1], HIGHEST_LOSS * float(np.nanmedian(highest)))
        )
    axes.grid()
    epoch_axis(axes, histories["epoch"].max())
