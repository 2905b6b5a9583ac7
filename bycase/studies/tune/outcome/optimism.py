"""By how much the searches' own scores are too high, fold by fold."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bycase.core.wording import clusters_of, decimals, interval, sample_words
from bycase.figures.parts import draw_interval, handle, row_axes
from bycase.figures.style import BLUE, GREY, PALE, VERMILLION, new_figure, styled
from bycase.studies.tune.outcome.nested import mean
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import monitor_words

ROW = 0.42  # inches
INNER: dict[str, Any] = {"color": VERMILLION, "marker": "o", "markersize": 6.5, "markerfacecolor": "white"}
INNER |= {"markeredgewidth": 1.6, "linestyle": "none", "zorder": 4}


def draw_optimism(summary: Mapping[str, Any], final: Search, nested: Sequence[Search]) -> Figure:
    """Draw inner against outer scores of the tuned settings, and all folds together also of the default ones.

    `summary` is that of `bycase.studies.tune.outcome.summary.summarise`, with a nested evaluation.
    """
    metric, optimism = monitor_words(final.about["monitor"]), summary["optimism"]
    title = f"Optimism {decimals(optimism['estimate'])} (95 % CI {interval(optimism['ci'], decimals)})"
    units = clusters_of(summary)
    note = (
        f"Optimism: the {metric} that a search has of its own winner, minus the winner's on the outer fold that the "
        f"search has not seen. Bars: 95 % intervals over {units}; of AUC, pairs are of one fold. Beyond the "
        f"search's choice, the two differ by the networks' averaging and by which {units} a fold has."
    )
    rows = [
        *((f"outer fold {s.outer}", s.score, summary["outer"]["folds"].get(s.outer), None) for s in nested),
        ("all folds, tuned", mean(s.score for s in nested), summary["outer"]["score"], summary["outer"]["ci"]),
    ]
    if "default_outer" in summary:
        default, inner = summary["default_outer"], mean(s.default_score for s in nested)
        rows.append(("all folds, default settings", inner, default["score"], default["ci"]))
    subtitle = [
        *describe_searches(final, len(nested)),
        sample_words(summary["n_images"], summary),
    ]
    figure = new_figure(2.6 + ROW * len(rows), title, subtitle, note)
    with styled():
        axes = figure.subplots()
        for place, (_, inner, outer, limits) in enumerate(rows):
            if outer is not None:
                axes.plot([inner, outer], [place] * 2, color=GREY, linewidth=1, zorder=1)
                ends = limits or {"low": outer, "high": outer}
                draw_interval(axes, {"outer": outer, "ci": {"outer": ends}}, "outer", place, color=BLUE)
            axes.plot(inner, place, **INNER)
        axes.axhline(len(nested) - 0.5, color=PALE, linewidth=1)
        row_axes(axes, [row[0] for row in rows])
        axes.set_xlabel(metric)
        axes.margins(x=0.08)
        marks = [handle("inner", **INNER), handle("outer", color=BLUE, marker="o", linestyle="none")]
        axes.legend(handles=marks, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure
