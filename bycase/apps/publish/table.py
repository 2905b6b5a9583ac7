"""The published runs as a Markdown table."""

import json
from pathlib import Path

from bycase.apps.publish.copy import RESULTS
from bycase.core.wording import markdown_table, metric_with_interval, share

UNKNOWN = "unknown"
HEADER = (
    "run",
    "network",
    "data",
    "split",
    "seed",
    "test images (cases)",
    "cases also in training",
    "AUC, images",
    "AUC, patients",
    "accuracy, images",
    "constant prediction",
)


def make_table(results: Path = RESULTS) -> str:
    """A row for every run below `results`, by name."""
    rows = [_row(folder) for folder in sorted(results.iterdir()) if (folder / "metrics.json").is_file()]
    return markdown_table(HEADER, rows) + "\n"


def _row(folder: Path) -> tuple[str, ...]:
    model_info, protocol, metrics = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("model.json", "splits.json", "metrics.json")
    )
    image, known = metrics["image"], protocol.get("patients_known", True)
    return (
        folder.name,
        f"{model_info['model']}, {model_info['weights']}",
        f"{model_info['dataset']}{' (phantom)' if model_info['phantom'] else ''}",
        f"{protocol['protocol']}, by {protocol['group']}",
        str(protocol["seed"]),
        f"{image['n']} ({image['n_patients'] if known else UNKNOWN})",
        str(protocol["cases_on_both_sides"]) if known else UNKNOWN,
        metric_with_interval(image, "auc"),
        metric_with_interval(metrics["patient"], "auc") if known else UNKNOWN,
        metric_with_interval(image, "accuracy"),
        share(image["baseline"]["accuracy"]),
    )
