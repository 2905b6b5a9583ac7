"""By how much the searches' own scores are too high, fold by fold."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bycase.core.wording import decimals
from bycase.figures.style import BLUE, GREY, PALE, SMALL_SIZE, VERMILLION, new_figure, styled
from bycase.studies.tune.outcome.nested import mean
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import NAMES

ROW = 0.42  # inches


def draw_optimism(summary: Mapping[str, Any], final: Search, nested: Sequence[Search]) -> Figure:
    """Draw inner against outer scores of the tuned settings, and all folds together also of the default ones.

    Parameters
    ----------
    summary : mapping
        See `bycase.studies.tune.outcome.summary.summarise`, with a nested evaluation.
    final : Search
        On the whole pool.
    nested : sequence of Search
        Of the outer folds.
    """
    metric, optimism = NAMES[final.about["monitor"]], summary["optimism"]
    ends = optimism["ci"]
    title = f"Optimism {decimals(optimism['estimate'])} (95 % CI {decimals(ends['low'])} to {decimals(ends['high'])})"
    note = (
        f"Optimism: the {metric} that a search has of its own winner, minus the winner's on the outer fold that the "
        "search has not seen. Bars: 95 % intervals that resample patients; of AUC, pairs are of one fold. Beyond the "
        "search's choice, the two differ by the networks' averaging and by which patients a fold has."
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
        f"{summary['n_images']} images of {summary['n_patients']} patients",
    ]
    figure = new_figure(2.6 + ROW * len(rows), title, subtitle, note)
    with styled():
        axes = figure.subplots()
        for place, (_, of_search, of_fold, limits) in enumerate(rows):
            _draw_row(axes, place, of_search, of_fold, limits)
        axes.axhline(len(nested) - 0.5, color=PALE, linewidth=1)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(metric)
        axes.grid(color=PALE, linewidth=0.6, axis="x")
        axes.set_axisbelow(True)
        axes.margins(x=0.08)
        marks = [
            Line2D([], [], color=VERMILLION, marker="o", markerfacecolor="white", linestyle="none", label="inner"),
            Line2D([], [], color=BLUE, marker="o", linestyle="none", label="outer"),
        ]
        axes.legend(handles=marks, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=SMALL_SIZE)
    return figure


def _draw_row(
    axes: Axes, place: int, of_search: float, of_fold: float | None, limits: Mapping[str, float] | None
) -> None:
    if limits is not None:
        axes.plot([limits["low"], limits["high"]], [place] * 2, color=BLUE, linewidth=2, solid_capstyle="butt")
    if of_fold is not None:
        axes.plot([of_search, of_fold], [place] * 2, color=GREY, linewidth=1, zorder=1)
        axes.plot(of_fold, place, "o", color=BLUE, markersize=7, markeredgecolor="white", zorder=3)
    axes.plot(of_search, place, "o", color=VERMILLION, markersize=6.5, markerfacecolor="white", mew=1.6, zorder=4)
