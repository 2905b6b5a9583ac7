"""How every figure of several networks tells them apart: one colour each, one legend."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.figures.parts import handle, panels_with_legend
from bycase.figures.style import COLOURS, SMALL_PER_INCH, WIDTH

LEGEND_ROW = 0.19  # inches
LONGEST = 20  # characters of a network's or a revision's name beside a row
HANDLE = 5  # characters that a legend's line and gaps take


def names_itself(name: str, network: str) -> bool:
    """Whether a network's words begin with its name, as those of a revision do not."""
    return network.split()[0].rstrip(",") == name


def shorten(name: str, length: int = LONGEST) -> str:
    """A name as it fits beside a row or over a panel: a longer one loses its middle."""
    if len(name) <= length:
        return name
    return f"{name[: length // 2]}…{name[-(length - length // 2 - 1) :]}"


def colour_models(models: Sequence[str]) -> dict[str, str]:
    """A colour for each network, by its place in `models`; beyond the twelfth they come again."""
    return {model: COLOURS[number % len(COLOURS)] for number, model in enumerate(models)}


def legend_height(labels: Mapping[str, str], width: float = WIDTH) -> float:
    """Inches that the legend of `panels_over_legend` takes."""
    return LEGEND_ROW * -(-len(labels) // _columns(labels, width)) + 0.1


def panels_over_legend(
    figure: Figure, number: int, height: float, labels: Mapping[str, str], colours: Mapping[str, str]
) -> list[Axes]:
    """Make a row of panels, and below them the networks' names beside their colours.

    Parameters
    ----------
    figure : Figure
        See `bycase.figures.style.new_figure`.
    number : int
        Of panels.
    height : float
        Theirs, in inches.
    labels : mapping of model to str
        In the order of the legend.
    colours : mapping of model to str
        See `colour_models`.
    """
    width = float(figure.get_figwidth())
    handles = [handle(label, color=colours[model], linewidth=2.4) for model, label in labels.items()]
    legend = {"handles": handles, "ncols": _columns(labels, width), "handlelength": 1.4, "columnspacing": 1.4}
    return panels_with_legend(figure, number, number, (height, legend_height(labels, width)), legend, below=True)


def _columns(labels: Mapping[str, str], width: float) -> int:
    """How many labels fit side by side into a figure of `width` inches."""
    return max(1, min(len(labels), int(width * SMALL_PER_INCH / (max(map(len, labels.values())) + HANDLE))))
