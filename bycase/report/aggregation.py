"""How patients are made of images, in the report: the rule in use, and what the others would have given."""

from collections.abc import Mapping
from typing import Any

from bycase.core.wording import capitalise, p_value, share, signed, value_with_interval
from bycase.report.blocks import Block, Table, Text
from bycase.report.words import ALPHA
from bycase.statistics.pooling import pooling_of

RULE_WORDS = {"median": "median", "top_k": "mean of the highest", "attention": "attention, fitted on validation"}


def aggregation_words(metrics: Mapping[str, Any]) -> str:
    """The rule, and which others are shown to rank patients better, or worse, than the mean."""
    said = f"{capitalise(pooling_of(metrics).words)} is the patient's."
    compared = metrics.get("aggregation", {}).get("compared", {})
    if not compared:
        return said
    shown = {rule: each["difference"] for rule, each in compared.items() if each["p_holm"] < ALPHA}
    better, worse = ([RULE_WORDS[rule] for rule, by in shown.items() if (by > 0) == up] for up in (True, False))
    verdicts = [
        *([f"shown to rank patients better than the mean: {'; '.join(better)}"] if better else []),
        *([f"shown to rank them worse: {'; '.join(worse)}"] if worse else []),
    ]
    verdict = capitalise("; ".join(verdicts)) if shown else "None of them is shown to differ from the mean"
    return f"{said} Other rules were fixed without a look at the test part. {verdict}."


def aggregation_blocks(metrics: Mapping[str, Any], patients_known: bool) -> list[Block]:
    """The sentence and the table of the comparison; nothing where patients are unknown or have one image each."""
    compared = metrics.get("aggregation", {}).get("compared", {})
    if not patients_known or not compared:
        return []
    rows = [
        (
            RULE_WORDS[rule],
            share(each["auc"]),
            value_with_interval(each["difference"], each["ci"], signed),
            p_value(each["p_holm"]),
        )
        for rule, each in compared.items()
    ]
    caption = (
        "Patients' AUC by the rule that puts their images together, less that of the mean of the same images' "
        "probabilities. 95 % intervals hold together for all rules, over patients; p-values are adjusted by Holm. "
        "Nothing was chosen by this table."
    )
    header = ("rule", "AUC by patient", "less the mean's", "p")
    return [Text(aggregation_words(metrics)), Table(caption, header, rows)]
