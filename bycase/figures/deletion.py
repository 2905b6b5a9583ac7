"""The curves of deletion and insertion."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bycase.core.wording import clusters_of, interval, metric_with_interval, signed
from bycase.explain.artifacts import ExplainArtifacts
from bycase.explain.deletion import CENTRE, RANDOM, SCORES
from bycase.explain.maps import MAP_WORDS
from bycase.figures.explanation_sanity import STYLES
from bycase.figures.style import TILE_SIZE, new_figure, styled

HEIGHT, LINE = 4.4, 0.19  # inches
ORDER_WORDS = {**MAP_WORDS, RANDOM: "random patches", CENTRE: "centre first"}
PANEL_WORDS = ("Deletion: low is good", "Insertion: high is good")


def draw_deletion(content: Mapping[str, Any], artifacts: ExplainArtifacts, subtitle: Sequence[str]) -> Figure:
    """Draw the mean probability by the share of pixels deleted, and inserted, in each order.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``; see `bycase.explain.scores.summarise`.
    artifacts : ExplainArtifacts
        Its method's score is the title.
    subtitle : sequence of str
        Names network and data.
    """
    method, orders = artifacts.method, artifacts.orders
    title = f"Deletion: {compare_words(content, method)}"
    note = (
        "Mean probability of the predicted class. Deleted pixels become the image's mean colour; insertion starts from "
        f"the blurred image. Numbers: area under the curve with its 95 % interval over {clusters_of(content)}. Random "
        "patches are as large as the places of the feature map."
    )
    figure = new_figure(HEIGHT + LINE * len(orders), title, [difference_words(content, method), *subtitle], note)
    with styled():
        for panel, score in enumerate(SCORES):
            axes = figure.add_subplot(1, 2, 1 + panel)
            for order, curves in zip(orders, artifacts.curves, strict=True):
                means, (colour, marker) = curves[:, panel].mean(axis=0), STYLES[order]
                label = f"{ORDER_WORDS[order]} {metric_with_interval(content['scores'][order], score)}"
                shares = np.linspace(0, 1, len(means))
                axes.plot(shares, means, color=colour, marker=marker, markersize=3.5, label=label)
            axes.set_title(PANEL_WORDS[panel], weight="bold")
            axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="pixels deleted" if panel == 0 else "pixels inserted")
            axes.xaxis.set_major_formatter(PercentFormatter(1))
            axes.grid()
            if panel == 0:
                axes.set_ylabel("probability of the predicted class")
            place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.22, -0.24), "borderaxespad": 0}
            axes.legend(**place, fontsize=TILE_SIZE + 0.5, handlelength=1.6)
    return figure


def compare_words(content: Mapping[str, Any], method: str) -> str:
    """The method's deletion score beside that of random patches."""
    scores = content["scores"]
    return f"{MAP_WORDS[method]} {scores[method]['deletion']:.3f}, random patches {scores[RANDOM]['deletion']:.3f}"


def difference_words(content: Mapping[str, Any], method: str) -> str:
    """By how much the method is better than random patches, with intervals, and whether zero lies outside of them."""
    parts = []
    for score, sign in (("deletion", -1), ("insertion", 1)):
        difference = content["difference"][f"{method}_minus_{RANDOM}"]
        gain = sign * difference[score]
        low, high = sorted(sign * difference["ci"][score][end] for end in ("low", "high"))
        verdict = "better" if low > 0 else "worse" if high < 0 else "not settled"
        parts.append(f"{score} {gain:+.3f} ({interval({'low': low, 'high': high}, signed)}), {verdict}")
    return f"Gain over random patches (95 % CI): {'; '.join(parts)}"
