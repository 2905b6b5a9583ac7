"""The leaderboard as CSV, and as Markdown with the verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bycase.core.wording import (
    Write,
    capitalise,
    count,
    error_with_test,
    markdown_table,
    metric_with_interval,
    share,
    tenths,
)
from bycase.figures.comparison.marks import names_itself
from bycase.statistics.comparison.verdict import REVERSED
from bycase.statistics.metric_names import metric_words

POSITIVE = ("sensitivity", "specificity")  # of a positive class
MEANS = ("balanced_accuracy", "macro_f1")  # instead, where there is none
SHOWN = (("image", "auc"), ("patient", "auc"), ("image", "accuracy"), ("patient", "accuracy"))
ECE = {"before": "ECE (if calibrated, p)", "after": "ECE, temperature scaled"}
COSTS: dict[str, tuple[str, Write]] = {
    "parameters": ("parameters", lambda value: f"{tenths(value / 1e6)} M"),
    "GFLOPs": ("flops", lambda value: f"{value / 1e9:.2f}"),
    "training, s": ("fitting_seconds", count),
    "images/s": ("inference_images_per_second", count),
    "MB": ("model_bytes", lambda value: tenths(value / 1e6)),
    "energy, kJ": ("energy_joules", lambda value: tenths(value / 1e3)),
}
NONE = "—"
Row = Mapping[str, Any]


def leaderboard_table(board: Mapping[str, Row], networks: Mapping[str, str]) -> pd.DataFrame:
    """One row a network: rank, every metric of both levels with its interval, calibration error and costs."""
    return pd.DataFrame([_flat_row(name, row, networks[name]) for name, row in board.items()])


def write_markdown(
    board: Mapping[str, Row],
    comparisons: Mapping[str, Any],
    networks: Mapping[str, str],
    subtitle: Sequence[str],
    clusters: str = "patients",
) -> str:
    """The leaderboard as a Markdown table, and the verdict on each pair below it.

    Parameters
    ----------
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`.
    comparisons : mapping
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    networks : mapping of str to str
        Each network's description.
    subtitle : sequence of str
        Lines on the data.
    clusters : str
        What was counted: images, where patients are unknown.

    Returns
    -------
    str
        Lines, the last one ended.
    """
    settings = comparisons["settings"]
    first = next(iter(board))
    columns = {
        "rank": [str(row["rank"]) for row in board.values()],
        "network": [
            networks[name] if names_itself(name, networks[name]) else f"{name}: {networks[name]}" for name in board
        ],
        "against the first": [NONE if name == first else find_verdict(comparisons, name, first) for name in board],
        **_columns(list(board.values()), settings["level"], settings["metric"]),
    }
    energy = "" if "energy_joules" in board[first]["cost"] else "; energy was not measured"
    costs = f" Costs: mean over trainings, the frozen features included{energy}." if board[first]["cost"] else ""
    caption = (
        f"{'. '.join(map(capitalise, subtitle))}. Ranked by {settings['level']} {metric_words(settings['metric'])}; in "
        f"brackets 95 % intervals over {clusters}. Against the first: by paired comparison, margin "
        f"{settings['margin']:g}; a network that is not worse may be as good as the first.{costs}"
    )
    parts = [markdown_table(list(columns), zip(*columns.values(), strict=True)), caption]
    if comparisons["pairs"]:
        lists = ([pair["sentence"] for pair in comparisons["pairs"]], comparisons["notes"])
        for heading, lines in zip(("Verdicts:", "Notes on the numbers:"), lists, strict=True):
            parts += [heading, "\n".join(f"- {line}" for line in lines)]
    return "\n\n".join(parts) + "\n"


def find_verdict(comparisons: Mapping[str, Any], name: str, other: str) -> str:
    """The verdict on one network against another, whichever of the two is the pair's first."""
    for pair in comparisons["pairs"]:
        if (pair["first"], pair["second"]) == (name, other):
            return str(pair["verdict"])
        if (pair["first"], pair["second"]) == (other, name):
            return REVERSED.get(pair["verdict"], pair["verdict"])
    raise KeyError(f"{name} and {other} were not compared")


def _columns(rows: Sequence[Row], level: str, metric: str) -> dict[str, list[str]]:
    """The columns of the Markdown table on metrics and costs, one cell a network."""
    images = [row["image"] for row in rows]
    columns = {
        f"{metric_words(key)}, {unit}s": [metric_with_interval(row[unit], key) for row in rows]
        for unit, key in dict.fromkeys([(level, metric), *SHOWN])
        if key in rows[0].get(unit, {})
    }
    for key in POSITIVE if POSITIVE[0] in images[0] else MEANS:
        columns[metric_words(key)] = [share(image[key]) for image in images]
    columns["constant prediction, accuracy"] = [share(image["baseline"]["accuracy"]) for image in images]
    for state in images[0].get("calibration", {}):
        columns[ECE[state]] = [error_with_test(image["calibration"][state]) for image in images]
    costs = [row["cost"] for row in rows]
    return columns | {
        name: [write(cost[key]) for cost in costs]
        for name, (key, write) in COSTS.items()
        if all(key in cost for cost in costs)
    }


def _flat_row(name: str, row: Row, network: str) -> dict[str, Any]:
    flat: dict[str, Any] = {"rank": row["rank"], "model": name, "network": network}
    for level in (level for level in ("image", "patient") if level in row):
        metrics = row[level]
        flat[f"{level}_n"] = metrics["n"]
        for metric, limits in metrics["ci"].items():
            if metric not in ("resamples", "per_class"):
                flat[f"{level}_{metric}"] = metrics[metric]
                flat |= {f"{level}_{metric}_{end}": limits[end] for end in ("low", "high")}
        for state, calibration in metrics.get("calibration", {}).items():
            flat |= {f"{level}_{key}_{state}": calibration[key] for key in ("ece", "ece_expected", "ece_p", "brier")}
    note = {"note": row["note"]} if "note" in row else {}
    return flat | dict(row["cost"]) | note
