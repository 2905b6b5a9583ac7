"""How patients are made of images, in the report: the rule in use, and what the others would have given."""

from collections.abc import Mapping
from typing import Any

from bycase.core.wording import capitalise, p_value, share, signed, value_with_interval
from bycase.report.blocks import Block, Table, Text
from bycase.report.words import ALPHA
from bycase.statistics.pooling import pooling_of

HEADER = ("rule", "AUC by patient", "less the mean's", "p")
TABLE_WORDS = (
    "patients' AUC by the rule that puts their images together, less that of the mean over the same images. Nothing "
    "was chosen by this table. In brackets: intervals over patients that hold with 95 %, and p-values adjusted by "
    "Holm, both"
)
RULE_WORDS = {"median": "median", "top_k": "mean of the highest", "attention": "attention, fitted on validation"}


def aggregation_words(metrics: Mapping[str, Any]) -> str:
    """The rule, and which others are shown to rank patients better, or worse, than the mean."""
    said = f"A patient is scored by the {pooling_of(metrics).words}."
    compared = metrics.get("aggregation", {}).get("compared", {})
    if not compared:
        return said
    shown = {rule: each["difference"] for rule, each in compared.items() if each["p_holm"] < ALPHA}
    better, worse = ([RULE_WORDS[rule] for rule, by in shown.items() if (by > 0) == up] for up in (True, False))
    verdicts = [
        *([f"shown to rank patients better than the mean: {'; '.join(better)}"] if better else []),
        *([f"shown to rank them worse: {'; '.join(worse)}"] if worse else []),
    ]
    verdict = capitalise("; ".join(verdicts)) if shown else "None is shown to differ from it"
    return f"{said} Other rules, fixed without a look at the test part, are set against the mean. {verdict}."


def networks_blocks(board: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> list[Block]:
    """The comparison of each network's rules out of fold; nothing where patients are unknown or no rules were told."""
    rows = [
        (names[model], *_row(rule, each))
        for model, levels in board.items()
        for rule, each in levels.get("patient", {}).get("aggregation", {}).items()
    ]
    caption = f"Out of fold, for every network: {TABLE_WORDS} of all networks and rules together."
    return [Table(caption, ("network", *HEADER), rows)] if rows else []


def aggregation_blocks(metrics: Mapping[str, Any], patients_known: bool) -> list[Block]:
    """The sentence and the table of the comparison; nothing where patients are unknown or have one image each."""
    compared = metrics.get("aggregation", {}).get("compared", {})
    if not patients_known or not compared:
        return []
    rows = [_row(rule, each) for rule, each in compared.items()]
    return [Text(aggregation_words(metrics)), Table(f"{capitalise(TABLE_WORDS)} of all rules together.", HEADER, rows)]


def _row(rule: str, each: Mapping[str, Any]) -> tuple[str, ...]:
    difference = value_with_interval(each["difference"], each["ci"], signed)
    return RULE_WORDS[rule], share(each["auc"]), difference, p_value(each["p_holm"])
