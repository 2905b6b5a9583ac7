"""A grid of test images with what the network says of each."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.figures.run_info import RunInfo
from bycase.figures.style import GREY, INK, new_figure, styled
from bycase.statistics.units import Bools, Integers, Units

COLUMNS, ROWS = 6, 3
WRONG = 6
RED = "#C8102E"


def choose_examples(images: Units, predicted: Bools, seed: int) -> Integers:
    """Choose test images to show: up to `WRONG` wrong ones, the others right, as far as there are enough.

    Within each kind they are drawn at random, from as many patients as possible.

    Parameters
    ----------
    images : Units
        One unit a test image.
    predicted : ndarray of shape (n_images,), bool
        True for the positive class.
    seed : int
        The pipeline's seed.

    Returns
    -------
    ndarray of shape (n_examples,), int64
        Positions in `images`; right ones first, each kind by true class and probability.
    """
    right = images.truth == predicted
    order = shuffled(right, images.patient, generator(seed, "plot", "grid"))
    chosen = [
        part[np.lexsort((images.scores[part], images.truth[part]))]
        for part in right_and_wrong(order, right, COLUMNS * ROWS, WRONG)
    ]
    return np.concatenate(chosen)


def shuffled(right: Bools, patient: Integers, random: np.random.Generator) -> Integers:
    """Positions of all images in random order, of right and of wrong ones each patient's first before any second.

    Parameters
    ----------
    right : ndarray of shape (n_images,), bool
        Whether the image's class is predicted.
    patient : ndarray of shape (n_images,), int64
        Whose it is.
    random : Generator
        The source of the order.
    """
    order = random.permutation(len(right))
    turn = pd.Series(patient[order]).groupby([patient[order], right[order]]).cumcount()
    return order[np.argsort(turn.to_numpy(), kind="stable")]


def right_and_wrong(order: Integers, right: Bools, total: int, wrong: int) -> tuple[Integers, Integers]:
    """The first of `order` to show: `total` images, up to `wrong` of them wrong, as far as there are enough.

    Parameters
    ----------
    order : ndarray of int64
        Positions in `right`; see `shuffled`.
    right : ndarray of shape (n_images,), bool
        Whether the image's class is predicted.
    total, wrong : int
        Images to show.

    Returns
    -------
    right, wrong : ndarray of int64
        Positions.
    """
    good, bad = order[right[order]], order[~right[order]]
    n_bad = min(len(bad), max(wrong, total - len(good)))
    return good[: total - n_bad], bad[:n_bad]


def draw_grid(
    pixels: NDArray[np.uint8], images: Units, predicted: Bools, examples: Integers, run_info: RunInfo
) -> Figure:
    """Draw the examples; wrong ones have a red frame, a cross and the word WRONG.

    Parameters
    ----------
    pixels : ndarray of shape (n_examples, size, size, 3), uint8
        RGB, in the order of `examples`.
    images : Units
        One unit a test image.
    predicted : ndarray of shape (n_images,), bool
        True for the positive class.
    examples : ndarray of shape (n_examples,), int64
        Positions in `images`.
    run_info : RunInfo
        What the figure says of itself.
    """
    positive, negative = run_info.positive, run_info.negative
    right = images.truth == predicted
    shown = int(right[examples].sum())
    note = (
        f"{shown} of {int(right.sum())} right and {len(examples) - shown} of {int((~right).sum())} wrong images, "
        "drawn at random from as many patients as possible: the mix is chosen, not the error rate. "
        f"p: predicted probability of {positive}; from {run_info.metrics['image']['threshold']:.3f} up it is called so."
    )
    rows = -(-len(examples) // COLUMNS)
    title = f"Predictions: image accuracy {run_info.value('image', 'accuracy')}"
    figure = new_figure(1.35 + 1.50 * rows, title, run_info.subtitle, note)
    with styled():
        panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, tile, index in zip(panels, pixels, examples, strict=False):
            called, true = (positive if of[index] else negative for of in (predicted, images.truth))
            draw_tile(axes, tile, called == true, f"p {images.scores[index]:.2f}", f"called {called}\ntruly {true}")
    return figure


def draw_tile(axes: Axes, tile: NDArray[np.uint8], right: bool, score: str, caption: str) -> None:
    """Draw one image with its score above and a caption below.

    Parameters
    ----------
    axes : Axes
        Where.
    tile : ndarray of shape (size, size, 3), uint8
        RGB.
    right : bool
        Whether the prediction is; otherwise it gets a red frame, a cross and the word WRONG.
    score, caption : str
        What is written.
    """
    axes.set_axis_on()
    axes.imshow(tile, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=GREY if right else RED, linewidth=0.8 if right else 3)
    mark = "\N{CHECK MARK} right" if right else "\N{BALLOT X} WRONG"
    colour, weight = (INK, "normal") if right else (RED, "bold")
    axes.set_title(f"{mark}, {score}", loc="center", size=7, color=colour, weight=weight, pad=3)
    axes.set_xlabel(caption, size=7, labelpad=2, color=colour, linespacing=1.15)
