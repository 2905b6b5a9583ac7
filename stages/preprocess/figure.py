"""Before and after, side by side."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from stages.common.files import replace_file


def draw_before_after(
    before: NDArray[np.uint8], after: NDArray[np.uint8], names: list[str], title: str, subtitle: str, path: Path
) -> None:
    """Draw training images above what preprocessing made of them.

    Parameters
    ----------
    before, after : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    names : list of str
        One a column.
    title, subtitle : str
        What was done; to which data.
    path : Path
        A PNG file.
    """
    figure, axes = plt.subplots(2, len(names), figsize=(1.45 * len(names), 4.0), squeeze=False)
    for row, (images, label) in enumerate(((before, "before"), (after, "after"))):
        for column, image in enumerate(images):
            axes[row, column].imshow(image)
            axes[row, column].set_xticks([])
            axes[row, column].set_yticks([])
        axes[row, 0].set_ylabel(label, fontsize=10)
    for column, name in enumerate(names):
        axes[0, column].set_title(name, fontsize=8)
    figure.suptitle(title, x=0.02, y=0.99, ha="left", fontsize=12, fontweight="bold")
    figure.text(0.02, 0.90, subtitle, ha="left", va="top", fontsize=9, color="0.4")
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.02, top=0.76, wspace=0.05, hspace=0.05)
    with replace_file(path) as partial:
        figure.savefig(partial, dpi=110, metadata={"Software": None})
    plt.close(figure)
