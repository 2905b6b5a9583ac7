"""Test images beside what the network saw its class by, a row an outcome."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.explain.artifacts import Row
from bycase.explain.maps import ATTENTION, MAP_WORDS
from bycase.explain.overlay import overlay
from bycase.figures.parts import show_picture
from bycase.figures.style import GREY, INK, RED, SMALL_SIZE, TILE_SIZE, WIDTH, new_figure, styled

EDGES, HEADING, LABELS = 0.75, 0.26, 0.32  # inches
LARGEST_TILE = 1.05
LONGEST = 14  # characters of a class name in one line


def draw_examples(rows: Sequence[Row], title: str, subtitle: Sequence[str]) -> Figure:
    """Draw each image beside its maps laid over it.

    Parameters
    ----------
    rows : sequence of Row
        Each with an image or more, all of the same methods.
    title : str
        With the main number.
    subtitle : sequence of str
        Names network and data.
    """
    methods = list(rows[0].heatmaps)
    columns = max(len(row.pixels) for row in rows) * (1 + len(methods))
    tile = min(LARGEST_TILE, WIDTH / columns)
    note = (
        f"Each image, then {', then '.join(MAP_WORDS[method] for method in methods)} laid over it. Yellow speaks most "
        "for the predicted class, dark blue not at all or against it; each map has its own scale. p: probability of "
        "that class. Images were drawn at random within a row, from many patients, before any map was made."
    )
    if ATTENTION in methods:
        note += " Attention is of no class: yellow is where the last block lets most through."
    figure = new_figure(EDGES + 0.6 + len(rows) * (HEADING + tile + LABELS), title, subtitle, note)
    with styled():
        for block, row in zip(figure.subfigures(len(rows), 1, squeeze=False).ravel(), rows, strict=True):
            block.suptitle(row.heading, x=0.01, ha="left", size=SMALL_SIZE, weight="bold")
            panels = block.subplots(1, columns, squeeze=False).ravel()
            for axes in panels:
                axes.set_axis_off()
            for number in range(len(row.pixels)):
                _draw_image(panels[number * (1 + len(methods)) :], row, number)
    return figure


def _draw_image(panels: Sequence[Axes], row: Row, number: int) -> None:
    pictures = [row.pixels[number], *(overlay(row.pixels[number], maps[number]) for maps in row.heatmaps.values())]
    right = bool(row.right[number])
    colour = INK if right else RED
    for axes, picture in zip(panels, pictures, strict=False):
        show_picture(axes, picture, GREY if right else RED)
    predicted = row.predicted[number].replace("_", " ")
    name = predicted if len(predicted) <= LONGEST else f"{predicted[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    mark = "\N{CHECK MARK}" if right else "\N{BALLOT X}"
    panels[0].set_xlabel(f"{mark} {name}", size=TILE_SIZE, labelpad=2, color=colour)
    panels[1].set_xlabel(f"p {row.probabilities[number]:.2f}", size=TILE_SIZE, labelpad=2, color=colour)
    if not row.heatmaps[next(iter(row.heatmaps))][number].any():
        panels[1].set_title("nothing", size=TILE_SIZE, pad=2, color=colour)
