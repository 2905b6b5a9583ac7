"""The section on the external test set, and its table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bycase.core.wording import Numbers, clusters_of, count, metric_with_interval, percent, signed
from bycase.datasets.overlap import describe_left_out
from bycase.report.blocks import Block, Section, Table, Text
from bycase.report.decisions import decision_tables
from bycase.report.sections import figure_or_note, intervals_of
from bycase.statistics.external import list_measures

NONE = (
    "None: the results above are of patients of the same data set. Another laboratory's images may give other numbers; "
    "name such a data set in evaluate.external and run: dvc repro"
)


def external_section(content: Numbers | None, figure: Path) -> Section:
    """What became of the classifier on another data set; that there was none, where `content` is empty or None."""
    blocks: list[Block] = [Text(NONE, "note")]
    if content:
        alt = "Metrics of the internal test part and the external test set side by side, and their change"
        blocks = [
            Text(external_words(content)),
            change_table(content),
            *decision_tables(content["external"].get("decisions", {}), clusters_of(content)),
            figure_or_note(figure, alt, "Both data sets, and the change.", "dvc repro plot"),
        ]
    return Section("external", "External test set", blocks)


def external_words(content: Mapping[str, Any]) -> str:
    """What was tested, how the AUC has changed, and whether prediction sets and the flag tell of it."""
    there, change = content["external"], content["change"]["image"]
    limits = change["ci"]["auc"]
    told = "higher" if limits["low"] > 0 else "lower" if limits["high"] < 0 else "not shown to be different"
    left_out = describe_left_out(content["left_out"])
    size = f"{count(there['image']['n'])} images"
    if "note" in content:
        size = f"{size}; {content['note']}, and no patient can be shown to be in one data set only"
    else:
        size = f"{size} of {count(there['image']['n_patients'])} patients, none of whom is in the data set above"
    return (
        f"The same classifier, with threshold, temperature and prediction sets locked, on {content['dataset']}: "
        f"{size}.{f' Left out: {left_out}.' if left_out else ''} AUC by image is {told} there: "
        f"{metric_with_interval(change, 'auc', signed, '95 % CI')}. {percent(there['unlike']['share'])} of the images "
        f"are flagged as unlike the training images (internal {percent(content['internal']['unlike']['share'])}); "
        f"{percent(there['sets']['patient']['coverage'])} of the prediction sets hold the true class (internal "
        f"{percent(content['internal']['sets']['patient']['coverage'])}). {content['method']}"
    )


def change_table(content: Mapping[str, Any]) -> Table:
    """Both data sets side by side, the change, and the locked operating points."""
    rows = [(words, *_cells(sides, name)) for words, sides, name in list_measures(content)]
    for level in ("image",) if "note" in content else ("image", "patient"):
        for point in content["internal"][level].get("operating_points", {}):
            kept, value = point.rsplit("_", 1)
            sides = [content[side][level]["operating_points"][point] for side in ("internal", "external", "change")]
            other = "sensitivity" if kept == "specificity" else "specificity"
            chosen = f"{kept} {value} % on validation, by {level}"
            rows += [(f"{rate} at {chosen}", *_cells(sides, rate)) for rate in (kept, other)]
    caption = f"Calibration after temperature scaling. {intervals_of(content)}"
    return Table(caption, ("measure", "internal test part", "external test set", "change"), rows)


def _cells(sides: list[Mapping[str, Any]], name: str) -> list[str]:
    internal, external, change = sides
    return [
        metric_with_interval(internal, name),
        metric_with_interval(external, name),
        metric_with_interval(change, name, signed),
    ]
