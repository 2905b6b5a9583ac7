"""The leaderboard as CSV, and as Markdown with the verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bycase.core.wording import metric_with_interval
from bycase.figures.comparison.marks import names_itself
from bycase.statistics.metric_names import metric_words

OF_TWO = ("sensitivity", "specificity")
OF_SEVERAL = ("balanced_accuracy", "macro_f1")
NONE = "—"
FLIPPED = {"better": "worse", "worse": "better"}


def leaderboard_table(board: Mapping[str, Any], networks: Mapping[str, str]) -> pd.DataFrame:
    """One row a network: rank, every metric of both levels with its interval, calibration error and costs.

    Parameters
    ----------
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`.
    networks : mapping of str to str
        What each network is, in words.
    """
    return pd.DataFrame([_flat_row(name, at, networks[name]) for name, at in board.items()])


def write_markdown(
    board: Mapping[str, Any], comparisons: Mapping[str, Any], networks: Mapping[str, str], subtitle: Sequence[str]
) -> str:
    """The leaderboard as a Markdown table, and below it what was found of each pair.

    Parameters
    ----------
    board : mapping
        See `bycase.studies.compare.leaderboard.make_leaderboard`.
    comparisons : mapping
        See `bycase.statistics.comparison.pairwise.compare_pairs`.
    networks : mapping of str to str
        What each network is, in words.
    subtitle : sequence of str
        Lines that say of which data.

    Returns
    -------
    str
        Lines, the last one ended.
    """
    settings = comparisons["settings"]
    first = next(iter(board))
    columns = _columns(board, settings["level"], settings["metric"])
    header = ["rank", "network", "against the first", *columns]
    rows = [
        [str(at["rank"]), networks[name] if names_itself(name, networks[name]) else f"{name}: {networks[name]}"]
        + [NONE if name == first else find_verdict(comparisons, name, first)]
        + [cell(at) for cell in columns.values()]
        for name, at in board.items()
    ]
    lines = [_line(header), "|" + "---|" * len(header), *map(_line, rows)]
    caption = (
        f"{'. '.join(f'{line[0].upper()}{line[1:]}' for line in subtitle)}. Ranked by {settings['level']} "
        f"{metric_words(settings['metric'])}; in brackets 95 % intervals that resample patients. Against the first: by "
        f"paired comparison, margin {settings['margin']:g}; a network that is not worse may as well be the first. "
        f"{_describe_costs(board)}"
    )
    verdicts = [f"- {pair['sentence']}" for pair in comparisons["pairs"]]
    notes = [f"- {note}" for note in comparisons["notes"]]
    parts = [lines, [caption]]
    if verdicts:
        parts += [["Verdicts:", "", *verdicts], ["What the numbers leave out:", "", *notes]]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def find_verdict(comparisons: Mapping[str, Any], name: str, other: str) -> str:
    """The verdict on one network against another, whichever of the two is the pair's first."""
    for pair in comparisons["pairs"]:
        if (pair["first"], pair["second"]) == (name, other):
            return str(pair["verdict"])
        if (pair["first"], pair["second"]) == (other, name):
            return FLIPPED.get(pair["verdict"], pair["verdict"])
    raise KeyError(f"{name} and {other} were not compared")


def _columns(board: Mapping[str, Any], level: str, metric: str) -> dict[str, Any]:
    """What each column of the Markdown table shows of a network."""
    first = next(iter(board.values()))
    shown = dict.fromkeys(
        [(level, metric), ("image", "auc"), ("patient", "auc"), ("image", "accuracy"), ("patient", "accuracy")]
    )
    columns: dict[str, Any] = {
        f"{metric_words(of)}, {at}s": lambda row, at=at, of=of: metric_with_interval(row[at], of) for at, of in shown
    }
    for name in OF_SEVERAL if "per_class" in first["image"] else OF_TWO:
        columns[name.replace("_", " ")] = lambda row, name=name: f"{row['image'][name]:.3f}"
    columns["constant prediction, accuracy"] = lambda row: f"{row['image']['baseline']['accuracy']:.3f}"
    for stage in first["image"]["calibration"]:
        words = {"before": "ECE", "after": "ECE, temperature scaled"}[stage]
        columns[words] = lambda row, stage=stage: f"{row['image']['calibration'][stage]['ece']:.3f}"
    costs = {
        "parameters": ("parameters", lambda value: f"{value / 1e6:.1f} M"),
        "GFLOPs": ("flops", lambda value: f"{value / 1e9:.2f}"),
        "training, s": ("fitting_seconds", lambda value: f"{value:,.0f}"),
        "images/s": ("inference_images_per_second", lambda value: f"{value:,.0f}"),
        "MB": ("model_bytes", lambda value: f"{value / 1e6:.1f}"),
        "energy, kJ": ("energy_joules", lambda value: f"{value / 1e3:.1f}"),
    }
    for words, (key, written) in costs.items():
        if all(key in at["cost"] for at in board.values()):
            columns[words] = lambda row, key=key, written=written: written(row["cost"][key])
    return columns


def _describe_costs(board: Mapping[str, Any]) -> str:
    known = next(iter(board.values()))["cost"]
    words = "Costs: mean of a training, the frozen features included"
    if "energy_joules" not in known:
        words += "; energy cannot be read here"
    return f"{words}."


def _flat_row(name: str, at: Mapping[str, Any], network: str) -> dict[str, Any]:
    row: dict[str, Any] = {"rank": at["rank"], "model": name, "network": network}
    for level in ("image", "patient"):
        of = at[level]
        row[f"{level}_n"] = of["n"]
        for metric, limits in of["ci"].items():
            if metric in ("resamples", "per_class"):
                continue
            row[f"{level}_{metric}"] = of[metric]
            row[f"{level}_{metric}_low"] = limits["low"]
            row[f"{level}_{metric}_high"] = limits["high"]
        for stage, calibration in of["calibration"].items():
            row[f"{level}_ece_{stage}"] = calibration["ece"]
            row[f"{level}_brier_{stage}"] = calibration["brier"]
    return row | dict(at["cost"])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
