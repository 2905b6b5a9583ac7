"""The published runs as a Markdown table."""

import json
from pathlib import Path
from typing import Any

from bycase.apps.publish.copy import RESULTS

HEADER = (
    "| run | network | data | split | seed | test images (cases) | cases also in training | AUC, images "
    "| AUC, patients | accuracy, images | constant prediction |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def make_table(results: Path = RESULTS) -> str:
    """A row for every run below `results`, by name."""
    return HEADER + "".join(_row(folder) for folder in sorted(results.iterdir()) if (folder / "metrics.json").is_file())


def _row(folder: Path) -> str:
    card, protocol, metrics = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("model.json", "splits.json", "metrics.json")
    )
    image, patient = metrics["image"], metrics["patient"]
    data = f"{card['dataset']}{' (phantom)' if card['phantom'] else ''}"
    cells = (
        folder.name,
        f"{card['model']}, {card['weights']}",
        data,
        f"{protocol['protocol']}, by {protocol['group']}",
        str(protocol["seed"]),
        f"{image['n']} ({image['n_patients']})",
        str(protocol["cases_on_both_sides"]),
        _interval(image, "auc"),
        _interval(patient, "auc"),
        _interval(image, "accuracy"),
        f"{image['baseline']['accuracy']:.3f}",
    )
    return f"| {' | '.join(cells)} |\n"


def _interval(level: dict[str, Any], metric: str) -> str:
    limits = level["ci"][metric]
    return f"{level[metric]:.3f} ({limits['low']:.3f} to {limits['high']:.3f})"
