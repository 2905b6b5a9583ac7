"""Pairwise verdicts, as every report of several networks has them."""

from bycase.core.wording import DASH, Numbers, count, p_value, signed, value_with_interval
from bycase.report.blocks import Block, Listing, Section, Table, Text
from bycase.statistics.metric_names import metric_words


def verdict_section(comparisons: Numbers, clusters: str = "patients") -> Section:
    """The verdict on every pair, in sentences and as a table; `clusters` is what was counted."""
    pairs, settings = comparisons["pairs"], comparisons["settings"]
    metric, level = metric_words(settings["metric"]), settings["level"]
    words = (
        f"Each pair is compared on {metric} by {level}: margin {settings['margin']:g}, alpha {settings['alpha']:g} "
        f"over all pairs together (Holm), a t test over {clusters}."
    )
    rows = []
    for pair in pairs:
        mcnemar = (pair.get("mcnemar") or {}).get(level) or {}
        needed = (pair.get("patients_needed") or {}).get("difference")
        rows.append(
            (
                f"{pair['first']} against {pair['second']}",
                pair["verdict"],
                value_with_interval(pair["difference"], pair["ci_simultaneous"], signed),
                p_value(pair["p_holm"]),
                p_value(mcnemar.get("p_clustered_holm", mcnemar.get("p_holm"))),
                DASH if needed is None else count(needed),
            )
        )
    tests = ("p", "p, McNemar")
    header = ("pair", "verdict", f"difference in {metric}", *tests, f"{clusters} needed")
    caption = (
        "All pairs. Difference: first minus second, with an interval that holds for all pairs together. P-values are "
        "Holm-adjusted over the pairs."
    )
    blocks: list[Block] = [Text(words), Listing([pair["sentence"] for pair in pairs]), Table(caption, header, rows)]
    notes = comparisons.get("notes", [])
    return Section("verdicts", "Pairwise verdicts", [*blocks, *([Listing(notes)] if notes else [])])
