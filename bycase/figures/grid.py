"""A grid of test images of every class with what the network says of each."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.core.seeding import generator
from bycase.figures.parts import show_picture
from bycase.figures.run_info import RunInfo
from bycase.figures.style import GREY, INK, RED, SMALL_SIZE, TILE_SIZE, new_figure, styled
from bycase.statistics.units import Bools, Floats, Integers, Units

COLUMNS = 6
FEW = 4  # classes that have a row each; of more, two share one
LONGEST, WIDEST = 8, 16  # characters of a class's name in one line with 'predicted', and in letters of full size


def choose_examples(images: Units, seed: int) -> list[Integers]:
    """Choose test images of each class: up to a third of them wrong, the others right, as far as there are enough.

    Within each kind they are drawn at random, from as many patients as possible.

    Parameters
    ----------
    images : Units
        One unit a test image.
    seed : int
        The pipeline's seed.

    Returns
    -------
    list of ndarray of int64
        For each class positions in `images`; right ones first, each kind by probability.
    """
    rows, columns = _block(images)
    total = rows * columns
    order = _shuffled(images.right, images.patient, generator(seed, "plot", "grid"))
    shown = _shown_probability(images)
    examples = []
    for number in range(len(images.classes)):
        mine = order[images.truth[order] == number]
        right, wrong = mine[images.right[mine]], mine[~images.right[mine]]
        n_wrong = min(len(wrong), max(total // 3, total - len(right)))
        kinds = right[: total - n_wrong], wrong[:n_wrong]
        examples.append(np.concatenate([kind[np.argsort(shown[kind], kind="stable")] for kind in kinds]))
    return examples


def draw_grid(pixels: NDArray[np.uint8], images: Units, examples: list[Integers], run_info: RunInfo) -> Figure:
    """Draw the examples by class; wrong ones have a red frame, a cross and the word WRONG.

    Parameters
    ----------
    pixels : ndarray of shape (n_examples, size, size, 3), uint8
        RGB, in the order of `examples`.
    images, examples
        See `choose_examples`.
    run_info : RunInfo
        Names network, data and split, and holds the metrics.
    """
    note = (
        "Drawn at random from as many patients as possible: the mix of right and wrong is chosen, not the error rate."
    )
    if run_info.positive is None:
        note += " p: probability of the predicted class."
    else:
        threshold = run_info.metrics["image"]["threshold"]
        note += f" p: probability of {run_info.positive}, which is predicted from {threshold:.3f} up."
    title = f"Predictions: image accuracy {run_info.value('image', 'accuracy')}"
    rows, columns = _block(images)
    together = COLUMNS // columns
    n_blocks = -(-len(examples) // together)
    figure = new_figure(1.3 + n_blocks * (0.32 + 1.40 * rows), title, run_info.subtitle, note)
    tiles, names = iter(pixels), [name.replace("_", " ") for name in images.classes]
    longest, shown = max(map(len, names)), _shown_probability(images)
    joint, size = " " if longest <= LONGEST else "\n", TILE_SIZE if longest <= WIDEST else TILE_SIZE - 1
    with styled():
        blocks = figure.subfigures(n_blocks, together, squeeze=False).ravel()
        for number, (block, positions) in enumerate(zip(blocks, examples, strict=False)):
            right = images.right[images.truth == number]
            heading = f"true {names[number]}: {int(right.sum())} of {len(right)} right"
            block.suptitle(heading, x=0.01 * together, ha="left", size=SMALL_SIZE, weight="bold")
            panels = block.subplots(rows, columns, squeeze=False).ravel()
            for axes in panels:
                axes.set_axis_off()
            for axes, index in zip(panels, positions, strict=False):
                caption = f"predicted{joint}{names[images.predicted[index]]}"
                _draw_tile(axes, next(tiles), bool(images.right[index]), f"p {shown[index]:.2f}", caption, size)
    return figure


def _block(images: Units) -> tuple[int, int]:
    """Rows and columns of a class's tiles."""
    n_classes = len(images.classes)
    return (2 if n_classes == 2 else 1), (COLUMNS if n_classes <= FEW else COLUMNS // 2)


def _shown_probability(images: Units) -> Floats:
    """That of the positive class, or else of the most probable one; (n_images,)."""
    probability: Floats = images.scores.max(axis=1) if images.positive is None else images.scores[:, images.positive]
    return probability


def _shuffled(right: Bools, patient: Integers, random: np.random.Generator) -> Integers:
    """Positions in random order, of right and of wrong images each patient's first before any second."""
    order = random.permutation(len(right))
    turn = pd.Series(patient[order]).groupby([patient[order], right[order]]).cumcount()
    return order[np.argsort(turn.to_numpy(), kind="stable")]


def _draw_tile(axes: Axes, tile: NDArray[np.uint8], right: bool, score: str, caption: str, size: float) -> None:
    show_picture(axes, tile, GREY if right else RED, 0.8 if right else 3)
    mark = "\N{CHECK MARK} right" if right else "\N{BALLOT X} WRONG"
    colour, weight = (INK, "normal") if right else (RED, "bold")
    axes.set_title(f"{mark}, {score}", loc="center", size=TILE_SIZE, color=colour, weight=weight, pad=4)
    axes.set_xlabel(caption, size=size, labelpad=3, color=colour, linespacing=1.15)
