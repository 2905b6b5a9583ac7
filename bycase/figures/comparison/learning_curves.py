"""All networks' learning curves side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.parts import epoch_axis
from bycase.figures.phases import is_fitted
from bycase.figures.style import DOTTED, new_figure, styled
from bycase.training.phases import FINE_TUNE

CELL = ["repeat", "fold"]
PANELS = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}
WIDE, HEIGHT = 9.6, 3.5  # inches: of the figure, of its panels
HIGHEST_LOSS = 4.0  # times the networks' median: one that diverges leaves the panel


def split_histories(histories: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take heads that are fitted at once out of ``data/benchmark/histories.csv``.

    Returns
    -------
    trained : DataFrame
        The rows of networks that are trained in epochs.
    fitted : DataFrame
        Of the others one row a training: the setting that was kept.
    """
    if not is_fitted(histories):
        return histories, histories.iloc[:0]
    of_setting = histories["setting"].notna()
    return histories[~of_setting], histories[of_setting & histories["chosen"].eq(True)]


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

    A head that is fitted at once has no epochs: its mean is a level line.

    Parameters
    ----------
    histories : DataFrame
        ``data/benchmark/histories.csv``: one row an epoch of a training.
    models : sequence of str
        In the order of the legend and the colours.
    subtitle : sequence of str
        Lines that name the data.
    """
    histories, fitted = split_histories(histories)
    levels = fitted.groupby("model")[list(PANELS)].mean()
    accuracy = {
        model: mean_curve(histories[histories["model"] == model], "val_accuracy")
        for model in models
        if model not in levels.index
    }
    highest = {model: curve.max() for model, curve in accuracy.items()} | dict(levels["val_accuracy"])
    best = max(models, key=lambda model: highest[model])
    title = f"Learning curves: best validation accuracy {highest[best]:.3f}, {best}"
    labels = {
        model: f"{model}: {highest[model]:.3f} "
        + (f"in epoch {accuracy[model].idxmax()}" if model in accuracy else "at once")
        for model in models
    }
    trainings = max((len(own[CELL].drop_duplicates()) for _, own in histories.groupby("model")), default=1)
    note = (
        "Legend: highest validation accuracy and its epoch. Triangles: fine-tuning begins. Losses far above the "
        "others' are cut off."
    )
    if len(levels):
        note += " Level lines: heads that are fitted at once, in no epochs."
    if trainings > 1:
        note = f"Bold: mean over a network's {trainings} trainings, while half of them last; thin: each of them. {note}"
    colours = colour_models(models)
    figure = new_figure(HEIGHT + 1.1 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        panels = panels_over_legend(figure, len(PANELS), HEIGHT, labels, colours)
        for axes, (column, words) in zip(panels, PANELS.items(), strict=True):
            _draw_panel(axes, histories, levels[column], column, colours)
            axes.set(xlabel="epoch", ylabel=words)
    return figure


def _draw_panel(
    axes: Axes, histories: pd.DataFrame, levels: "pd.Series[float]", column: str, colours: Mapping[str, str]
) -> None:
    highest = []
    for model, colour in colours.items():
        if model in levels.index:
            axes.axhline(levels[model], color=colour, linewidth=2, linestyle=DOTTED)
            highest.append(levels[model])
            continue
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
    epoch_axis(axes, 1 if histories.empty else histories["epoch"].max())
