"""The sanity checks of a training as a figure."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.parts import epoch_axis
from bycase.figures.phases import mark_kept_epoch, shade_phases
from bycase.figures.run_info import RunInfo
from bycase.figures.sanity_checks import LARGEST_GAP, Check, count_words
from bycase.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    INK,
    ORANGE,
    REFERENCE,
    SMALL_SIZE,
    VERMILLION,
    new_figure,
    styled,
)

WARNED: Any = {"color": VERMILLION, "linewidth": 1.2, "linestyle": DASHED}  # a line beyond which a check fails


def draw_sanity(history: pd.DataFrame, checks: Sequence[Check], truth: "pd.Series[str]", run_info: RunInfo) -> Figure:
    """Draw what the checks look at, by epoch, under their verdicts.

    Parameters
    ----------
    history : DataFrame
        ``models/history.csv``; see `bycase.training.loop`.
    checks : sequence of Check
        See `bycase.figures.sanity_checks.check_training`.
    truth : Series of str
        Classes of the validation images.
    run_info : RunInfo
        Names network, data and split.
    """
    marks = ("\N{BALLOT X}", "\N{CHECK MARK}")
    verdicts = [f"{marks[check.passed]} {check.line}" for check in checks]
    note = (
        "Upright: the epoch whose weights were kept. Shaded: fine-tuning. Training values are means over the "
        "epoch, of augmented and weighted images; validation loss is plain cross-entropy."
    )
    title = f"Sanity of the training: {count_words(list(checks))}"
    figure = new_figure(8.6, title, [f"{run_info.network}; {run_info.data}", run_info.split, *verdicts], note)
    with styled():
        panels = figure.subplots(2, 2, sharex=True)
        _draw_loss(panels[0, 0], history, run_info.model_info["prior_loss"])
        _draw_top_share(panels[0, 1], history, float(truth.value_counts(normalize=True).max()))
        _draw_gaps(panels[1, 0], history)
        _draw_line(panels[1, 1], history, history["learning_rate"], GREEN)
        panels[1, 1].set_title("learning rate")
        panels[1, 1].set_yscale("log", nonpositive="mask")
        for axes in panels.ravel():
            axes.grid(axis="y")
            epoch_axis(axes, history["epoch"].max())
        for axes in panels[1]:
            axes.set_xlabel("epoch")
        shade_phases(panels.ravel().tolist(), history)
        mark_kept_epoch(panels.ravel().tolist(), run_info.model_info["best_epoch"])
    return figure


def _draw_loss(axes: Axes, history: pd.DataFrame, prior_loss: float) -> None:
    axes.set_title("training loss")
    _draw_line(axes, history, history["loss"], ORANGE)
    axes.axhline(prior_loss, **WARNED)
    axes.set_ylim(0, 1.12 * max(prior_loss, history["loss"].max()))
    _name_line(axes, prior_loss, f"constant prediction {prior_loss:.3f}", VERMILLION)


def _draw_top_share(axes: Axes, history: pd.DataFrame, true_share: float) -> None:
    axes.set_title("share of the class predicted most often")
    _draw_line(axes, history, history["val_top_share"], BLUE)
    axes.axhline(1, **WARNED)
    axes.axhline(true_share, **REFERENCE)
    axes.set_ylim(0, 1.12)
    _name_line(axes, 1, "one class for all", VERMILLION)
    _name_line(axes, 0.02, f"dotted: true share of the largest, {true_share:.2f}", INK)


def _draw_gaps(axes: Axes, history: pd.DataFrame) -> None:
    axes.set_title("gap; above 0 training is better")
    accuracy = history["accuracy"] - history["val_accuracy"]
    loss = history["val_loss"] - history["loss"]
    _draw_line(axes, history, accuracy, BLUE, label="accuracy")
    _draw_line(axes, history, loss, ORANGE, linestyle=DOTTED, label="loss")
    axes.axhline(0, **REFERENCE)
    axes.axhline(LARGEST_GAP, **WARNED, label="warned above")
    low, high = min(accuracy.min(), loss.min(), 0), max(accuracy.max(), loss.max(), LARGEST_GAP)
    axes.set_ylim(low - 0.1 * (high - low), high + 0.45 * (high - low))
    axes.legend(loc="upper left", ncols=2, handlelength=1.5, columnspacing=1)


def _draw_line(axes: Axes, history: pd.DataFrame, values: "pd.Series[float]", colour: str, **style: Any) -> None:
    axes.plot(history["epoch"], values, color=colour, marker="o" if len(history) == 1 else None, **style)


def _name_line(axes: Axes, height: float, words: str, colour: str) -> None:
    """Write above a level line, at its right end."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.7}
    style: dict[str, Any] = {"ha": "right", "va": "bottom", "size": SMALL_SIZE, "color": colour, "bbox": box}
    axes.annotate(words, (0.985, height), (0, 2), ("axes fraction", "data"), "offset points", **style)
