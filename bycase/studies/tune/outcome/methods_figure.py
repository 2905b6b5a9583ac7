"""Ways to search at the same budget: how fast the inner score rises, and what it is worth on outer folds."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bycase.core.wording import clusters_of, decimals, plural, sample_words, value_with_interval
from bycase.figures.comparison.marks import colour_models, legend_height, panels_over_legend
from bycase.figures.parts import draw_interval, row_axes, write_above
from bycase.figures.style import GREY, data_words, new_figure, styled
from bycase.statistics.units import Floats, Integers
from bycase.studies.tune.outcome.compared import ALPHA, Compared
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.place import DEFAULT

WIDE, PANEL = 8.2, 3.0  # inches


def draw_methods(compared: Compared) -> Figure:
    """Draw the best inner score so far and the outer scores, each way in its colour."""
    summary, about, units = compared.summary, compared.about, clusters_of(compared.summary)
    metric, methods = monitor_words(about["monitor"]), compared.summary["methods"]
    labels = {way: f"{way} (params.yaml)" if way == DEFAULT else way for way in compared.ways}
    colours = colour_models(list(labels)) | {DEFAULT: GREY}
    subtitle = [
        f"{about['model']}; {data_words(about['dataset'], about['phantom'])}; "
        f"{sample_words(summary['n_images'], summary)}",
        f"{plural(len(compared.seeds), 'seed')}, {about['outer_folds']} outer folds",
    ]
    note = (
        "Left: mean over outer folds and seeds, shaded from the lowest to the highest seed; beyond its budget a way "
        "keeps its best. These scores choose among trials and are too high. Right: on outer folds, which no search "
        f"has seen, 95 % intervals over {units}; small dots, single seeds."
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
            draw_interval(right, {**outer, "ci": {"score": outer["ci"]}}, "score", place, color=colours[way])
            seeds = list(outer["seeds"].values())
            right.plot(seeds, np.full(len(seeds), place + 0.2), ".", color=colours[way], markersize=5)
            write_above(right, value_with_interval(outer["score"], outer["ci"]), outer["score"], place, "center")
        row_axes(right, [""] * len(compared.ways))
        right.margins(x=0.12)
        right.set_xlabel(f"outer {metric}")
        right.set_title(f"what it is worth on {units} it has not seen")
        left.grid()
    return figure


def _title(compared: Compared) -> str:
    against = compared.summary["against"].get(DEFAULT, {})
    if not against:
        best = max(compared.ways, key=lambda way: compared.summary["methods"][way]["outer"]["score"])
        return f"{best} first with {compared.summary['methods'][best]['outer']['score']:.3f}"
    better = [way for way, gain in against.items() if gain["p_holm"] < ALPHA and gain["estimate"] > 0]
    most = max(against, key=lambda way: against[way]["estimate"])
    gain = f"gain {decimals(against[most]['estimate'])}"
    if len(against) == 1:
        return f"{most} {'is' if better else 'is not'} shown to beat default; {gain}"
    beat = f"{len(better) or 'None'} of {plural(len(against), 'method')} shown to beat default"
    return f"{beat}; largest {gain} ({most})"


def _draw_curve(axes: Axes, spent: Integers, curve: Floats, colour: str, dashed: bool) -> None:
    known = np.isfinite(curve).all(axis=0)
    epochs, values = spent[known], curve[:, known]
    axes.fill_between(
        epochs, values.min(axis=0), values.max(axis=0), step="post", color=colour, alpha=0.15, linewidth=0
    )
    axes.step(epochs, values.mean(axis=0), where="post", color=colour, linewidth=1.9, linestyle="--" if dashed else "-")
