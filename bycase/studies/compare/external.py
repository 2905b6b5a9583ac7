"""The external test sets of compared runs: a table, where any run has one."""

from collections.abc import Mapping
from typing import Any

from bycase.core.wording import capitalise, count, markdown_table, metric_with_interval, percent, signed
from bycase.figures.external import external_words

HEADER = (
    *("run", "external test set", "patients", "AUC by image", "change", "AUC by patient", "change "),
    *("calibration slope", "coverage of sets", "flagged as unlike"),
)
NONE = "\N{EN DASH}"


def external_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The Markdown lines on external test sets, the last one ended; empty where no run has one.

    Parameters
    ----------
    results : mapping
        By run, the content of its ``metrics/external.json``, empty without an external test set.
    """
    if not any(results.values()):
        return ""
    rows = [(name, *(_cells(content) if content else [NONE] * (len(HEADER) - 1))) for name, content in results.items()]
    method = next(content["method"] for content in results.values() if content)
    notes = {content["note"] for content in results.values() if "note" in content}
    method = " ".join([method, *(f"{capitalise(note)}." for note in notes)])
    return (
        f"\nExternal test sets, each run's threshold, temperature and prediction sets locked; change: external less "
        f"internal. {method}\n\n{markdown_table(HEADER, rows)}\n"
    )


def _cells(content: Mapping[str, Any]) -> list[str]:
    there, change = content["external"], content["change"]
    return [
        external_words(content),
        "unknown" if "note" in content else count(there["image"]["n_patients"]),
        *(
            cell
            for level in ("image", "patient")
            for cell in (metric_with_interval(there[level], "auc"), metric_with_interval(change[level], "auc", signed))
        ),
        metric_with_interval(there["calibration"]["image"]["after"], "slope"),
        metric_with_interval(there["sets"]["patient"], "coverage"),
        percent(there["unlike"]["share"]),
    ]
