"""What population-based training did to a hyper-parameter, member by member."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bycase.core.wording import decimals
from bycase.figures.comparison.marks import COLOURS, LEGEND_ROW, colour_models
from bycase.figures.style import INK, PALE, SMALL_SIZE, new_figure, styled
from bycase.studies.tune.outcome.searches import Search, count_words, describe_searches
from bycase.studies.tune.outcome.summary import NAMES
from bycase.studies.tune.outcome.values import Dimensions, hyperparameter_words

PBT = "pbt"
PANEL = 2.9  # inches
COLUMNS = 5  # of the legend
NAMED = 24  # members at most; more would leave no room
DASHES = ("-", "--", ":", "-.")  # where colours come again


def shown_hyperparameter(dimensions: Dimensions) -> str | None:
    """The learning rate or, where it is not searched, the first number with a range; None if there is none."""
    numbers = [name for name, dimension in dimensions.items() if dimension.choice is None]
    return "learning_rate" if "learning_rate" in numbers else next(iter(numbers), None)


def members_of(search: Search) -> pd.DataFrame:
    """The epochs of a search's population, a member's in their order."""
    members = search.trials.loc[search.trials["algorithm"] == PBT, "trial"]
    return search.epochs[search.epochs["trial"].isin(members)].sort_values(["trial", "epoch"], ignore_index=True)


def draw_schedule(final: Search, nested: int, dimensions: Dimensions) -> Figure | None:
    """Draw the population of the search on the whole pool; None if there was none, or nothing to show of it.

    Parameters
    ----------
    final : Search
        On the whole pool.
    nested : int
        Number of outer folds.
    dimensions : mapping
        What was searched.
    """
    shown, epochs = shown_hyperparameter(dimensions), members_of(final)
    if shown is None or epochs.empty:
        return None
    name = hyperparameter_words(shown)
    members = [str(trial) for trial in epochs["trial"].unique()]
    colours = colour_models(members)
    exploits = int(epochs["donor"].notna().sum())
    title = f"{count_words(exploits, 'exploit')} in {count_words(len(members), 'member')}: {name} over epochs"
    best, few = final.winner, len(members) <= NAMED
    reached = f"an inner {NAMES[final.about['monitor']]} of {decimals(final.score)}"
    star = f"Star: the best epoch, {best['epoch']} of member {best['trial']}, with {reached}."
    beside = f"The best is no member but trial {best['trial']}, with {reached}."
    note = (
        "Dots: a member takes over another one's weights and settings, which are then changed; filled in the donor's "
        "colour, ringed in its own. "
        f"{star if str(best['trial']) in members else beside}"
    )
    height = 2.1 + PANEL + (LEGEND_ROW * -(-len(members) // COLUMNS) if few else 0)
    figure = new_figure(height, title, describe_searches(final, nested), note)
    with styled():
        axes = figure.subplots()
        for number, (trial, of_member) in enumerate(epochs.groupby("trial")):
            axes.plot(
                of_member["epoch"],
                of_member[shown],
                drawstyle="steps-post",
                color=colours[str(trial)],
                linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
                linewidth=1.5,
                alpha=0.9,
                marker="." if len(of_member) == 1 else None,
                label=f"member {trial}",
            )
        if few:
            axes.legend(
                loc="upper left",
                bbox_to_anchor=(0, -0.17),
                ncols=COLUMNS,
                fontsize=SMALL_SIZE,
                handlelength=1.6,
                columnspacing=1.2,
                borderaxespad=0,
            )
        for _, row in epochs[epochs["donor"].notna()].iterrows():
            axes.plot(
                row["epoch"],
                row[shown],
                "o",
                markersize=6.5,
                markerfacecolor=colours.get(str(int(row["donor"])), "white"),
                markeredgecolor=colours[str(int(row["trial"]))],
                markeredgewidth=1.6,
                zorder=4,
            )
        _mark_best(axes, epochs, best["trial"], best["epoch"], shown)
        if dimensions[shown].log is not None:
            axes.set_yscale("log")
        axes.set(xlabel="epoch of the member", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(color=PALE, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _mark_best(axes: Axes, epochs: pd.DataFrame, trial: int, epoch: int, shown: str) -> None:
    row = epochs[(epochs["trial"] == trial) & (epochs["epoch"] == epoch)]
    axes.plot(row["epoch"], row[shown], "*", color=INK, markersize=13, markeredgecolor="white", zorder=5)
