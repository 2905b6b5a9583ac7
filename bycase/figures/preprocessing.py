"""Before and after, side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.figures.parts import show_picture
from bycase.figures.style import GREY, SMALL_SIZE, TEXT_SIZE, new_figure, styled

NOTE = "Training images drawn at random. What is fitted, such as the target stain, is fitted on the training part only."


def draw_before_after(
    before: NDArray[np.uint8], after: NDArray[np.uint8], names: Sequence[str], subtitle: Sequence[str]
) -> Figure:
    """Draw training images above what preprocessing made of them.

    Parameters
    ----------
    before, after : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    names : sequence of str
        One a column.
    subtitle : sequence of str
        What was done; to which data.
    """
    figure = new_figure(3.8, "Preprocessing: before and after", subtitle, NOTE)
    with styled():
        axes = figure.subplots(2, len(names), squeeze=False)
        for row, (images, label) in enumerate(((before, "before"), (after, "after"))):
            for column, image in enumerate(images):
                show_picture(axes[row, column], image)
            axes[row, 0].set_ylabel(label, fontsize=TEXT_SIZE)
        for column, name in enumerate(names):
            axes[0, column].set_title(name, fontsize=SMALL_SIZE, color=GREY, loc="center")
    return figure
