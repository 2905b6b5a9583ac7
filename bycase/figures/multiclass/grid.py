"""A grid of test images of every class with what the network says of each."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.figures.grid import draw_tile, right_and_wrong, shuffled
from bycase.figures.run_info import RunInfo
from bycase.figures.style import SMALL_SIZE, new_figure, styled
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Integers

TILES = 6  # in a row
FEW = 4  # classes that have a row each; of more, two share one
LONGEST = 10  # characters of a name that stands beside the word 'called'


def choose_class_examples(images: ClassUnits, seed: int) -> list[Integers]:
    """Choose test images of each class: up to a third of them wrong, the others right, as far as there are enough.

    Within each kind they are drawn at random, from as many patients as possible.

    Parameters
    ----------
    images : ClassUnits
        One unit a test image.
    seed : int
        The pipeline's seed.

    Returns
    -------
    list of ndarray of int64
        For each class positions in `images`; right ones first, each kind by probability.
    """
    total = TILES // _classes_a_row(images)
    order = shuffled(images.right, images.patient, generator(seed, "plot", "grid"))
    top = images.scores.max(axis=1)
    examples = []
    for number in range(len(images.classes)):
        mine = order[images.truth[order] == number]
        kinds = right_and_wrong(mine, images.right, total, total // 3)
        examples.append(np.concatenate([kind[np.argsort(top[kind], kind="stable")] for kind in kinds]))
    return examples


def draw_class_grid(
    pixels: NDArray[np.uint8], images: ClassUnits, examples: list[Integers], run_info: RunInfo
) -> Figure:
    """Draw the examples by class; wrong ones have a red frame, a cross and the word WRONG.

    Parameters
    ----------
    pixels : ndarray of shape (n_examples, size, size, 3), uint8
        RGB, in the order of `examples`.
    images : ClassUnits
        One unit a test image.
    examples : list of ndarray of int64
        For each class positions in `images`.
    run_info : RunInfo
        What the figure says of itself.
    """
    note = (
        "Drawn at random from as many patients as possible: the mix of right and wrong is chosen, not the error "
        "rate. p: probability of the predicted class."
    )
    title = f"Predictions: image accuracy {run_info.value('image', 'accuracy')}"
    together = _classes_a_row(images)
    n_rows = -(-len(examples) // together)
    figure = new_figure(1.3 + 1.72 * n_rows, title, run_info.subtitle, note)
    tiles = iter(pixels)
    top, predicted, right = images.scores.max(axis=1), images.predicted, images.right
    joint = " " if max(map(len, images.classes)) <= LONGEST else "\n"
    with styled():
        blocks = figure.subfigures(n_rows, together, squeeze=False).ravel()
        for number, (block, positions) in enumerate(zip(blocks, examples, strict=False)):
            block.suptitle(_heading(images, number), x=0.01 * together, ha="left", size=SMALL_SIZE, weight="bold")
            panels = block.subplots(1, TILES // together)
            for axes in panels:
                axes.set_axis_off()
            for axes, index in zip(panels, positions, strict=False):
                caption = f"called{joint}{images.classes[predicted[index]].replace('_', ' ')}"
                draw_tile(axes, next(tiles), bool(right[index]), f"p {top[index]:.2f}", caption)
    return figure


def _classes_a_row(images: ClassUnits) -> int:
    return 1 if len(images.classes) <= FEW else 2


def _heading(images: ClassUnits, number: int) -> str:
    """The true class of a row, and how many of its images are right."""
    mine = images.truth == number
    return f"truly {images.classes[number].replace('_', ' ')}: {int(images.right[mine].sum())} of {mine.sum()} right"
