"""What population-based training did to a hyper-parameter, member by member."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bycase.core.wording import decimals, plural
from bycase.figures.comparison.marks import LEGEND_ROW, colour_models
from bycase.figures.style import COLOURS, INK, SMALL_SIZE, new_figure, styled
from bycase.studies.tune.outcome.searches import Search, describe_searches
from bycase.studies.tune.outcome.summary import monitor_words
from bycase.studies.tune.params import HYPERPARAMETERS
from bycase.studies.tune.space import Dimensions

PBT = "pbt"
PANEL = 2.9  # inches
COLUMNS = 5  # of the legend
NAMED = 24  # members at most; more would leave no room
DASHES = ("-", "--", ":", "-.")  # where colours come again


def shown_hyperparameter(dimensions: Dimensions) -> str | None:
    """The learning rate or, where it is not searched, the first number with a range; None if there is none."""
    numbers = [name for name, dimension in dimensions.items() if dimension.choice is None]
    return "learning_rate" if "learning_rate" in numbers else next(iter(numbers), None)


def draw_schedule(final: Search, nested: int, dimensions: Dimensions) -> Figure | None:
    """Draw the population of the search on the whole pool; None if there was none, or nothing to show of it.

    `nested` is the number of outer folds.
    """
    shown = shown_hyperparameter(dimensions)
    population = final.trials.loc[final.trials["algorithm"] == PBT, "trial"]
    epochs = final.epochs[final.epochs["trial"].isin(population)].sort_values(["trial", "epoch"], ignore_index=True)
    if shown is None or epochs.empty:
        return None
    name = HYPERPARAMETERS[shown].words
    members = [str(trial) for trial in epochs["trial"].unique()]
    colours = colour_models(members)
    exploits = int(epochs["donor"].notna().sum())
    title = f"{plural(exploits, 'exploit')} in {plural(len(members), 'member')}: {name} over epochs"
    best, few = final.winner, len(members) <= NAMED
    reached = f"an inner {monitor_words(final.about['monitor'])} of {decimals(final.score)}"
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
        for number, (trial, rows) in enumerate(epochs.groupby("trial")):
            axes.plot(
                rows["epoch"],
                rows[shown],
                drawstyle="steps-post",
                color=colours[str(trial)],
                linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
                linewidth=1.5,
                alpha=0.9,
                marker="." if len(rows) == 1 else None,
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
        row = epochs[(epochs["trial"] == best["trial"]) & (epochs["epoch"] == best["epoch"])]
        axes.plot(row["epoch"], row[shown], "*", color=INK, markersize=13, markeredgecolor="white", zorder=5)
        if dimensions[shown].log is not None:
            axes.set_yscale("log")
        axes.set(xlabel="epoch of the member", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid()
    return figure
