"""All networks' ROC curves, by image and by patient."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from bycase.core.wording import metric_with_interval, share
from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.parts import roc_axes
from bycase.figures.style import new_figure, styled
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.units import BinaryUnits, Units

RATES = np.linspace(0, 1, 1001)
WIDE, HEIGHT = 9.6, 4.5  # inches: of the figure, of its panels


def fold_mean_roc(units: BinaryUnits) -> pd.DataFrame:
    """The folds' ROC curves averaged at equal specificity, each weighing as many pairs of two classes as it has.

    The area under it is the AUC by ranks within folds, since that weighs the folds so (Fawcett, 2006, "An introduction
    to ROC analysis", Pattern Recognition Letters 27: vertical averaging).

    Parameters
    ----------
    units : BinaryUnits
        Images or patients; folds of a single class have no curve and are left out.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``
        In [0, 1], rising, at `RATES`.
    """
    fold = np.zeros(len(units.truth), np.int64) if units.fold is None else units.fold
    heights, pairs = [], []
    for number in np.unique(fold):
        truth, scores = units.truth[fold == number], units.scores[fold == number]
        if truth.all() or not truth.any():
            continue
        fpr, tpr, _ = roc_curve(truth, scores)
        heights.append(np.interp(RATES, fpr, tpr))
        pairs.append(int(truth.sum()) * int((~truth).sum()))
    return pd.DataFrame({"fpr": RATES, "tpr": np.average(heights, axis=0, weights=pairs)})


def mean_roc(units: Units) -> pd.DataFrame:
    """`fold_mean_roc` of the positive class; without one the mean over each class's curve against the rest."""
    curves = [fold_mean_roc(units.against_rest(number)) for number in units.targets]
    return pd.DataFrame({"fpr": RATES, "tpr": np.mean([curve["tpr"] for curve in curves], axis=0)})


def draw_roc(levels: Mapping[str, Paired], board: Mapping[str, Any], subtitle: Sequence[str]) -> Figure:
    """Draw every network's ROC curve, images beside patients.

    Parameters
    ----------
    levels : mapping of level to Paired
        ``image`` and, where patients are known, ``patient``.
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`; its order is the legend's.
    subtitle : sequence of str
        Lines that name the data.
    """
    colours = colour_models(list(board))
    labels = {name: f"{name}: {', '.join(share(row[level]['auc']) for level in levels)}" for name, row in board.items()}
    best = max(board, key=lambda name: board[name]["image"]["auc"])
    title = f"ROC: best image AUC {metric_with_interval(board[best]['image'], 'auc', name='95 % CI')}, {best}"
    images = levels["image"]
    means = ["classes, each against the rest,"] if images.positive is None else []
    means += ["folds"] if len(np.unique(images.fold)) > 1 else []
    note = f"Legend: AUC {', '.join(f'of {level}s' for level in levels)}."
    if means:
        note = f"{note} Curves: means over {' and over '.join(means)} at equal specificity, whose area is the AUC."
    if "folds" in means:
        note = f"{note} Only images of one fold, which one network has scored, are ranked among themselves."
    figure = new_figure(HEIGHT + 1.1 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        panels = panels_over_legend(figure, len(levels), HEIGHT, labels, colours)
        for axes, (level, paired) in zip(panels, levels.items(), strict=True):
            roc_axes(axes)
            axes.set_title(f"{level}s")
            for name in reversed(list(board)):
                drawn = mean_roc(paired.units(paired.models.index(name)))
                # From the corner, where all curves begin.
                fpr, tpr = np.r_[0, drawn["fpr"]], np.r_[0, drawn["tpr"]]
                axes.plot(fpr, tpr, color=colours[name], linewidth=1.6)
    return figure
