"""One look for all figures: sizes, colours that colour-blind readers can tell apart, title block, saving."""

import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from PIL import Image

from bycase.core.files import replace_file

DPI = 130
LARGEST = 200_000  # bytes of a PNG in Git
PALETTES = (256, 192, 128, 96, 64, 32)  # colours
WIDTH = 6.4  # inches: 832 pixels, the width of a README column

# Okabe and Ito, "Color Universal Design" (2008).
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY, PALE = "#1A1A1A", "#666666", "#D9D9D9"
RED = "#C8102E"  # of wrong predictions
LEVEL_COLOURS = {"image": BLUE, "patient": VERMILLION}
# Okabe and Ito's, then darker ones of Tol's "muted" scheme, "Colour Schemes" (2021).
COLOURS = (
    *(BLUE, VERMILLION, GREEN, ORANGE, PURPLE, INK, SKY),
    *("#882255", "#999933", "#332288", "#44AA99", "#888888"),
)
DASHED, DOTTED = (0, (5, 1.5)), (0, (1, 1.3))
LEVEL_DASHES: dict[str, Any] = {"image": "-", "patient": DASHED}
# A line to compare with: chance, a constant prediction, the whole.
REFERENCE: Any = {"color": GREY, "linewidth": 1, "linestyle": (0, (1.3, 1.7)), "zorder": 0}

TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, TILE_SIZE = 12.5, 9.5, 8.5, 7
POINTS_PER_INCH = 72
TEXT_PER_INCH, SMALL_PER_INCH = 13.5, 16.4  # characters

STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same
    "font.size": TEXT_SIZE,
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": TEXT_SIZE,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": SMALL_SIZE,
    "legend.title_fontsize": SMALL_SIZE,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL_SIZE,
    "ytick.labelsize": SMALL_SIZE,
}


def data_words(dataset: str, phantom: bool) -> str:
    """A data set's name as figures and tables give it; generated images are named phantom, whatever the data set's."""
    if not phantom:
        return dataset
    return f"{dataset} data (generated images)" if "phantom" in dataset else f"{dataset} phantom (generated images)"


def styled() -> AbstractContextManager[None]:
    """A context in which matplotlib draws in this style, whatever the user's own settings are."""
    return mpl.style.context(["default", STYLE])


def new_figure(height: float, title: str, subtitle: Sequence[str], note: str, width: float = WIDTH) -> Figure:
    """Begin a figure with its title block on top, left-aligned, and a note at the foot.

    Parameters
    ----------
    height, width : float
        In inches.
    title : str
        What is shown, with its main number.
    subtitle : sequence of str
        Lines that name network, data and split.
    note : str
        How to read the marks.

    Returns
    -------
    Figure
        Axes added to it share the room between the title block and the note.
    """
    with styled():
        figure = Figure(figsize=(width, height), dpi=DPI)
    lines = [part for line in subtitle for part in textwrap.wrap(line, int(width * TEXT_PER_INCH))]
    notes = textwrap.wrap(note, int(width * SMALL_PER_INCH))
    edge = 0.12
    titles = _wrap_title(title, width - 2 * edge)
    further = 0.22 * (len(titles) - 1)
    top = height - edge - 0.24 - further - 0.175 * len(lines) - 0.10
    bottom = edge + 0.16 * len(notes) + 0.09
    x = edge / width
    figure.text(x, 1 - edge / height, "\n".join(titles), size=TITLE_SIZE, weight="bold", va="top", color=INK)
    block: dict[str, Any] = {"color": GREY, "linespacing": 1.3}
    figure.text(x, 1 - (edge + 0.26 + further) / height, "\n".join(lines), size=TEXT_SIZE, va="top", **block)
    figure.text(x, edge / height, "\n".join(notes), size=SMALL_SIZE, va="bottom", **block)
    figure.set_layout_engine("constrained", rect=(0.5 * x, bottom / height, 1 - x, (top - bottom) / height))
    return figure


def _wrap_title(title: str, width: float) -> list[str]:
    """A title's lines, none of them wider than so many inches."""
    bold = FontProperties(family=STYLE["font.family"], weight="bold", size=TITLE_SIZE)
    for longest in range(len(title), 0, -1):
        lines = textwrap.wrap(title, longest, break_on_hyphens=False)
        if all(TextPath((0, 0), line, prop=bold).get_extents().x1 <= width * POINTS_PER_INCH for line in lines):
            return lines
    return [title]


def save_figure(path: Path, figure: Figure) -> None:
    """Write a PNG below `LARGEST` bytes; the same figure gives the same bytes, since neither date nor version goes in.

    A figure of photographs would be larger, and gets a palette of as many colours as fit.
    """
    drawn = BytesIO()
    with styled():
        figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    content = drawn.getvalue()
    if len(content) >= LARGEST:
        with Image.open(drawn) as image:
            content = encode_png(image.convert("RGB"))
    with replace_file(path) as partial:
        partial.write_bytes(content)


def encode_png(image: Image.Image) -> bytes:
    """The image as PNG below `LARGEST` bytes, with a palette of as many colours as fit; at least 32 are kept."""
    content = _png(image)
    for colours in PALETTES:
        if len(content) < LARGEST:
            break
        content = _png(image.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE))
    return content


def _png(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
