"""The curves of deletion and insertion."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bycase.explain.deletion import CENTRE, RANDOM, SCORES
from bycase.explain.maps import MAP_WORDS
from bycase.figures.explanation_sanity import STYLES
from bycase.figures.style import PALE, new_figure, styled
from bycase.statistics.units import Floats

SIZE = 7.5  # points
HEIGHT, LINE = 4.35, 0.19  # inches
ORDER_WORDS = {**MAP_WORDS, RANDOM: "random patches", CENTRE: "centre first"}
PANEL_WORDS = ("Deletion: low is good", "Insertion: high is good")


def draw_deletion(
    content: Mapping[str, Any], method: str, orders: Sequence[str], curves: Floats, subtitle: Sequence[str]
) -> Figure:
    """Draw the mean probability by the share of pixels deleted, and inserted, in each order.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``; see `bycase.explain.scores.summarise`.
    method : str
        Whose score is the title.
    orders : sequence of str
        Methods and baselines.
    curves : ndarray of shape (n_orders, n_images, 2, steps + 1), float64
        Of `bycase.explain.deletion.score_orders`.
    subtitle : sequence of str
        Of which network and data.
    """
    title = f"Deletion: {compare_words(content, method)}"
    note = (
        "Mean probability of the class called. Deleted pixels become the image's mean colour; insertion starts from "
        "the blurred image. Numbers: area under the curve with its 95 % interval by resampling patients. Random "
        "patches are as large as the places of the feature map."
    )
    figure = new_figure(HEIGHT + LINE * len(orders), title, [difference_words(content, method), *subtitle], note)
    with styled():
        for panel, score in enumerate(SCORES):
            axes = figure.add_subplot(1, 2, 1 + panel)
            for order, of in zip(orders, curves, strict=True):
                _draw_curve(axes, order, of[:, panel].mean(axis=0), content["scores"][order], score)
            axes.set_title(PANEL_WORDS[panel], weight="bold")
            axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="pixels deleted" if panel == 0 else "pixels inserted")
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            axes.grid(color=PALE, linewidth=0.6)
            if panel == 0:
                axes.set_ylabel("probability of the class called")
            axes.legend(
                loc="upper left", bbox_to_anchor=(-0.22, -0.24), fontsize=SIZE, handlelength=1.6, borderaxespad=0
            )
    return figure


def compare_words(content: Mapping[str, Any], method: str) -> str:
    """The method's deletion score beside that of random patches."""
    scores = content["scores"]
    return f"{MAP_WORDS[method]} {scores[method]['deletion']:.3f}, random patches {scores[RANDOM]['deletion']:.3f}"


def difference_words(content: Mapping[str, Any], method: str) -> str:
    """By how much the method is better than random patches, with intervals, and whether that is settled."""
    parts = []
    for score, sign in (("deletion", -1), ("insertion", 1)):
        of = content["difference"][f"{method}_minus_{RANDOM}"]
        gain = sign * of[score]
        low, high = sorted(sign * of["ci"][score][end] for end in ("low", "high"))
        verdict = "better" if low > 0 else "worse" if high < 0 else "not settled"
        parts.append(f"{score} {gain:+.3f} ({low:+.3f} to {high:+.3f}), {verdict}")
    return f"Gain over random patches (95 % CI): {'; '.join(parts)}"


def _draw_curve(axes: Axes, order: str, means: Floats, of: Mapping[str, Any], score: str) -> None:
    colour, marker = STYLES[order]
    limits = of["ci"][score]
    label = f"{ORDER_WORDS[order]} {of[score]:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"
    axes.plot(np.linspace(0, 1, len(means)), means, color=colour, marker=marker, markersize=3.5, label=label)
