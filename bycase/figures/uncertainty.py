"""The uncertainty figure: risk against coverage, and what prediction sets cover of each patient."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bycase.core.wording import capitalise, clusters_of, metric_with_interval, sample_words
from bycase.figures.run_info import RunInfo
from bycase.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    LEVEL_COLOURS,
    LEVEL_DASHES,
    ORANGE,
    REFERENCE,
    new_figure,
    styled,
)
from bycase.statistics.metrics import patient_scores
from bycase.statistics.units import Bools, Units

HEIGHT, HEIGHT_OF_ONE = 8.2, 5.2  # inches, with both panels or the first
LINES: dict[str, tuple[str, str, Any]] = {
    "plain": ("largest probability", BLUE, "-"),
    "mc_dropout": ("entropy, MC dropout", ORANGE, DASHED),
    "tta": ("entropy, turned and mirrored", GREEN, DOTTED),
}


def draw_uncertainty(
    content: Mapping[str, Any],
    curve: pd.DataFrame,
    sets: Mapping[str, Bools],
    images: Units,
    run_info: RunInfo,
) -> Figure:
    """Draw the risk-coverage curves, and below them the coverage of each patient by prediction sets.

    Where patients are unknown, only the former.

    Parameters
    ----------
    content : mapping
        ``metrics/uncertainty.json``; see `bycase.statistics.uncertainty.summary.summarise`.
    curve : DataFrame
        See `bycase.statistics.uncertainty.summary.tabulate_risk`.
    sets : mapping of level to ndarray of shape (n_images, n_classes), bool
        By what was calibrated: ``image`` and ``patient``.
    images : Units
        The test images.
    run_info : RunInfo
        Names network and data.
    """
    known = "note" not in content
    level, metric, of = ("patient", "patient_coverage", "a patient's") if known else ("image", "coverage", "all")
    reached, limits = content["conformal"][level], content["conformal"][level]["ci"][metric]
    title = f"Sets of {reached['size']:.2f} classes cover {100 * reached[metric]:.1f} % of {of} images"
    subtitle = [
        f"{run_info.network}; {run_info.data}",
        f"{sample_words(content['n'], content, 'test image')}; cover: 95 % CI {100 * limits['low']:.1f} to "
        f"{100 * limits['high']:.1f} %, {100 * content['coverage']:g} % meant",
    ]
    shown = (
        "images are kept from the surest on; errors are the plain prediction's. Shaded: 95 % intervals over "
        f"{clusters_of(content)}."
    )
    below = (
        "Below: sets are calibrated on validation so that images, or patients, count the same; dotted: what was meant."
    )
    note = f"Above: {shown} {below}" if known else capitalise(shown)
    figure = new_figure(HEIGHT if known else HEIGHT_OF_ONE, title, subtitle, note)
    with styled():
        panels = figure.subplots(1 + known, 1, height_ratios=[1.15, 1][: 1 + known], squeeze=False)[:, 0]
        _draw_risk(panels[0], curve, content["selective"])
        if known:
            _draw_coverage(panels[1], content, sets, images)
        for axes in panels:
            axes.grid()
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.set_xlim(0, 1.01)
    return figure


def _draw_risk(axes: Axes, curve: pd.DataFrame, selective: Mapping[str, Any]) -> None:
    for method, (words, colour, dashes) in LINES.items():
        rows, label = curve[curve["method"] == method], f"{words} {metric_with_interval(selective[method], 'aurc')}"
        axes.fill_between(rows["coverage"], rows["low"], rows["high"], color=colour, alpha=0.1, linewidth=0)
        axes.plot(rows["coverage"], rows["risk"], color=colour, linestyle=dashes, label=label)
    axes.axhline(float(curve["risk"].iloc[-1]), **REFERENCE, label="abstaining at random")
    axes.set(title="Share of errors among the images that are kept", xlabel="images kept", ylabel="errors")
    top = max(float(curve["high"].max()), 0.05)
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1])
    axes.set_ylim(0, min(1.0, 1.02 * top) * 1.6)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(loc="upper left", title="surest by, area (95 % CI)", alignment="left")


def _draw_coverage(axes: Axes, content: Mapping[str, Any], sets: Mapping[str, Bools], images: Units) -> None:
    """Patients from the least to the best covered."""
    for level, members in sets.items():
        reached = content["conformal"][level]
        covered = members[np.arange(len(images.truth)), images.truth]
        share = np.sort(patient_scores(covered, images.patient))
        edges = np.linspace(0, 1, len(share) + 1)
        style = {"color": LEVEL_COLOURS[level], "linestyle": LEVEL_DASHES[level], "linewidth": 1.8}
        label = (
            f"by {level}s: mean {reached['patient_coverage']:.3f}, {reached['patients_covered']:.0%} of patients reach "
            f"{content['coverage']:g}, {reached['size']:.2f} classes a set"
        )
        axes.stairs(share, edges, label=label, baseline=None, **style)
    axes.axhline(content["coverage"], **REFERENCE)
    axes.set(
        title="Share of each patient's images whose set holds the true class",
        xlabel="patients, from the least covered on",
        ylabel="images covered",
    )
    axes.set_ylim(0, 1.45)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(loc="upper left", title="sets calibrated", alignment="left")
