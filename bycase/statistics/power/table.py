"""`metrics/power.json` as a table for people."""

from typing import Any

from bycase.statistics.power.resolution import POINTS

PARTS = {"test": "test part of the single split", "all": "all, cross-validated"}


def format_table(content: dict[str, Any]) -> str:
    """Lay out what `bycase.statistics.power.resolution.resolution` found, with its assumptions."""
    assumed = content["assumptions"]
    lines = [
        f"Smallest difference between two models found with a power of {assumed['power']:.0%} "
        f"(two-sided, alpha {assumed['alpha']:g}), in points",
        f"{'':31}{'patients':>9}{'images':>8}{'worth':>7}{'accuracy':>10}{'AUC':>7}",
    ]
    for part, name in PARTS.items():
        found = content[part]
        if found["n_patients"] is None:
            lines.append(f"{name:31}{'no data/splits.csv':>18}")
            continue
        lines.append(
            f"{name:31}{found['n_patients']:9d}{found['n_images']:8d}{found['effective_images']:7.0f}"
            f"{_points(found['accuracy_points']):>10}{_points(found['auc_points']):>7}"
        )
    lines.append("")
    lines.append(f"{'Patients that would resolve':31}" + "".join(f"{f'{p} pt':>9}" for p in POINTS))
    for metric, name in (("accuracy", "in accuracy"), ("auc", "in AUC")):
        needed = content["patients_needed"][metric].values()
        lines.append(f"  {name:29}" + "".join(f"{'never' if n is None else f'{n:,}':>9}" for n in needed))
    lines.append("")
    lines += [
        f"Assumed of the worse model: accuracy {assumed['accuracy']:g}, AUC ({assumed['auc_class']} against the rest) "
        f"{assumed['auc']:g}.",
        f"Correlation {assumed['model_correlation']:g} between models, and of their difference "
        f"{assumed['patient_correlation']:g} between images of one patient.",
    ]
    lines.append("'worth': independent images of the same information. 'none': not even a perfect model.")
    return "\n".join(lines) + "\n"


def _points(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
