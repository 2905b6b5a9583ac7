"""A metric against the number of training patients, every network in its colour."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bycase.core.wording import signed
from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.style import new_figure, styled
from bycase.statistics.metric_names import metric_words

HEIGHT = 3.6  # inches of the panel
APART = 0.05  # of a doubling, between two networks' marks


def draw_label_efficiency(table: pd.DataFrame, metric: str, noun: str, subtitle: Sequence[str]) -> Figure:
    """Draw every network's metric with its intervals over the number of training patients, on a scale of doublings.

    Parameters
    ----------
    table : DataFrame
        Of `bycase.statistics.comparison.label_efficiency.measure_label_efficiency`, with a column ``model``.
    metric : str
        What the values are.
    noun : str
        ``patients``, or ``images`` where no patient is known.
    subtitle : sequence of str
        Lines that name data and folds.
    """
    models, counts = list(dict.fromkeys(table["model"])), sorted(set(table["patients"]))
    colours = colour_models(models)
    last = table[table["patients"] == counts[-1]].set_index("model")
    labels = {model: f"{model}: {last.loc[model, 'value']:.3f}" for model in models}
    if len(counts) > 1:
        labels = {
            model: f"{words}, {signed(float(last.loc[model, 'gain']))} by the last step"
            for model, words in labels.items()
        }
    best = str(last["value"].idxmax())
    title = (
        f"{metric_words(metric)} by number of training {noun}: {last.loc[best, 'value']:.3f} with {counts[-1]}, {best}"
    )
    note = (
        f"Bars: 95 % CI over test {noun}. Each smaller set of training {noun} lies in every larger one, the same for "
        "all networks; validation and test stay the same. Networks are drawn side by side."
    )
    figure = new_figure(HEIGHT + 1.3 + legend_height(labels), title, subtitle, note)
    with styled():
        (axes,) = panels_over_legend(figure, 1, HEIGHT, labels, colours)
        for number, (model, colour) in enumerate(colours.items()):
            own = table[table["model"] == model]
            places = own["patients"] * 2 ** (APART * (number - (len(models) - 1) / 2))
            reach = [own["value"] - own["low"], own["high"] - own["value"]]
            axes.errorbar(
                places, own["value"], reach, color=colour, marker="o", markersize=5, capsize=2.5, linewidth=1.6
            )
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel=f"training {noun}", ylabel=metric_words(metric))
        axes.grid(axis="y")
    return figure
