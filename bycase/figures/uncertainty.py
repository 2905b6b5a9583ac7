"""The uncertainty figure: risk against coverage, and what prediction sets cover of each patient."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bycase.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    LEVEL_COLOURS,
    ORANGE,
    PALE,
    SMALL_SIZE,
    data_words,
    new_figure,
    styled,
)
from bycase.statistics.conformal import share_of_patients
from bycase.statistics.multiclass.units import ClassUnits
from bycase.statistics.units import Bools

HEIGHT = 8.2
NAMES = {"plain": "largest probability", "mc_dropout": "entropy, MC dropout", "tta": "entropy, turned and mirrored"}
LINES: dict[str, tuple[str, Any]] = {
    "plain": (BLUE, "-"),
    "mc_dropout": (ORANGE, (0, (5, 1.5))),
    "tta": (GREEN, (0, (1.5, 1.2))),
}


def draw_uncertainty(
    content: Mapping[str, Any],
    curve: pd.DataFrame,
    sets: Mapping[str, Bools],
    images: ClassUnits,
    card: Mapping[str, Any],
) -> Figure:
    """Draw the risk-coverage curves, and below them the coverage of each patient by prediction sets.

    Parameters
    ----------
    content : mapping
        ``metrics/uncertainty.json``; see `bycase.statistics.uncertainty.summary.summarise`.
    curve : DataFrame
        See `bycase.statistics.uncertainty.summary.tabulate_risk`.
    sets : mapping of level to ndarray of shape (n_images, n_classes), bool
        By what was calibrated: ``image`` and ``patient``.
    images : ClassUnits
        The test images.
    card : mapping
        ``models/model.json``.
    """
    reached, limits = content["conformal"]["patient"], content["conformal"]["patient"]["ci"]["patient_coverage"]
    covered = f"{100 * reached['patient_coverage']:.1f} %"
    title = f"Sets of {reached['size']:.2f} classes cover {covered} of a patient's images"
    weights = {"imagenet": "ImageNet weights", "random": "random weights"}.get(
        card["weights"], f"weights of {Path(card['weights']).name}"
    )
    subtitle = [
        f"{card['model']}, {weights}; {data_words(card['dataset'], card['phantom'])}",
        f"{content['n']} test images of {content['n_patients']} patients; cover: 95 % CI {100 * limits['low']:.1f} to "
        f"{100 * limits['high']:.1f} %, {100 * content['coverage']:g} % meant",
    ]
    note = (
        "Above: images are kept from the surest on; errors are the plain prediction's. Shaded: 95 % intervals by "
        "resampling patients. Below: sets are calibrated on validation so that images, or patients, count the "
        "same; dotted: what was meant."
    )
    figure = new_figure(HEIGHT, title, subtitle, note)
    with styled():
        upper, lower = figure.subplots(2, 1, height_ratios=[1.15, 1])
        _draw_risk(upper, curve, content["selective"])
        _draw_coverage(lower, content, sets, images)
        for axes in (upper, lower):
            axes.grid(color=PALE, linewidth=0.6)
            axes.set_axisbelow(True)
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.set_xlim(0, 1.01)
    return figure


def _draw_risk(axes: Axes, curve: pd.DataFrame, selective: Mapping[str, Any]) -> None:
    for method, (colour, dashes) in LINES.items():
        at = curve[curve["method"] == method]
        limits = selective[method]["ci"]["aurc"]
        label = f"{NAMES[method]} {selective[method]['aurc']:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"
        axes.fill_between(at["coverage"], at["low"], at["high"], color=colour, alpha=0.1, linewidth=0)
        axes.plot(at["coverage"], at["risk"], color=colour, linestyle=dashes, label=label)
    everything = float(curve["risk"].iloc[-1])
    axes.axhline(everything, color=GREY, linewidth=1, linestyle=(0, (2, 2)), label="abstaining at random")
    axes.set(title="Share of errors among the images that are kept", xlabel="images kept", ylabel="errors")
    top = max(float(curve["high"].max()), 0.05)
    axes.set_ylim(0, min(1.0, 1.02 * top) * 1.5)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(
        loc="upper left",
        fontsize=SMALL_SIZE,
        title="surest by, area (95 % CI)",
        title_fontsize=SMALL_SIZE,
        alignment="left",
        labelcolor=INK,
    )


def _draw_coverage(axes: Axes, content: Mapping[str, Any], sets: Mapping[str, Bools], images: ClassUnits) -> None:
    """Patients from the least to the best covered."""
    for level, of in sets.items():
        reached = content["conformal"][level]
        covered = of[np.arange(len(images.truth)), images.truth]
        share = np.sort(share_of_patients(covered, images.patient))
        edges = np.linspace(0, 1, len(share) + 1)
        colour, dashes = LEVEL_COLOURS[level], "-" if level == "image" else (0, (5, 1.5))
        label = (
            f"by {level}s: mean {reached['patient_coverage']:.3f}, {reached['patients_covered']:.0%} of patients reach "
            f"{content['coverage']:g}, {reached['size']:.2f} classes a set"
        )
        axes.stairs(share, edges, color=colour, linestyle=dashes, linewidth=1.8, label=label, baseline=None)
    axes.axhline(content["coverage"], color=GREY, linewidth=1, linestyle=(0, (2, 2)))
    axes.set(
        title="Share of each patient's images whose set holds the true class",
        xlabel="patients, from the least covered on",
        ylabel="images covered",
    )
    axes.set_ylim(0, 1.45)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(
        loc="upper left",
        fontsize=SMALL_SIZE,
        title="sets calibrated",
        title_fontsize=SMALL_SIZE,
        alignment="left",
        labelcolor=INK,
    )
