"""What each corruption at each severity looks like."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.figures.parts import show_picture
from bycase.figures.style import GREY, TILE_SIZE, WIDTH, new_figure, styled
from bycase.images.corruptions import CORRUPTIONS, corrupt

TILE, LABELS, WORDS = 0.72, 0.9, 1.25  # inches


def choose_pictures(part: pd.DataFrame, classes: Sequence[str], seed: int) -> list[str]:
    """One test image of the first and one of the last class, drawn at random.

    Parameters
    ----------
    part : DataFrame with the columns ``image``, ``label``
        The test part.
    classes : sequence of str
        Two or more, of which the positive one is the last.
    seed : int
        The pipeline's seed.
    """
    random = generator(seed, "robustness", "strip")
    return [
        str(random.choice(sorted(part.loc[part["label"] == label, "image"]))) for label in (classes[0], classes[-1])
    ]


def draw_corruptions(
    pictures: NDArray[np.uint8],
    names: Sequence[str],
    labels: Sequence[str],
    corruptions: Sequence[str],
    severities: Sequence[int],
    seed: int,
    subtitle: Sequence[str],
) -> Figure:
    """Draw a few images under every corruption: a row a corruption, a block of columns an image.

    Parameters
    ----------
    pictures : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    names : sequence of str
        Of the images; what is random depends on them.
    labels : sequence of str
        Their classes.
    corruptions, severities : sequence
        What is drawn.
    seed : int
        The pipeline's seed.
    subtitle : sequence of str
        Names the data.
    """
    steps = [0, *sorted(set(severities))]
    columns = len(pictures) * len(steps)
    note = (
        "As the network sees them, but for the colours that a small file has no room for. Small numbers: strength at "
        "each severity. Brightness, stain and rotation go either way, by image."
    )
    width = max(WIDTH, WORDS + TILE * columns)
    figure = new_figure(LABELS + TILE * len(corruptions) + 0.35, "Corruptions of test images", subtitle, note, width)
    with styled():
        axes = figure.subplots(len(corruptions), columns, squeeze=False)
        for row, corruption in enumerate(corruptions):
            strengths = CORRUPTIONS[corruption].strengths
            for column, severity in enumerate(steps):
                damaged = corrupt(pictures, names, corruption, severity, seed)
                for block, picture in enumerate(damaged):
                    tile = axes[row, block * len(steps) + column]
                    show_picture(tile, picture)
                    if severity:
                        tile.set_xlabel(f"{strengths[severity - 1]:g}", fontsize=TILE_SIZE, color=GREY, labelpad=1)
                    if row == 0:
                        heading = "untouched" if severity == 0 else f"severity {severity}"
                        tile.set_title(f"{labels[block]}\n{heading}" if column == 0 else heading, fontsize=TILE_SIZE)
            words = f"{corruption}\n{CORRUPTIONS[corruption].words}"
            place: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "labelpad": 4, "linespacing": 1.3}
            axes[row, 0].set_ylabel(words, fontsize=TILE_SIZE + 0.5, **place)
    return figure
