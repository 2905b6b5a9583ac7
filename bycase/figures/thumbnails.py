"""One figure of example images, a few of each class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bycase.core.seeding import generator
from bycase.figures.style import GREY, INK

SIDE, GAP, LINE = 104, 6, 20  # pixels
BLOCKS = 4  # classes beside each other


def choose_thumbnails(manifest: pd.DataFrame, each: int = 2) -> pd.DataFrame:
    """Choose up to `each` images of every class, from different groups as far as there are enough.

    The choice is at random, but always the same for the same images.
    """
    order = generator(0, "card", "thumbnails").permutation(len(manifest))
    shuffled = manifest.sort_values("image").iloc[order]
    turn = shuffled.groupby(["label", "group"]).cumcount()
    first = shuffled.iloc[np.argsort(turn.to_numpy(), kind="stable")].groupby("label").head(each)
    return first.sort_values(["label", "image"])


def draw_thumbnails(pixels: NDArray[np.uint8], labels: Sequence[str], title: str) -> Image.Image:
    """Draw images in blocks, one a class with the class above.

    Parameters
    ----------
    pixels : ndarray of shape (n_images, size, size, 3), uint8
        RGB.
    labels : sequence of str
        Each image's class; images of one class follow each other.
    title : str
        Above all.

    Returns
    -------
    Image
        RGB.
    """
    classes = list(dict.fromkeys(labels))
    each = max(labels.count(label) for label in classes)
    block = each * (SIDE + GAP) + 2 * GAP
    rows = -(-len(classes) // BLOCKS)
    size = (GAP + min(len(classes), BLOCKS) * block, 2 * GAP + LINE + rows * (LINE + SIDE + 2 * GAP))
    text = ImageFont.load_default(14)
    canvas = Image.new("RGB", (max(size[0], int(text.getlength(title)) + 2 * GAP), size[1]), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((GAP, GAP), title, fill=INK, font=text)
    for number, label in enumerate(classes):
        left = GAP + number % BLOCKS * block
        top = 2 * GAP + LINE + number // BLOCKS * (LINE + SIDE + 2 * GAP)
        draw.text((left, top), label, fill=GREY, font=text)
        members = [image for image, name in zip(pixels, labels, strict=True) if name == label]
        for place, image in enumerate(members):
            small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            canvas.paste(small, (left + place * (SIDE + GAP), top + LINE))
    return canvas
