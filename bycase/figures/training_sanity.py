"""Sanity checks of a finished training, in words and as a figure: passed or warned; nothing is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.phases import history_axis, is_fitted, mark_kept_epoch, phase_words, shade_phases
from bycase.figures.run_info import RunInfo
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
from bycase.statistics.metric_names import metric_words

# How near, relatively, the training loss must be to that of a constant to warn; as the collapse guard's.
LEAST_GAIN = 0.03
# The class predicted most often may get so much of what belongs to the others.
LARGEST_TAKEN = 0.5
LARGEST_GAP = 0.1
# Of the loss of a constant prediction.
LARGEST_RISE = 0.1
# Of the lowest validation loss.
LARGEST_OVERFIT = 0.05
LAST = 3  # epochs, whose mean is the end of a training
WARNED: Any = {"color": VERMILLION, "linewidth": 1.2, "linestyle": DASHED}  # a line beyond which a check fails


@dataclass(frozen=True)
class Check:
    """One check: whether it passed, and its finding."""

    passed: bool
    words: str

    @property
    def line(self) -> str:
        """Such as ``passed: loss 0.365 at its lowest, 0.693 of a constant prediction``."""
        return f"{'passed' if self.passed else 'WARNED'}: {self.words}"


def check_training(history: pd.DataFrame, model_info: dict[str, Any], truth: "pd.Series[str]") -> list[Check]:
    """All checks, in a fixed order; of a head that is fitted at once, its place in the grid in place of epochs' course.

    Parameters
    ----------
    history : DataFrame
        ``models/history.csv``; see `bycase.training.loop`.
    model_info : dict
        ``models/model.json``.
    truth : Series of str
        Classes of the validation images.
    """
    kept = history.loc[history["epoch"] == model_info["best_epoch"]].iloc[0]
    checks = [
        _check_learned(history, model_info["prior_loss"]),
        _check_classes(history, kept, truth),
        _check_gap(kept),
    ]
    if is_fitted(history):
        return [*checks, _check_edge(history, kept)]
    return [*checks, _check_rise(history, model_info["prior_loss"]), _check_overfitting(history)]


def count_words(checks: list[Check]) -> str:
    """How many passed, such as ``4 of 5 checks passed``."""
    return f"{sum(check.passed for check in checks)} of {len(checks)} checks passed"


def write_sanity(checks: list[Check], run_info: RunInfo) -> str:
    """The checks as lines of text under network, data and split."""
    model_info = run_info.model_info
    kept = model_info.get("head_setting", f"epoch {model_info['best_epoch']}")
    lines = [
        f"Sanity of the training: {count_words(checks)}",
        *run_info.subtitle,
        f"weights kept: {kept} ({phase_words(model_info['best_phase'])}), "
        f"best validation {metric_words(model_info['monitor'])}",
        "",
        *(check.line for check in checks),
    ]
    return "\n".join(lines) + "\n"


def draw_sanity(history: pd.DataFrame, checks: Sequence[Check], truth: "pd.Series[str]", run_info: RunInfo) -> Figure:
    """Draw what the checks look at, by epoch, under their verdicts.

    Parameters
    ----------
    history, truth
        See `check_training`.
    checks : sequence of Check
        Of `check_training`.
    run_info : RunInfo
        Names network, data and split.
    """
    marks = ("\N{BALLOT X}", "\N{CHECK MARK}")
    verdicts = [f"{marks[check.passed]} {check.line}" for check in checks]
    note = (
        "Upright: the epoch whose weights were kept. Shaded: fine-tuning. Training values are means over the "
        "epoch, of augmented and weighted images; validation loss is plain cross-entropy."
    )
    fitted, monitor = is_fitted(history), run_info.model_info["monitor"]
    if fitted:
        note = (
            "Upright: the setting that was kept. Training loss is weighted, that of neighbours without the image "
            "itself; validation loss is plain cross-entropy."
        )
    title = f"Sanity of the training: {count_words(list(checks))}"
    figure = new_figure(8.6, title, [f"{run_info.network}; {run_info.data}", run_info.split, *verdicts], note)
    with styled():
        panels = figure.subplots(2, 2, sharex=True)
        _draw_loss(panels[0, 0], history, run_info.model_info["prior_loss"])
        _draw_top_share(panels[0, 1], history, float(truth.value_counts(normalize=True).max()))
        _draw_gaps(panels[1, 0], history)
        last = f"val_{monitor}" if fitted else "learning_rate"
        _draw_line(panels[1, 1], history, history[last], GREEN)
        panels[1, 1].set_title(f"validation {metric_words(monitor)}" if fitted else "learning rate")
        if not fitted:
            panels[1, 1].set_yscale("log", nonpositive="mask")
        for axes in panels.ravel():
            axes.grid(axis="y")
            history_axis(axes, history)
        for axes in panels[1]:
            axes.set_xlabel("setting" if fitted else "epoch")
        shade_phases(panels.ravel().tolist(), history)
        mark_kept_epoch(panels.ravel().tolist(), run_info.model_info["best_epoch"])
    return figure


def _check_learned(history: pd.DataFrame, prior_loss: float) -> Check:
    """A network that learned nothing but the class shares ends at the loss of the best constant prediction."""
    lowest = float(history["loss"].min())
    passed = lowest < (1 - LEAST_GAIN) * prior_loss
    words = f"training loss {lowest:.3f} at its lowest, {prior_loss:.3f} of a constant prediction"
    return Check(passed, words if passed else f"{words}: nothing is learned from the images")


def _check_classes(history: pd.DataFrame, kept: "pd.Series[Any]", truth: "pd.Series[str]") -> Check:
    """A network that predicts one class for every image has collapsed to one class."""
    true_share = float(truth.value_counts(normalize=True).max())
    share = float(kept["val_top_share"])
    epochs = int((history["val_top_share"] == 1).sum())
    words = f"most predicted class: {100 * share:.0f} % of validation images"
    words += f" (largest true class: {100 * true_share:.0f} %)"
    if epochs:
        words += f"; one class for all in {epochs} of {len(history)} {'settings' if is_fitted(history) else 'epochs'}"
    return Check(share < true_share + LARGEST_TAKEN * (1 - true_share), words)


def _check_gap(kept: "pd.Series[Any]") -> Check:
    gap = float(kept["accuracy"] - kept["val_accuracy"])
    words = f"gap of {gap:.3f} between training accuracy {kept['accuracy']:.3f} and validation accuracy "
    return Check(gap <= LARGEST_GAP, f"{words}{kept['val_accuracy']:.3f}")


def _check_edge(history: pd.DataFrame, kept: "pd.Series[Any]") -> Check:
    """Beyond the least penalty that was tried there may be a better one; k = 1 is no such edge."""
    passed = "C" not in history.columns or history["C"].min() < kept["C"] < history["C"].max()
    words = f"{kept['setting']} kept, of {len(history)} settings"
    return Check(bool(passed), words if passed else f"{words}: at the edge of the grid, a better one may lie beyond it")


def _check_rise(history: pd.DataFrame, prior_loss: float) -> Check:
    """Within a phase, since another one has another network."""
    rises = history.groupby("phase", sort=False)["loss"].diff().fillna(0)
    rise, epoch = max(0.0, float(rises.max())), int(history["epoch"].iloc[rises.argmax()])
    if rise <= LARGEST_RISE * prior_loss:
        return Check(True, f"training loss never rose by more than {rise:.3f} from one epoch to the next")
    return Check(False, f"training loss rose by {rise:.3f} in epoch {epoch}: the learning rate may be too high")


def _check_overfitting(history: pd.DataFrame) -> Check:
    """Validation loss that rises while training loss falls."""
    lowest = history.iloc[history["val_loss"].argmin()]
    end = history[history["epoch"] >= lowest["epoch"]].tail(LAST).mean(numeric_only=True)
    rise, fall = float(end["val_loss"] - lowest["val_loss"]), float(lowest["loss"] - end["loss"])
    epoch = int(lowest["epoch"])
    if rise <= LARGEST_OVERFIT * lowest["val_loss"] or fall <= 0:
        words = (
            f"validation loss ends at {end['val_loss']:.3f}, its lowest was {lowest['val_loss']:.3f} in epoch {epoch}"
        )
        return Check(True, words)
    words = f"overfitting: after epoch {epoch} validation loss +{rise:.3f}, training loss -{fall:.3f}"
    return Check(False, words)


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
