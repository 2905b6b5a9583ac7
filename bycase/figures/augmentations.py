"""Every augmentation on a few training images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bycase.core.params_training import AugmentParams
from bycase.core.seeding import derive_seed, generator
from bycase.figures.parts import show_picture
from bycase.figures.style import GREY, INK, TEXT_SIZE, TILE_SIZE, new_figure, styled
from bycase.images.augmentation.images import augment
from bycase.images.augmentation.mixing import mix
from bycase.images.augmentation.rand_augment import can_rand_augment

# Each change: its value when off, and the one at which it is drawn then.
CHANGES: dict[str, tuple[Any, Any]] = {
    "flip": ("none", "both"),
    "rotation": (0, 0.25),
    "zoom": (0, 0.2),
    "crop": (1, 0.5),
    "brightness": (0, 0.2),
    "contrast": (0, 0.2),
    "stain_jitter": (0, 0.2),
    "rand_augment": (0, 0.5),
    "mixup": (0, 0.4),
    "cutmix": (0, 1.0),
}
OFF = AugmentParams(**{name: off for name, (off, _) in CHANGES.items()})
ROWS = 4
WIDTH, TILE, TEXT = 10.4, 0.80, 1.6  # inches
THREE_LINES = 30  # points
NOTE = (
    "Training images drawn at random, each change alone at the strength in params.yaml; grey: off. Per cent: the share "
    "of the row's own image; the rest is another row's. All values are random, so a change may be small."
)


@dataclass(frozen=True)
class Column:
    """What a column shows: a heading, whether it is part of training, images, and each row's share of its own."""

    heading: str
    on: bool
    images: NDArray[np.float32]
    shares: NDArray[np.float32]


def choose_examples(images: Sequence[str], seed: int) -> list[str]:
    """Choose training images, equally many of every class and about `ROWS` in all; at least one of each.

    Parameters
    ----------
    images : sequence of str
        Training images, as ``class/name``.
    seed : int
        The pipeline's seed.
    """
    random = generator(seed, "augment", "figure")
    classes: dict[str, list[str]] = {}
    for image in sorted(images):
        classes.setdefault(image.split("/")[0], []).append(image)
    each = max(1, ROWS // len(classes))
    return [
        members[index]
        for members in classes.values()
        for index in sorted(random.choice(len(members), min(each, len(members)), replace=False))
    ]


def make_columns(images: NDArray[np.uint8], params: AugmentParams, seed: int) -> list[Column]:
    """Make every column: the original, each change alone, and all that are on.

    RandAugment, where it is off and cannot be drawn because TensorFlow is not installed, has none.

    Parameters
    ----------
    images : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    params : AugmentParams
        What is on, and how strong.
    seed : int
        The pipeline's seed.
    """
    columns = [Column("original", True, images.astype(np.float32), np.ones(len(images), np.float32))]
    for name, (off, example) in CHANGES.items():
        on = getattr(params, name) != off
        if name == "rand_augment" and not on and not can_rand_augment():
            continue
        strength = getattr(params, name) if on else example
        value = f"{strength:g}" if isinstance(strength, float) else strength
        heading = f"{name}\n{value}" if on else f"{name}\noff (shown\nat {value})"
        alone = OFF.model_copy(update={name: strength})
        columns.append(Column(heading, on, *_apply(images, alone, derive_seed(seed, "augment", "figure", name))))
    together = _apply(images, params, derive_seed(seed, "augment", "figure", "together"))
    heading = "together:\nall that\nare on" if params != OFF else "together:\nnothing\nis on"
    return [*columns, Column(heading, True, *together)]


def draw_augmentations(columns: Sequence[Column], names: Sequence[str], subtitle: Sequence[str]) -> Figure:
    """Draw the columns side by side.

    Parameters
    ----------
    columns : sequence of Column
        Of `make_columns`.
    names : sequence of str
        One a row.
    subtitle : sequence of str
        Names the data.
    """
    figure = new_figure(TEXT + TILE * len(names), "Augmentation of training images", subtitle, NOTE, WIDTH)
    with styled():
        axes = figure.subplots(len(names), len(columns), squeeze=False)
        for place, column in enumerate(columns):
            colour = INK if column.on else GREY
            heading = axes[0, place].set_title(
                column.heading, fontsize=TILE_SIZE, color=colour, loc="center", pad=THREE_LINES
            )
            heading.set(va="top", linespacing=1.15)
            for row, (image, share) in enumerate(zip(column.images, column.shares, strict=True)):
                _draw_tile(axes[row, place], image, share)
        for row, name in enumerate(names):
            axes[row, 0].set_ylabel(name, fontsize=TEXT_SIZE)
    return figure


def _apply(
    images: NDArray[np.uint8], params: AugmentParams, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Images changed and mixed, and the share that each has of itself."""
    own, weights = np.eye(len(images), dtype=np.float32), np.ones(len(images), np.float32)
    changed, shares, _ = mix(augment(images, params, seed), own, weights, params, seed)
    return changed, shares.diagonal()


def _draw_tile(axes: Axes, image: NDArray[np.float32], share: np.float32) -> None:
    show_picture(axes, np.rint(image).astype(np.uint8))
    if share < 1:
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}
        axes.text(0.04, 0.05, f"{share:.0%}", transform=axes.transAxes, size=6.5, va="bottom", bbox=box)
