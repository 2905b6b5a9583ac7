"""Ways to search at the same budget: how fast the inner score rises, and what it is worth on outer folds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import decimals
from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.style import GREY, INK, PALE, SMALL_SIZE, data_words, new_figure, styled
from bycase.statistics.units import Floats, Integers
from bycase.studies.tune.outcome.compared import Compared
from bycase.studies.tune.outcome.report import ALPHA
from bycase.studies.tune.outcome.searches import DEFAULT, count_words
from bycase.studies.tune.outcome.summary import NAMES

WIDE, PANEL = 8.2, 3.0  # inches


def draw_methods(compared: Compared) -> Figure:
    """Draw the best inner score so far and the outer scores, each way in its colour."""
    summary, about = compared.summary, compared.about
    metric, methods = NAMES[about["monitor"]], compared.summary["methods"]
    labels = {way: f"{way} (params.yaml)" if way == DEFAULT else way for way in compared.ways}
    colours = colour_models(list(labels)) | {DEFAULT: GREY}
    subtitle = [
        f"{about['model']}; {data_words(about['dataset'], about['phantom'])}; {summary['n_images']} images of "
        f"{summary['n_patients']} patients",
        f"{count_words(len(compared.seeds), 'seed')}, {about['outer_folds']} outer folds",
    ]
    note = (
        "Left: mean over outer folds and seeds, shaded from the lowest to the highest seed; beyond its budget a way "
        "keeps its best. These scores choose among trials and are too high. Right: on outer folds, which no search "
        "has seen, 95 % intervals that resample patients; small dots, single seeds."
    )
    figure = new_figure(1.95 + PANEL + legend_height(labels, WIDE), _title(compared), subtitle, note, WIDE)
    with styled():
        left, right = panels_over_legend(figure, 2, PANEL, labels, colours)
        for way in compared.ways:
            _draw_curve(left, compared.spent, compared.curves[way], colours[way], dashed=way == DEFAULT)
        left.set(xlabel="epochs spent in a search", ylabel=f"best inner {metric} so far")
        left.set_xlim(left=0)
        left.set_title("what the search sees")
        for place, way in enumerate(compared.ways):
            outer = methods[way]["outer"]
            limits = [outer["ci"]["low"], outer["ci"]["high"]]
            right.plot(limits, [place, place], color=colours[way], linewidth=2, solid_capstyle="butt")
            seeds = list(outer["seeds"].values())
            right.plot(seeds, np.full(len(seeds), place + 0.2), ".", color=colours[way], markersize=5)
            right.plot(outer["score"], place, "o", color=colours[way], markersize=7.5, markeredgecolor="white")
            words = f"{outer['score']:.3f} ({limits[0]:.3f} to {limits[1]:.3f})"
            right.annotate(
                words,
                (np.mean(limits), place),
                (0, 6),
                textcoords="offset points",
                ha="center",
                size=SMALL_SIZE,
                color=INK,
            )
        right.set_yticks([])
        right.spines["left"].set_visible(False)
        right.set_ylim(len(compared.ways) - 0.4, -0.7)
        right.margins(x=0.12)
        right.set_xlabel(f"outer {metric}")
        right.set_title("what it is worth on patients it has not seen")
        for axes in (left, right):
            axes.grid(color=PALE, linewidth=0.6, axis="both" if axes is left else "x")
            axes.set_axisbelow(True)
    return figure


def _title(compared: Compared) -> str:
    against = compared.summary["against"].get(DEFAULT, {})
    if not against:
        best = max(compared.ways, key=lambda way: compared.summary["methods"][way]["outer"]["score"])
        return f"{best} first with {compared.summary['methods'][best]['outer']['score']:.3f}"
    better = [way for way, of in against.items() if of["p_holm"] < ALPHA and of["estimate"] > 0]
    most = max(against, key=lambda way: against[way]["estimate"])
    largest = f"largest gain {decimals(against[most]['estimate'])} ({most})"
    return f"{len(better) or 'None'} of {count_words(len(against), 'method')} shown to beat default; {largest}"


def _draw_curve(axes: Axes, spent: Integers, of_seeds: Floats, colour: str, dashed: bool) -> None:
    known = np.isfinite(of_seeds).all(axis=0)
    at, values = spent[known], of_seeds[:, known]
    axes.fill_between(at, values.min(axis=0), values.max(axis=0), step="post", color=colour, alpha=0.15, linewidth=0)
    axes.step(at, values.mean(axis=0), where="post", color=colour, linewidth=1.9, linestyle="--" if dashed else "-")
