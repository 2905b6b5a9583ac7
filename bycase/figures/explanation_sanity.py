"""The sanity check: maps as weights become random, and how alike they stay."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.explain.artifacts import ExplainArtifacts
from bycase.explain.grad_cam import GRAD_CAM, GRAD_CAM_PLUS_PLUS
from bycase.explain.maps import ATTENTION, MAP_WORDS
from bycase.explain.overlay import overlay
from bycase.explain.sanity import RANKS, STEP_WORDS, judge
from bycase.explain.scores import correlation_interval
from bycase.figures.parts import show_picture
from bycase.figures.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, REFERENCE, TILE_SIZE, new_figure, styled
from bycase.statistics.units import Floats, Integers

STYLES: dict[str, tuple[str, str]] = {
    GRAD_CAM: (BLUE, "o"),
    GRAD_CAM_PLUS_PLUS: (ORANGE, "s"),
    ATTENTION: (GREEN, "^"),
    "random": (GREY, "x"),
    "centre": (INK, "+"),
}
TILE, EDGES, CURVES = 0.76, 1.6, 2.5  # inches


def draw_sanity(content: Mapping[str, Any], artifacts: ExplainArtifacts, subtitle: Sequence[str]) -> Figure:
    """Draw some images' maps over the cascade, and below them the rank correlation of all.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``; see `bycase.explain.scores.summarise`.
    artifacts : ExplainArtifacts
        Its method's maps are drawn, and that method's verdict is the title.
    subtitle : sequence of str
        Names network and data.
    """
    images, similarities, scores = artifacts.images, artifacts.similarities, content["sanity"][artifacts.method]
    title = f"{MAP_WORDS[artifacts.method]}: rank correlation {scores[RANKS]:.2f} with random networks"
    verdict = f"Sanity check {judge(scores)}"
    note = (
        "Tiles: an image, its map by the trained network, and its maps as weights become random, head first. "
        "Curves: mean Spearman correlation with the trained network's map; bars: 95 % intervals by "
        f"patient; from 0.5 up (dotted) maps are taken to stay. At the end SSIM is {scores['ssim']:.2f}. The trained "
        f"network's maps of different patients correlate by {scores['other_images']:.2f}, and "
        f"{100 * scores['empty']:.0f} % of its maps are empty, which counts as staying."
    )
    height = EDGES + TILE * len(images) + CURVES
    figure = new_figure(height, title, [verdict, *subtitle], note)
    with styled():
        top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[TILE * len(images) + 0.35, CURVES]).ravel()
        tiles = top.subplots(len(images), 1 + len(STEP_WORDS), squeeze=False)
        for row, image in zip(range(len(images)), images, strict=True):
            pictures = [image, *(overlay(image, step[row]) for step in artifacts.cascade)]
            for axes, picture, heading in zip(tiles[row], pictures, ("image", *STEP_WORDS), strict=True):
                show_picture(axes, picture)
                if row == 0:
                    axes.set_title(heading, size=TILE_SIZE + 0.5, loc="center", pad=3)
        axes = bottom.subplots()
        for number, name in enumerate(similarities):
            aside = 0.08 * (number - (len(similarities) - 1) / 2)
            _draw_line(axes, similarities[name][..., 0], artifacts.patient, name, aside)
        _finish(axes)
    return figure


def _draw_line(axes: Axes, ranks: Floats, patient: Integers, name: str, aside: float) -> None:
    colour, marker = STYLES[name]
    means, steps = ranks.mean(axis=0), np.arange(ranks.shape[1]) + aside
    # The trained network's map is compared with itself.
    limits = [correlation_interval(step, patient) for step in ranks.T[1:]]
    low, high = ([ends[end] for ends in limits] for end in ("low", "high"))
    axes.vlines(steps[1:], low, high, color=colour, alpha=0.6)
    axes.plot(steps, means, color=colour, marker=marker, markersize=4, label=MAP_WORDS[name])


def _finish(axes: Axes) -> None:
    axes.axhline(0.5, **REFERENCE)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(STEP_WORDS)), STEP_WORDS)
    axes.set(ylim=(-1.05, 1.05), ylabel="rank correlation", xlabel="random weights")
    axes.legend(loc="lower left", ncols=3)
