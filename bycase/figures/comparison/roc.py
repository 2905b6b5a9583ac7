"""All networks' ROC curves, by image and by patient."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend, shorten
from bycase.figures.style import GREY, new_figure, share_axes, styled
from bycase.statistics.comparison.paired import Paired
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Units

RATES = np.linspace(0, 1, 1001)
WIDE, HEIGHT = 9.6, 4.5  # inches: of the figure, of its panels


def mean_roc(units: Units) -> pd.DataFrame:
    """The folds' ROC curves averaged at equal specificity, each weighing as many pairs of two classes as it has.

    The area under it is the AUC by ranks within folds, since that weighs the folds so (Fawcett, 2006, "An introduction
    to ROC analysis", Pattern Recognition Letters 27: vertical averaging).

    Parameters
    ----------
    units : Units
        Images or patients; folds of a single class have no curve and are left out.

    Returns
    -------
    DataFrame with the columns ``fpr``, ``tpr``
        In [0, 1], rising, at `RATES`.
    """
    stratum = np.zeros(len(units.truth), np.int64) if units.stratum is None else units.stratum
    heights, pairs = [], []
    for number in np.unique(stratum):
        truth, scores = units.truth[stratum == number], units.scores[stratum == number]
        if truth.all() or not truth.any():
            continue
        fpr, tpr, _ = roc_curve(truth, scores)
        heights.append(np.interp(RATES, fpr, tpr))
        pairs.append(int(truth.sum()) * int((~truth).sum()))
    return pd.DataFrame({"fpr": RATES, "tpr": np.average(heights, axis=0, weights=pairs)})


def roc_of(units: Units | ClassUnits) -> pd.DataFrame:
    """`mean_roc`; with more than two classes the mean over each class's curve against the rest."""
    if isinstance(units, Units):
        return mean_roc(units)
    curves = [mean_roc(units.against_rest(number)) for number in range(len(units.classes))]
    return pd.DataFrame({"fpr": RATES, "tpr": np.mean([curve["tpr"] for curve in curves], axis=0)})


def draw_roc(levels: Mapping[str, Paired], board: Mapping[str, Any], subtitle: Sequence[str]) -> Figure:
    """Draw every network's ROC curve, images beside patients.

    Parameters
    ----------
    levels : mapping of level to Paired
        ``image`` and ``patient``.
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`; its order is the legend's.
    subtitle : sequence of str
        Lines that say of which data.
    """
    colours = colour_models(list(board))
    labels = {name: f"{name}: {at['image']['auc']:.3f}, {at['patient']['auc']:.3f}" for name, at in board.items()}
    best = max(board, key=lambda name: board[name]["image"]["auc"])
    limits = board[best]["image"]["ci"]["auc"]
    title = (
        f"ROC: best image AUC {board[best]['image']['auc']:.3f} "
        f"(95 % CI {limits['low']:.3f} to {limits['high']:.3f}), {shorten(best)}"
    )
    images = levels["image"]
    means = ["classes, each against the rest,"] if images.positive is None else []
    means += ["folds"] if len(np.unique(images.stratum)) > 1 else []
    note = "Legend: AUC of images, of patients."
    if means:
        note = f"{note} Curves: means over {' and over '.join(means)} at equal specificity, whose area is the AUC."
    if "folds" in means:
        note = f"{note} Only images of one fold, which one network has scored, are ranked among themselves."
    figure = new_figure(HEIGHT + 1.1 + legend_height(labels, WIDE), title, subtitle, note, WIDE)
    with styled():
        panels = panels_over_legend(figure, len(levels), HEIGHT, labels, colours)
        for axes, (level, paired) in zip(panels, levels.items(), strict=True):
            share_axes(axes, "1 - specificity (false positive rate)", "sensitivity (true positive rate)")
            axes.set_title(f"{level}s")
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
            for name in reversed(list(board)):
                drawn = roc_of(paired.units(paired.models.index(name)))
                # From the corner, where all curves begin.
                fpr, tpr = np.r_[0, drawn["fpr"]], np.r_[0, drawn["tpr"]]
                axes.plot(fpr, tpr, color=colours[name], linewidth=1.6)
    return figure
