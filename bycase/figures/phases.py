"""A training's phases, as words and as shading."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from bycase.core.params_training import FITTED_HEADS
from bycase.figures.parts import epoch_axis, setting_axis
from bycase.figures.style import DASHED, INK, PALE, REFERENCE, SMALL_SIZE
from bycase.training.phases import END_TO_END, FINE_TUNE, HEAD

NAMES = FITTED_HEADS | {HEAD: "head", END_TO_END: "end to end", FINE_TUNE: "fine-tuning"}
CHARACTER = 0.014  # width of one, as a share of a panel's width
ROW = 0.075  # height of a row of names, likewise of its height


def phase_words(phase: str) -> str:
    """A phase of `bycase.training.phases` in words, such as ``fine-tuning, step 2``."""
    return NAMES.get(phase, f"fine-tuning, step {phase.removeprefix(f'{FINE_TUNE}_')}")


def is_fitted(history: pd.DataFrame) -> bool:
    """Whether the rows of a history are settings of a head that is fitted at once, not epochs."""
    return "setting" in history.columns


def history_axis(axes: Axes, history: pd.DataFrame) -> None:
    """Number a history's epochs; of a head that is fitted at once, name its settings."""
    if is_fitted(history):
        setting_axis(axes, history["setting"].tolist())
    else:
        epoch_axis(axes, history["epoch"].max())


def shade_phases(panels: Sequence[Axes], history: pd.DataFrame) -> None:
    """Shade fine-tuning, each step a little darker than the one before.

    Parameters
    ----------
    panels : sequence of Axes
        Over epochs.
    history : DataFrame with the columns ``phase``, ``epoch``
        One row an epoch.
    """
    step = 0
    for start, end, phase in _spans(history):
        if not phase.startswith(FINE_TUNE):
            continue
        for axes in panels:
            axes.axvspan(start, end, color=PALE, alpha=min(0.35 + 0.15 * step, 1), zorder=0, linewidth=0)
        step += 1


def name_phases(axes: Axes, history: pd.DataFrame) -> None:
    """Write each phase's name above its first epoch, one row higher where it would run into the one before."""
    spans = _spans(history)
    width = spans[-1][1] - spans[0][0]
    ends: list[float] = []
    for start, _, phase in spans:
        words = phase_words(phase)
        row = next((number for number, end in enumerate(ends) if end <= start), len(ends))
        ends[row : row + 1] = [start + CHARACTER * width * (len(words) + 1)]
        above = axes.get_xaxis_transform()
        axes.text(start, 1.02 + ROW * row, words, transform=above, size=SMALL_SIZE, color=INK, va="bottom")


def mark_kept_epoch(panels: Sequence[Axes], epoch: int) -> None:
    """A dashed line at the epoch whose weights were kept."""
    for axes in panels:
        axes.axvline(epoch, **REFERENCE | {"zorder": 1, "linestyle": DASHED})


def _spans(history: pd.DataFrame) -> list[tuple[float, float, str]]:
    """Where each phase starts and ends on an axis of epochs, and its name."""
    last = history["epoch"].max()
    return [
        (max(rows["epoch"].min() - 0.5, 1), min(rows["epoch"].max() + 0.5, max(last, 1.5)), str(phase))
        for phase, rows in history.groupby("phase", sort=False)
    ]
