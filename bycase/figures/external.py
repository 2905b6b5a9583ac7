"""The internal test part and the external test set side by side, and the change from one to the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bycase.core.wording import clusters_of, value_with_interval
from bycase.figures.parts import draw_interval, handle, row_axes
from bycase.figures.style import BLUE, REFERENCE, VERMILLION, data_words, new_figure, styled
from bycase.statistics.external import list_measures

SIDES: dict[str, Any] = {
    "internal test": {"color": BLUE, "marker": "o"},
    "external test": {"color": VERMILLION, "marker": "D"},
}
# Not shares from 0 to 1: in tables only.
OTHER_SCALES = ("slope", "intercept", "size")
APART = 0.17  # of a row, from its middle to either side's mark
ROW = 0.3  # inches
AROUND = 1.9  # inches for title block, legend, axis and note


def draw_external(content: Mapping[str, Any], subtitle: Sequence[str]) -> Figure:
    """Draw the shares of ``metrics/external.json``, a row each: both data sets on the left, the change on the right.

    `subtitle` names network, data and split of the internal test part.
    """
    rows = [row for row in list_measures(content) if row[2] not in OTHER_SCALES]
    there = content["external"]["image"]
    size = ", patients unknown" if "note" in content else f" of {there['n_patients']} other patients"
    lines = [*subtitle, f"{external_words(content)}: {there['n']} images{size}"]
    note = (
        "Change: external less internal. Threshold, temperature and prediction sets are locked. Intervals: 95 %, over "
        f"{clusters_of(content)}."
    )
    figure = new_figure(AROUND + ROW * len(rows), _title(content), lines, note)
    with styled():
        both, change = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        row_axes(both, [words for words, _, _ in rows])
        row_axes(change, [words for words, _, _ in rows])
        for number, (_, (internal, external, moved), name) in enumerate(rows):
            for aside, numbers, style in zip((-APART, APART), (internal, external), SIDES.values(), strict=True):
                draw_interval(both, numbers, name, number + aside, markersize=4.5, **style)
            draw_interval(change, moved, name, number, markersize=4.5, color="black", marker="s")
        change.axvline(0, **REFERENCE)
        both.set_xlim(-0.02, 1.02)
        change.set_title("change", loc="center")
        handles = [handle(name, **style) for name, style in SIDES.items()]
        both.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, ncols=2, frameon=False)
    return figure


def external_words(content: Mapping[str, Any]) -> str:
    """The external data set's name, with its magnifications; says phantom where it is generated."""
    name = data_words(content["dataset"], content["phantom"])
    shown = ", ".join(f"{number}X" for number in content["magnifications"])
    return f"{name} at {shown}" if shown else name


def _title(content: Mapping[str, Any]) -> str:
    change = content["change"]["image"]
    moved = value_with_interval(change["auc"], change["ci"]["auc"], lambda value: f"{value:+.3f}", "95 % CI")
    return f"External test: AUC by image {moved}"
