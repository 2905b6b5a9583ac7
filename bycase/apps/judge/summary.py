"""A judged table's results in a few lines, for the terminal."""

from bycase.apps.judge.assess import JudgedInfo, constant_words
from bycase.apps.judge.page import levels_of
from bycase.core.wording import capitalise, error_with_test, metric_with_interval
from bycase.statistics.metric_names import metric_words, metrics_for

ROWS = (
    *("auc", "accuracy", "balanced_accuracy", "macro_f1", "sensitivity", "specificity"),
    *("recognition_rate", "brier"),
)
RATES = ("sensitivity", "specificity")


def summarise(info: JudgedInfo) -> str:
    """A table of results, each with its 95 % interval and that of a constant prediction; lines, the last one ended."""
    levels, table = levels_of(info.metrics), info.table
    columns = "".join(f"  {f'{level} level (95 % CI)':<27}{'constant':>8}" for level in levels)
    lines = [f"{table.name}: {info.split}; {info.size}", "", f"{'':<18}{columns}"]
    for metric in metrics_for(len(table.classes), *ROWS):
        if any(metric in numbers for numbers in levels.values()):
            cells = "".join(
                f"  {metric_with_interval(numbers, metric):<27}{numbers['baseline'].get(metric, float('nan')):>8.3f}"
                if metric in numbers
                else f"  {'':<35}"
                for numbers in levels.values()
            )
            lines.append(f"{metric_words(metric):<18}{cells}")
    lines += ["", *_points(info)]
    decided = "; ".join(f"{level}s: {info.decision(level)}" for level in levels)
    lines.append(f"{capitalise(decided)}.")
    if "calibration" in info.metrics:
        calibration = info.metrics["calibration"]["image"]
        after = f"; {error_with_test(calibration['after'])} after temperature scaling" if "after" in calibration else ""
        lines.append(
            f"Calibration error (ECE) of images: {error_with_test(calibration['before'])}{after}; in brackets what "
            "calibrated predictions would show, and the p-value of a test of calibration."
        )
    lines.append(f"Intervals: 95 %, over {info.clusters}. {constant_words(table)}")
    lines += [f"{capitalise(warning)}." for warning in table.warnings]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _points(info: JudgedInfo) -> list[str]:
    points = info.metrics["image"].get("operating_points", {})
    if not points:
        return []
    lines = [f"{'images at':<34}" + "".join(f"{rate:<27}" for rate in RATES) + f"{'from p':>6}"]
    for name, point in points.items():
        rate, percent = name.split("_")
        rates = "".join(f"{metric_with_interval(point, each):<27}" for each in RATES)
        lines.append(f"{f'{percent} % {rate} on validation':<34}{rates}{point['threshold']:>6.3f}")
    return [*lines, ""]
