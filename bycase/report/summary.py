"""`python -m bycase.report.summary`: the results in a few lines, after `make repro`."""

import sys

from bycase.core.command import run_stage
from bycase.core.versions import warn_of_other_versions
from bycase.core.wording import capitalise, metric_with_interval
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.statistics.metric_names import metric_words, metrics_for
from bycase.tables.manifest import PATIENTS_UNKNOWN
from bycase.tables.models import NETWORK

ROWS = (
    *("auc", "accuracy", "balanced_accuracy", "macro_f1"),
    *("sensitivity", "specificity", "recognition_rate"),
)
OF_A_CLASS = ("recall", "precision", "f1", "auc")
LEVELS = ("image", "patient")
RATES = ("sensitivity", "specificity")


def main() -> None:
    """Print the results and where the figures are; warn where other versions made the network.

    A pipeline that is up to date runs no stage, so that none of them could warn.
    """
    run_info = read_run_info()
    warn_of_other_versions(run_info.model_info.get("versions", {}), str(NETWORK))
    sys.stdout.write(summarise(run_info))


def summarise(run_info: RunInfo) -> str:
    """A table of test results: each with its 95 % interval and the majority-class baseline.

    Parameters
    ----------
    run_info : RunInfo
        Names network, data and split, and holds the metrics.

    Returns
    -------
    str
        Lines of text, the last one ended.
    """
    columns = "".join(f"  {f'{level} level (95 % CI)':<27}{'baseline':>8}" for level in LEVELS)
    lines = [f"{run_info.network}; {run_info.data}", f"{run_info.split}; {run_info.size}", "", f"{'test':<18}{columns}"]
    lines += [
        f"{metric_words(metric):<18}" + "".join(_cell(run_info.metrics[level], metric) for level in LEVELS)
        for metric in metrics_for(len(run_info.classes), *ROWS)
    ]
    details = _class_lines if run_info.positive is None else _threshold_lines
    lines += ["", *details(run_info), _calibration_line(run_info)]
    lines += [
        *([f"{capitalise(PATIENTS_UNKNOWN)}."] if not run_info.protocol.get("patients_known", True) else []),
        "Intervals: bootstrap over patients. Baseline: the training part's majority class for all.",
        "Figures: plots/model/*.png; whether the training went well: plots/model/sanity.txt",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _threshold_lines(run_info: RunInfo) -> list[str]:
    """The thresholds, and the operating points of images."""
    image, patient = (run_info.metrics[level]["threshold"] for level in LEVELS)
    lines = [f"{'test images at':<34}" + "".join(f"{rate:<27}" for rate in RATES) + f"{'from p':>6}"]
    for name, point in run_info.metrics["image"]["operating_points"].items():
        rate, percent = name.split("_")
        rates = "".join(f"{metric_with_interval(point, rate):<27}" for rate in RATES)
        lines.append(f"{f'{percent} % {rate} on validation':<34}{rates}{point['threshold']:>6.3f}")
    predicted = (
        f"Predicted {run_info.positive} from a probability of {image:.3f} (images), {patient:.3f} (patients) up, "
        "never chosen on test."
    )
    return [*lines, "", predicted]


def _calibration_line(run_info: RunInfo) -> str:
    """How far probabilities are off, as they are and scaled."""
    calibration = run_info.metrics["calibration"]
    before, after = (calibration["image"][state]["ece"] for state in ("before", "after"))
    return (
        f"Calibration error (ECE) of images: {before:.3f}; {after:.3f} after temperature scaling, "
        f"T = {calibration['temperature']:.2f} from validation."
    )


def _class_lines(run_info: RunInfo) -> list[str]:
    """A row a class, at image level."""
    width = max(18, *(len(label) + 2 for label in run_info.classes))
    lines = [f"{'test images':<{width}}" + "".join(f"{name:>11}" for name in (*OF_A_CLASS, "n"))]
    for label, scores in run_info.metrics["image"]["per_class"].items():
        lines.append(
            f"{label:<{width}}" + "".join(f"{scores[name]:>11.3f}" for name in OF_A_CLASS) + f"{scores['n']:>11}"
        )
    return [
        *lines,
        "",
        "Predicted: the most probable class. AUC: of a class against the rest; above, the classes' mean.",
    ]


def _cell(metrics: dict, metric: str) -> str:
    if metric not in metrics:
        return f"  {'':<27}{'':>8}"
    return f"  {metric_with_interval(metrics, metric):<27}{metrics['baseline'][metric]:>8.3f}"


if __name__ == "__main__":
    run_stage("summary", main)
