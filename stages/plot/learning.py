"""Learning curves, with the training's phases and the epoch that was kept."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.common.figures import BLUE, GREEN, GREY, INK, ORANGE, PALE, SMALL_SIZE, new_figure, styled
from stages.plot.facts import Facts

PHASES = {"head": "head", "fine_tune": "fine-tuning"}


def draw_learning_curves(history: pd.DataFrame, facts: Facts) -> Figure:
    """Draw loss, accuracy and AUC by epoch.

    Parameters
    ----------
    history : DataFrame with the columns ``phase``, ``epoch``, ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``
        and ``val_auc``
        One row an epoch, counted through from 1; ``models/history.csv``.
    facts : Facts
        What the figure says of itself.
    """
    epoch = facts.card["best_epoch"]
    best = history.loc[history["epoch"] == epoch].iloc[0]
    title = f"Learning curves: best validation AUC {best['val_auc']:.3f} in epoch {epoch}"
    subtitle = [*facts.subtitle, f"test image AUC {facts.value('image', 'auc')}"]
    note = "Dashed line: the epoch whose weights were kept. Solid lines: validation; dotted: training."
    figure = new_figure(6.6, title, subtitle, note)
    solid, dotted = "-", (0, (1, 1.3))
    with styled():
        upper, lower = figure.subplots(2, 1, sharex=True)
        _draw_lines(upper, history, [("loss", "training", ORANGE, dotted), ("val_loss", "validation", BLUE, solid)])
        _draw_lines(
            lower,
            history,
            [
                ("accuracy", "training accuracy", ORANGE, dotted),
                ("val_accuracy", "validation accuracy", BLUE, solid),
                ("val_auc", "validation AUC", GREEN, solid),
            ],
        )
        upper.set_ylabel("loss")
        lower.set(xlabel="epoch", ylabel="accuracy, AUC")
        lower.set_ylim(top=max(1.005, lower.get_ylim()[1]) if history["val_auc"].max() > 0.9 else None)
        lower.set_xlim(0.5, history["epoch"].max() + 0.5)
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        for axes in (upper, lower):
            axes.axvline(epoch, color=GREY, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
        lower.plot(epoch, best["val_auc"], "o", color=GREEN, markersize=7, markeredgecolor="white", zorder=4)
        _mark_phases(upper, lower, history)
    return figure


def _draw_lines(axes: Axes, history: pd.DataFrame, lines: list[tuple[str, str, str, object]]) -> None:
    """Draw columns of the history and label each line at its right end."""
    for column, _, colour, dashes in lines:
        marker = "o" if len(history) == 1 else None
        axes.plot(history["epoch"], history[column], color=colour, linestyle=dashes, marker=marker)
    axes.grid(color=PALE, linewidth=0.6, axis="y")
    axes.set_axisbelow(True)
    low, high = axes.get_ylim()
    ends = [float(history[column].iloc[-1]) for column, *_ in lines]
    for (_, name, colour, _), height in zip(lines, spread_labels(ends, 0.085 * (high - low)), strict=True):
        axes.annotate(
            name,
            (history["epoch"].iloc[-1], height),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            size=SMALL_SIZE,
            color=colour,
            annotation_clip=False,
        )


def spread_labels(heights: list[float], gap: float) -> list[float]:
    """Move heights apart until neighbours are `gap` from one another, each as little as may be.

    Parameters
    ----------
    heights : list of float
        Where the labels would stand.
    gap : float
        Least distance, in the same unit.

    Returns
    -------
    list of float
        In the order given; the order from low to high is kept.
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    # Groups of touching labels, each (mean height, members); a group's labels stand around its mean.
    groups: list[tuple[float, list[int]]] = []
    for index in order:
        group = (heights[index], [index])
        while groups and group[0] - groups[-1][0] < gap * (len(group[1]) + len(groups[-1][1])) / 2:
            members = groups.pop()[1] + group[1]
            group = (sum(heights[i] for i in members) / len(members), members)
        groups.append(group)
    moved = list(heights)
    for mean, members in groups:
        for place, index in enumerate(members):
            moved[index] = mean + gap * (place - (len(members) - 1) / 2)
    return moved


def _mark_phases(upper: Axes, lower: Axes, history: pd.DataFrame) -> None:
    """Shade fine-tuning and name the phases above the upper panel."""
    last = history["epoch"].max()
    for phase, rows in history.groupby("phase", sort=False):
        first = rows["epoch"].min()
        start, end = max(first - 0.5, 1), min(rows["epoch"].max() + 0.5, max(last, 1.5))
        if phase == "fine_tune":
            for axes in (upper, lower):
                axes.axvspan(start, end, color=PALE, alpha=0.45, zorder=0, linewidth=0)
        upper.text(
            start,
            1.02,
            PHASES.get(str(phase), str(phase)),
            transform=upper.get_xaxis_transform(),
            size=SMALL_SIZE,
            color=INK,
            va="bottom",
        )
