"""Learning curves, with the training's phases and the epoch that was kept."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.phases import history_axis, is_fitted, mark_kept_epoch, name_phases, shade_phases
from bycase.figures.run_info import RunInfo
from bycase.figures.style import BLUE, DOTTED, GREEN, ORANGE, PURPLE, SMALL_SIZE, new_figure, styled
from bycase.statistics.metric_names import metric_words


def draw_learning_curves(history: pd.DataFrame, run_info: RunInfo) -> Figure:
    """Draw loss, accuracy, AUC and what decided about the best epoch, or about a fitted head's setting.

    Parameters
    ----------
    history : DataFrame
        ``models/history.csv``; see `bycase.training.loop`.
    run_info : RunInfo
        Names network, data and split, and the epoch kept.
    """
    epoch, monitor = run_info.model_info["best_epoch"], run_info.model_info["monitor"]
    column, words = f"val_{monitor}", metric_words(monitor)
    fitted, kept = is_fitted(history), history.loc[history["epoch"] == epoch].iloc[0]
    best = kept[column]
    name = words if " " in words else f"validation {words}"
    title = f"Learning curves: best {name} {best:.3f} in epoch {epoch}"
    note = "Dashed line: the epoch whose weights were kept. Solid lines: validation; dotted: training."
    if fitted:
        title = f"Settings of the head: best {name} {best:.3f} with {kept['setting']}"
        note = (
            "Dashed line: the setting that was kept. Solid lines: validation; dotted: training, of neighbours without "
            "the image itself."
        )
    subtitle = [*run_info.subtitle, f"test image AUC {run_info.value('image', 'auc')}"]
    figure = new_figure(6.6, title, subtitle, note)
    with styled():
        upper, lower = figure.subplots(2, 1, sharex=True)
        _draw_lines(upper, history, [("loss", "training", ORANGE, DOTTED), ("val_loss", "validation", BLUE, "-")])
        lines = [
            ("accuracy", "training accuracy", ORANGE, DOTTED),
            ("val_accuracy", "validation accuracy", BLUE, "-"),
            ("val_auc", "validation AUC", GREEN, "-"),
        ]
        if monitor in ("balanced_accuracy", "f1"):
            lines.append((column, name, PURPLE, "-"))
        _draw_lines(lower, history, lines)
        upper.set_ylabel("loss")
        lower.set(xlabel="setting" if fitted else "epoch", ylabel="accuracy, AUC" + (", F1" if monitor == "f1" else ""))
        lower.set_ylim(top=max(1.005, lower.get_ylim()[1]) if history["val_auc"].max() > 0.9 else None)
        history_axis(lower, history)
        mark_kept_epoch((upper, lower), epoch)
        colour = {"auc": GREEN, "accuracy": BLUE, "loss": BLUE}.get(monitor, PURPLE)
        panel = upper if monitor == "loss" else lower
        panel.plot(epoch, best, "o", color=colour, markersize=7, markeredgecolor="white", zorder=4)
        shade_phases((upper, lower), history)
        name_phases(upper, history)
    return figure


def _draw_lines(axes: Axes, history: pd.DataFrame, lines: Sequence[tuple[str, str, str, object]]) -> None:
    """Draw columns of the history and label each line at its right end."""
    for column, _, colour, dashes in lines:
        marker = "o" if len(history) == 1 else None
        axes.plot(history["epoch"], history[column], color=colour, linestyle=dashes, marker=marker)
    axes.grid(axis="y")
    low, high = axes.get_ylim()
    ends = [float(history[column].iloc[-1]) for column, *_ in lines]
    for (_, name, colour, _), height in zip(lines, spread_labels(ends, 0.085 * (high - low)), strict=True):
        style: dict[str, Any] = {"va": "center", "size": SMALL_SIZE, "color": colour, "annotation_clip": False}
        axes.annotate(name, (history["epoch"].iloc[-1], height), (7, 0), textcoords="offset points", **style)


def spread_labels(heights: list[float], gap: float) -> list[float]:
    """Move heights apart until neighbours are `gap` from one another, each as little as may be, their order kept."""
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
